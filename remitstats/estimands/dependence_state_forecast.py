"""One-step-ahead check of the state model of dependence: each late year predicted from before it.

For each year the model is fitted to what was known when the product of the year before was the
last published. Two predictions are scored: the ratio from its own past alone, and what the model
does for a year without product, known pesos over predicted product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remitstats.errors import RemitstatsError
from remitstats.estimands.dependence_state_paths import (
    draw_next,
    draw_product,
    hyperparameters,
)
from remitstats.estimands.dependence_state_results import COLUMNS
from remitstats.fitting.run import fit
from remitstats.models import dependence_state
from remitstats.models.dependence_state_data import LEAST_YEARS, StateData, prepare_data
from remitstats.models.dependence_state_density import Priors
from remitstats.panel.panel import Panel

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]
PAST, PRODUCT = "ratio from its own past", "known remittances over predicted product"
YEARS = 6  # how many of the last years are predicted by default


def forecast_dependence_state(
    panel: Panel,
    years: Sequence[int] | None = None,
    *,
    priors: Priors | None = None,
    seed: int = 1,
    draws: int = 300,
    tune: int = 150,
    chains: int = 2,
    cores: int | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Predict late years from the years before each, and score the predictions.

    Parameters
    ----------
    panel : Panel
        The panel.
    years : sequence of int, optional
        Years to predict; the last six with product by default.
    priors : Priors, optional
        Of the model.
    seed, draws, tune, chains, cores
        Of every fit.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.

    Returns
    -------
    DataFrame
        One row a year and method: share of states inside the 50, 80 and 90% intervals, mean CRPS
        of the log ratio, the same of the prediction that nothing changes (its absolute error),
        mean error (prediction less outcome, log per cent) and mean width of the 90% interval (log
        per cent).

    Raises
    ------
    RemitstatsError
        If a year has no product, or fewer than five years before it.
    """
    data = prepare_data(panel)
    known = [int(y) for y in data.coords["year"]]
    possible = known[LEAST_YEARS:]
    wanted = possible[-YEARS:] if years is None else [int(y) for y in years]
    wrong = [y for y in wanted if y not in possible]
    if wrong or not wanted:
        raise RemitstatsError(
            f"Years that can be predicted lie between {possible[0]} and {possible[-1]}, "
            f"found {', '.join(map(str, wrong)) or 'none'}."
            if possible
            else f"A prediction needs {LEAST_YEARS} years before it, found {len(known)} in all."
        )
    rows = []
    for number, year in enumerate(wanted):
        if progress:
            progress(f"predicting {year}", number / len(wanted))
        past = data.until(year - 1)
        model = dependence_state.model_of(past, priors)
        tree = fit(
            model, panel, seed=seed + year, draws=draws, tune=tune, chains=chains, cores=cores
        )
        values = hyperparameters(tree["posterior"].to_dataset())
        rng = np.random.default_rng((seed, year))
        drawn = {
            PAST: draw_next(values, past, priors or Priors(), rng),
            PRODUCT: _over_product(values, past, priors or Priors(), rng),
        }
        outcome = data.log_percent[:, known.index(year)]
        before = past.log_percent[:, -1]
        rows += [
            {"year": year, "method": method, **_scores(value, outcome, before)}
            for method, value in drawn.items()
        ]
    return pd.DataFrame(rows, columns=list(COLUMNS["forecast"]))


def _over_product(
    values: dict[str, Array], past: StateData, priors: Priors, rng: np.random.Generator
) -> Array:
    product = draw_product(values, past, priors, rng)
    return np.asarray(np.log(100.0 * past.pesos[:, -1] / product[:, :, 0]))


def _scores(drawn: Array, outcome: Array, before: Array) -> dict[str, float]:
    inside = {}
    for level in (50, 80, 90):
        low, high = np.quantile(drawn, [0.5 - level / 200, 0.5 + level / 200], axis=0)
        inside[f"inside_{level}"] = float(((low <= outcome) & (outcome <= high)).mean())
    return {
        "states": len(outcome),
        **inside,
        "crps": float(crps(drawn, outcome).mean()),
        "crps_no_change": float(np.abs(outcome - before).mean()),
        "mean_error": float(100.0 * (drawn.mean(axis=0) - outcome).mean()),
        "mean_width_90": float(100.0 * (high - low).mean()),
    }


def crps(drawn: Array, outcome: Array) -> Array:
    """Return the continuous ranked probability score of draws (draw, …), lower is better.

    E|X - y| - E|X - X'| / 2 over the draws (Gneiting and Raftery 2007, Journal of the American
    Statistical Association 102: 359-378).
    """
    count = len(drawn)
    ordered = np.sort(drawn, axis=0)
    weight = 2.0 * np.arange(count) - count + 1.0
    spread = np.tensordot(weight, ordered, 1) / count**2
    return np.asarray(np.abs(drawn - outcome).mean(axis=0) - spread)
