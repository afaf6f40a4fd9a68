r"""Transition: three paths of development, nine countries, and the rest of the world behind them.

Four series of every country: net migration per thousand persons (means of five years), remittances
over product in two vintages and income relative to the United States (logarithms, years). Each is
a lasting path that wanders, seen through what passes and through single events:

    m_it = m_i,t-1 + S_i w_it           w ~ Normal(0, 1): lasting changes of country i
    y_it = m_it + known breaks + S_i noise_ratio e_it + at most one event
    S_i^2 ~ inverse gamma(nu/2, nu s^2/2)

- A **known break** of the reporting (`transition_data.BREAKS`) has an unknown effect with a flat
  prior: the years across it say nothing of the path.
- An **event** is an outlier of one observation or a jump for good, at any year alike, of size
  Normal(0, (S_i event_ratio)^2), with a probability that all countries share. A jump of remittances
  may be real or a change of reporting that nobody noted: `estimands.transition` has both readings.
- Countries with less than a million people are left out. The others form the population that tells
  the five parameters of a series: the nine countries are nine among some 150. They have no mean
  of their own: a path of the paper is no group of the model, and is not made alike by it.

Only the parameters are sampled. Scales, events and paths are summed out exactly
(`parts.local_level`) and drawn exactly given them (`parts.local_level_draws`). Starts have flat
priors, so nothing shrinks a country towards another or towards zero.

What it assumes: countries share no shocks; changes of a path are independent of the last ones (a
long rise is no reason for more of it); net migration is wrong by no more than what passes between
means of five years, though a census that was wrong stays wrong. The years inside a span of five are
not told by the data, so that a date can't be surer than some years.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remitstats.models.transition_data import SERIES, TransitionData, prepare_data
from remitstats.panel.panel import Panel
from remitstats.parts.collapsed_density import Pooled, Separable
from remitstats.parts.local_level import PARAMETERS, LocalLevels, Series
from remitstats.parts.priors import NormalPrior

Array = NDArray[np.float64]

NAME = "transition"
COUNT = len(PARAMETERS)
__all__ = ["NAME", "Priors", "TransitionDensity", "build", "model_of", "prepare_data"]


@dataclass(frozen=True)
class Priors:
    """Priors of the transition model, with their defaults.

    Parameters
    ----------
    migration_scale : NormalPrior
        Logarithm of the typical lasting change in a year, persons per thousand.
    remittances_scale, income_scale : NormalPrior
        The same of the logarithms of remittances over product, and of relative income.
    noise : NormalPrior
        Logarithm of what passes, in lasting changes of a year.
    spread : NormalPrior
        Logarithm of nu: the smaller, the more the scales of countries differ.
    event : NormalPrior
        Logit of the probability that a country's series has an event.
    size : NormalPrior
        Logarithm of the size of events, in lasting changes of a year.
    """

    migration_scale: NormalPrior = NormalPrior(mean=0.0, sd=1.5)
    remittances_scale: NormalPrior = NormalPrior(mean=-2.0, sd=1.0)
    income_scale: NormalPrior = NormalPrior(mean=-3.0, sd=1.0)
    noise: NormalPrior = NormalPrior(mean=-1.0, sd=1.0)
    spread: NormalPrior = NormalPrior(mean=1.4, sd=0.7)
    event: NormalPrior = NormalPrior(mean=-0.5, sd=1.0)
    size: NormalPrior = NormalPrior(mean=2.0, sd=0.7)

    def describe(self) -> dict[str, Any]:
        """Return every prior as plain values, for provenance."""
        return {f.name: getattr(self, f.name).describe() for f in fields(self)}

    def of(self, series: str) -> tuple[NormalPrior, ...]:
        """Return the priors of a series' parameters, in the order of `PARAMETERS`."""
        scale = {"migration": self.migration_scale, "income": self.income_scale}
        first = scale.get(series, self.remittances_scale)
        return (first, self.noise, self.spread, self.event, self.size)


