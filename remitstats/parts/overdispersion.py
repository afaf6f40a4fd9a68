"""Overdispersion: counts that vary more than binomial sampling alone.

Two forms. A *cell effect* is an independent normal on the logit of every cell: it is a Gaussian
effect like any other, and the one to use beside spatial effects. The *beta-binomial* keeps the
cell's rate itself random,

    p* ~ Beta(p s, (1 - p) s),   y ~ Binomial(n, p*),   p = expit(eta),   s = (1 - icc) / icc,

so that y / n has mean p and variance p (1 - p) (1 + (n - 1) icc) / n. `icc`, the intraclass
correlation, is that between two dwellings of the same cell; 0 is the binomial. It adds no effect
to the latent field. Counts may be real-valued, as effective counts are (see `sampling_error`).

References
----------
Williams (1982), Applied Statistics 31: 144-148 (both forms).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from remitstats.parts.structure import Structure, independent

Array = NDArray[np.float64]
LEAST_ICC, MOST_ICC = 1e-9, 1.0 - 1e-6  # below, a binomial; above, arithmetic breaks down
LARGE = 1e4  # from here on gamma functions by their asymptotic series, to keep differences exact


def cell_effect(cells: int) -> Structure:
    """Return the structure of an independent effect of every cell."""
    return independent(cells)


def cell_effect_to_pymc(name: str, sd: Any, dims: str | tuple[str, ...]) -> Any:
    """Add an independent effect of every cell, non-centred, to the PyMC model in context.

    Parameters
    ----------
    name : str
        The free variable is ``{name}_unit``.
    sd : float or PyMC variable
        Standard deviation on the logit scale.
    dims : str or tuple of str
        Named dims of the cells.
    """
    import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; engines do without it

    return sd * pm.Normal(f"{name}_unit", dims=dims)


def _log_rising(log_a: Array, count: Array) -> Array:
    """Return log Gamma(a + count) - log Gamma(a), exact for tiny and for huge a; 0 at count 0."""
    a = np.exp(np.minimum(log_a, 700.0))
    near = np.minimum(a, LARGE)
    direct = log_a + special.gammaln(near + np.where(count > 0, count, 1.0))
    direct = direct - special.gammaln(1.0 + near)
    far = np.maximum(a, LARGE)
    series = (far + count - 0.5) * np.log1p(count / far) + count * log_a - count
    series = series + (1.0 / (far + count) - 1.0 / far) / 12.0
    return np.where(count > 0, np.where(a < LARGE, direct, series), 0.0)


def _first(a: Array, count: Array) -> Array:
    """Return a (digamma(a + count) - digamma(a)); tends to `count` as a grows."""
    near, far = np.minimum(a, LARGE), np.maximum(a, LARGE)
    filled = np.where(count > 0, count, 1.0)
    direct = near * (special.digamma(near + filled) - special.digamma(1.0 + near)) + 1.0
    end = far + count
    series = np.log1p(count / far) - 0.5 * (1.0 / end - 1.0 / far)
    series = far * (series - (end**-2.0 - far**-2.0) / 12.0)
    return np.where(count > 0, np.where(a < LARGE, direct, series), 0.0)


def _second(a: Array, count: Array) -> Array:
    """Return a^2 (trigamma(a + count) - trigamma(a)), at most 0; tends to -count as a grows."""
    near, far = np.minimum(a, LARGE), np.maximum(a, LARGE)
    filled = np.where(count > 0, count, 1.0)
    change = special.polygamma(1, near + filled) - special.polygamma(1, 1.0 + near)
    direct = near**2 * change - 1.0
    end = far + count
    ratio = far / end
    # 1/x + 1/(2 x^2) + 1/(6 x^3), the first difference written without cancellation
    series = -count * ratio + 0.5 * (ratio**2 - 1.0) + (ratio**2 / end - 1.0 / far) / 6.0
    return np.where(count > 0, np.where(a < LARGE, direct, series), 0.0)


@dataclass(frozen=True)
class BetaBinomial:
    """Beta-binomial log likelihood of cells on the logit scale of the mean.

    Parameters
    ----------
    receiving, dwellings : array, shape (cell,)
        Counts and totals, whole or not; a cell with `dwellings` 0 says nothing.
    icc : str or float
        Hyperparameter that is the intraclass correlation, or a known one.
    """

    receiving: Array
    dwellings: Array
    icc: str | float

    def __post_init__(self) -> None:
        if not isinstance(self.icc, str) and not 0 <= self.icc < 1:
            raise ValueError(f"icc must be at least 0 and below 1, found {self.icc}")
        bad = (self.receiving < 0) | (self.receiving > self.dwellings)
        if np.any(bad):
            raise ValueError(
                f"counts must lie between 0 and their totals, found {int(bad.sum())} that don't"
            )

    def _icc(self, values: Mapping[str, float] | None) -> float:
        if not isinstance(self.icc, str):
            icc = self.icc
        elif values is None:
            raise ValueError(f"a value of '{self.icc}' is needed, found none")
        else:
            icc = values[self.icc]
        return min(max(icc, LEAST_ICC), MOST_ICC)

    def _shapes(self, eta: Array, values: Mapping[str, float] | None) -> tuple[Array, ...]:
        """Return logarithms of both beta parameters, and p and 1 - p."""
        icc = self._icc(values)
        log_sum = math.log1p(-icc) - math.log(icc)
        log_p, log_q = -np.logaddexp(0.0, -eta), -np.logaddexp(0.0, eta)
        return log_p + log_sum, log_q + log_sum, np.exp(log_p), np.exp(log_q)

    def measurement_sd(self, values: Mapping[str, float] | None = None) -> float:
        """Return the typical ratio of the standard error to the binomial one.

        The geometric mean over measured cells of sqrt(1 + (n - 1) icc).
        """
        known = self.dwellings[self.dwellings > 0]
        if not known.size:
            return 1.0
        inflation = 1.0 + np.maximum(known - 1.0, 0.0) * self._icc(values)
        return float(np.exp(0.5 * np.mean(np.log(inflation))))

    def log_density(self, eta: Array, values: Mapping[str, float] | None = None) -> Array:
        """Return the log probability of every cell, binomial coefficient included."""
        y, n = self.receiving, self.dwellings
        log_a, log_b, _, _ = self._shapes(eta, values)
        icc = self._icc(values)
        log_sum = np.asarray(math.log1p(-icc) - math.log(icc))
        coefficient = special.gammaln(n + 1.0) - special.gammaln(y + 1.0)
        coefficient = coefficient - special.gammaln(n - y + 1.0)
        density = _log_rising(log_a, y) + _log_rising(log_b, n - y) - _log_rising(log_sum, n)
        return np.asarray(np.where(n > 0, coefficient + density, 0.0))

    def gradient(self, eta: Array, values: Mapping[str, float] | None = None) -> Array:
        """Return the derivative of every cell with respect to eta."""
        log_a, log_b, p, q = self._shapes(eta, values)
        first_a = _first(np.exp(log_a), self.receiving)
        first_b = _first(np.exp(log_b), self.dwellings - self.receiving)
        return np.asarray(q * first_a - p * first_b)

    def second_derivative(self, eta: Array, values: Mapping[str, float] | None = None) -> Array:
        """Return the second derivative of every cell with respect to eta; of either sign."""
        first, second = self._bends(eta, values)
        return first + second

    def curvature(self, eta: Array, values: Mapping[str, float] | None = None) -> Array:
        """Return minus the second derivative or, where that is negative, a positive stand-in.

        The log likelihood is concave in p but not in eta, because of the bend of p itself; the
        stand-in leaves out that bend.
        """
        first, second = self._bends(eta, values)
        exact = -(first + second)
        return np.where(exact > 0, exact, -second)

    def _bends(self, eta: Array, values: Mapping[str, float] | None) -> tuple[Array, Array]:
        """Return the second derivative in two parts: from the bend of p, and from that in p."""
        log_a, log_b, p, q = self._shapes(eta, values)
        a, b = np.exp(log_a), np.exp(log_b)
        y, rest = self.receiving, self.dwellings - self.receiving
        slope = q * _first(a, y) - p * _first(b, rest)
        bend = q**2 * _second(a, y) + p**2 * _second(b, rest)
        return np.asarray((q - p) * slope), np.asarray(bend)

    def initial(self) -> Array:
        """Return a data-based start for eta: the smoothed empirical logit, overall without data."""
        smoothed = np.log(self.receiving + 0.5) - np.log(self.dwellings - self.receiving + 0.5)
        overall = special.logit((self.receiving.sum() + 0.5) / (self.dwellings.sum() + 1.0))
        return np.where(self.dwellings > 0, smoothed, overall)


def draw_shares(
    rng: np.random.Generator,
    eta: Array,
    dwellings: Array,
    icc: float,
    size: tuple[int, ...] | None = None,
) -> Array:
    """Draw beta-binomial shares.

    Parameters
    ----------
    rng : numpy.random.Generator
        Stream of the draws.
    eta : array
        Logits of the means.
    dwellings : array
        Totals, rounded to whole ones here; 0 where not measured.
    icc : float
        Intraclass correlation.
    size : tuple of int, optional
        Shape of the draws; by default that of `eta` and `dwellings`.

    Returns
    -------
    array
        Shares between 0 and 1; nan where not measured.
    """
    shape = np.broadcast_shapes(np.shape(eta), np.shape(dwellings)) if size is None else size
    share = np.broadcast_to(special.expit(eta), shape)
    if icc > LEAST_ICC:
        total = (1.0 - icc) / icc
        least = 1e-300  # a beta variable needs positive parameters
        share = rng.beta(np.maximum(share * total, least), np.maximum((1 - share) * total, least))
    trials = np.maximum(np.round(dwellings), 1.0)
    drawn = rng.binomial(np.broadcast_to(trials, shape).astype(np.int64), share) / trials
    return np.asarray(np.where(np.asarray(dwellings) > 0, drawn, np.nan))


def beta_binomial_to_pymc(
    name: str,
    eta: Any,
    icc: Any,
    receiving: Array,
    dwellings: Array,
    dims: str | tuple[str, ...],
) -> Any:
    """Add beta-binomial counts to the PyMC model in whose context this is called.

    Parameters
    ----------
    name : str
        Name of the observed variable.
    eta : tensor
        Logits of the means, one a cell.
    icc : float or PyMC variable
        Intraclass correlation.
    receiving, dwellings : array
        Counts and totals of the cells, whole or not; totals of 0 say nothing. No nan.
    dims : str or tuple of str
        Named dims of the cells.

    Notes
    -----
    `pm.BetaBinomial` takes whole counts only; this is a `CustomDist` with one value a cell.
    """
    import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; engines do without it
    import pytensor.tensor as pt  # noqa: PLC0415

    coefficient = special.gammaln(dwellings + 1.0) - special.gammaln(receiving + 1.0)
    coefficient = coefficient - special.gammaln(dwellings - receiving + 1.0)

    def rising(a: Any, count: Any) -> Any:
        return pt.gammaln(a + count) - pt.gammaln(a)

    def logp(value: Any, eta: Any, icc: Any, total: Any) -> Any:
        precision = (1.0 - icc) / icc
        a, b = pt.sigmoid(eta) * precision, pt.sigmoid(-eta) * precision
        ratio = rising(a, value) + rising(b, total - value) - rising(precision, total)
        return coefficient + ratio

    def random(
        eta: Any,
        icc: Any,
        total: Any,
        rng: np.random.Generator | None = None,
        size: Any = None,
    ) -> Array:
        drawn = draw_shares(np.random.default_rng(rng), eta, total, icc, size)
        return np.asarray(np.nan_to_num(drawn) * total)

    return pm.CustomDist(
        name,
        eta,
        icc,
        dwellings,
        logp=logp,
        random=random,
        observed=receiving,
        dims=dims,
    )
