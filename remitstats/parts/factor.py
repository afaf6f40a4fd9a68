"""One factor behind several indicators: loadings, scores and how reliable the scores are.

The indicators x_j of a unit are x_j = loading_j f + e_j with a common factor f of variance 1 and
errors of their own; fitted by maximum likelihood (the EM algorithm of Rubin and Thayer 1982,
Psychometrika 47: 69-76) to standardised indicators. Scores are Thomson's regression scores, the
mean of f given the indicators.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEAST_VARIANCE = 0.005  # an indicator can't be the factor itself (a Heywood case)


@dataclass(frozen=True)
class OneFactor:
    """A fitted one-factor model.

    Parameters
    ----------
    loading : array, shape (indicator,)
        Correlations of the indicators with the factor.
    score : array, shape (unit,)
        Regression scores, standardised to mean 0 and standard deviation 1; nan where an indicator
        is missing.
    reliability : float
        Squared correlation of the scores with the factor, as the model implies it.
    """

    loading: Array
    score: Array
    reliability: float


def one_factor(indicators: Array, *, iterations: int = 2000, tolerance: float = 1e-9) -> OneFactor:
    """Fit one factor by maximum likelihood.

    Parameters
    ----------
    indicators : array, shape (unit, indicator)
        Measurements on any scale; units with a missing one get no score and take no part.
    iterations, tolerance
        When the EM algorithm stops: after so many rounds, or once no loading moves further.

    Raises
    ------
    ValueError
        If there are fewer than three indicators, no more complete units than indicators, or an
        indicator that does not vary.

    Notes
    -----
    The factor points the way of the sum of the standardised indicators.
    """
    units, count = indicators.shape
    complete = np.isfinite(indicators).all(axis=1)
    if count < 3:
        raise ValueError(f"a factor needs at least 3 indicators, found {count}")
    if complete.sum() <= count:
        raise ValueError(
            f"a factor of {count} indicators needs more complete units than that, "
            f"found {int(complete.sum())}"
        )
    known = indicators[complete]
    spread = known.std(axis=0)
    if not (spread > 0).all():
        raise ValueError("an indicator does not vary")
    x = (known - known.mean(axis=0)) / spread
    correlation = x.T @ x / len(x)
    values, vectors = np.linalg.eigh(correlation)
    loading = vectors[:, -1] * np.sqrt(max(values[-1], 0.1))
    loading *= np.sign(loading.sum()) or 1.0
    own = np.maximum(1.0 - loading**2, LEAST_VARIANCE)
    for _ in range(iterations):
        precision = 1.0 + np.sum(loading**2 / own)
        weight = loading / own / precision
        with_score = correlation @ weight
        square = 1.0 / precision + weight @ with_score
        new = with_score / square
        own = np.maximum(1.0 - new * with_score, LEAST_VARIANCE)
        moved = float(np.max(np.abs(new - loading)))
        loading = new
        if moved < tolerance:
            break
    precision = 1.0 + np.sum(loading**2 / own)
    raw = x @ (loading / own / precision)
    score = np.full(units, np.nan)
    score[complete] = (raw - raw.mean()) / raw.std()
    return OneFactor(loading, score, float(1.0 - 1.0 / precision))