@dataclass(frozen=True)
class TransitionDensity:
    """Log density of the parameters, five a series, with all else summed out.

    Its coordinates are standard normal under the priors, series by series.

    Parameters
    ----------
    data : TransitionData
        The series.
    priors : Priors
        Priors.
    """

    data: TransitionData
    priors: Priors = field(default_factory=Priors)

    @cached_property
    def units(self) -> dict[str, dict[str, Series]]:
        """By series and country, what the likelihood takes."""
        return {name: self.data.series(name) for name in SERIES}

    @cached_property
    def levels(self) -> tuple[LocalLevels, ...]:
        """The likelihoods, one a series."""
        return tuple(LocalLevels(tuple(units.values())) for units in self.units.values())

    @cached_property
    def _moments(self) -> tuple[Array, Array]:
        priors = [prior for name in SERIES for prior in self.priors.of(name)]
        return np.array([p.mean for p in priors]), np.array([p.sd for p in priors])

    @property
    def size(self) -> int:
        """Number of parameters."""
        return COUNT * len(SERIES)

    def natural(self, x: Array) -> Array:
        """Return the parameters of coordinates, shape (..., series, parameter)."""
        mean, sd = self._moments
        value = mean + sd * x
        return np.asarray(value.reshape(*value.shape[:-1], len(SERIES), COUNT))

    def gradient(self, x: Array) -> tuple[float, Array]:
        """Return log density and gradient at x."""
        value = -0.5 * float(x @ x) - 0.5 * len(x) * np.log(2.0 * np.pi)
        slopes = []
        for level, own in zip(self.levels, self.natural(x), strict=True):
            part, slope = level.gradient(own)
            value += part
            slopes.append(slope)
        slope = np.concatenate(slopes) * self._moments[1] - x
        if not np.isfinite(value):
            return -np.inf, np.zeros_like(x)
        return float(value), np.asarray(slope)

    def start(self) -> Array:
        """Return where a search for the mode may begin."""
        return np.zeros(self.size)

    def separable(self) -> list[Separable]:
        """Return the series: their parameters never meet."""
        moved = np.arange(self.size).reshape(len(SERIES), COUNT)
        return [Separable(moved, np.repeat(np.arange(len(SERIES)), COUNT))]

    def pooled(self) -> list[Pooled]:
        """Return no pooled effects: they are summed out."""
        return []

    def constrain(self, x: Array) -> dict[str, Array]:
        """Return the parameters by name, shape (..., series)."""
        value = self.natural(x)
        return {name: value[..., i] for i, name in enumerate(PARAMETERS)}


def build(panel: Panel, priors: Priors | None = None) -> Any:
    """Return the transition model as a PyMC model.

    Parameters
    ----------
    panel : Panel
        See `transition_data.check`.
    priors : Priors, optional
        Defaults as `Priors` documents them.

    Returns
    -------
    pymc.Model
        Dim `series`. Its attributes `collapsed` (the density for the default engine), `data` and
        `specification` are read by `remitstats.fit`.

    Raises
    ------
    PanelError
        If the panel lacks the series.
    """
    return model_of(prepare_data(panel), priors)


def model_of(data: TransitionData, priors: Priors | None = None) -> Any:
    """Return the transition model of prepared data (see `build`)."""
    import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; only models need it
    import pytensor.tensor as pt  # noqa: PLC0415

    priors = priors or Priors()
    density = TransitionDensity(data, priors)
    table = [priors.of(name) for name in SERIES]
    with pm.Model(coords={"series": list(SERIES)}) as model:
        values = [
            pm.Normal(
                name,
                mu=np.array([row[i].mean for row in table]),
                sigma=np.array([row[i].sd for row in table]),
                dims="series",
            )
            for i, name in enumerate(PARAMETERS)
        ]
        for s, level in enumerate(density.levels):
            own = [value[s] for value in values]
            pm.Potential(f"likelihood_{SERIES[s]}", _likelihood(level, own, pt))
    model.data = data
    model.lengths = {"draws": 600, "tune": 300}
    model.coords_of_posterior = dict(data.coords)
    model.dims_of_posterior = dict.fromkeys(PARAMETERS, ("series",))
    model.collapsed = density
    model.specification = {"model": NAME, "priors": priors.describe()}
    return model


def _likelihood(level: LocalLevels, own: list[Any], pt: Any) -> Any:
    """Return the log likelihood of one series as PyTensor has it (see `LocalLevels.gradient`)."""
    p = level.padded
    scale, noise, nu, size = (pt.exp(own[i]) for i in (0, 1, 2, 4))
    weight = p["there"] / (p["walk"] + noise**2)
    q0 = (weight * p["y"] ** 2).sum(axis=1)
    det0 = (p["there"] * pt.log(p["walk"] + noise**2)).sum(axis=1)
    q, det, prior = q0[:, None], det0[:, None], pt.zeros_like(q0[:, None])
    if p["event"].shape[1]:
        a = (p["square"] * weight[:, None]).sum(axis=2)
        b = (p["event"] * (weight * p["y"])[:, None]).sum(axis=2)
        grown = 1.0 + size**2 * a
        q = pt.concatenate([q, q - size**2 * b**2 / grown], axis=1)
        det = pt.concatenate([det, det + pt.log(grown)], axis=1)
        shares = np.maximum(p["prior"], -1e6) - pt.softplus(-own[3])
        prior = pt.concatenate([prior - pt.softplus(own[3]), shares], axis=1)
    half = 0.5 * (nu + p["count"][:, None])
    each = pt.gammaln(half) - pt.gammaln(0.5 * nu)
    each -= 0.5 * p["count"][:, None] * pt.log(np.pi * nu * scale**2)
    each += prior - 0.5 * det - half * pt.log1p(q / (nu * scale**2))
    return pt.logsumexp(each, axis=1).sum()
