"""How much a posterior depends on its priors and on its data, by power-scaling.

Raise the priors, or the likelihood, to a power near one, and see how far the posterior of a
quantity moves: by importance weights, without another fit (Kallioinen, Paananen, Bürkner and
Vehtari 2024, Statistics and Computing 34: 57). ArviZ does it; what is made here are the logarithms
of the densities, draw by draw.

What is scaled are the priors of numbers that nothing stands above: standard deviations, shares,
means. Effects of municipalities or states have distributions that these govern, and are no priors
in that sense.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from remitstats.errors import RemitstatsError
from remitstats.panel.panel import Panel
from remitstats.parts.priors import HyperPrior

Array = NDArray[np.float64]
SAMPLE = ("chain", "draw")
NOTHING = 100  # quantities by which chance is told


@dataclass(frozen=True, eq=False)
class Scaled:
    """Draws of a fit with what power-scaling needs.

    Parameters
    ----------
    quantities : mapping of str to array, shape (chain, draw)
        What is looked at.
    headlines : tuple of str
        Those that reports state.
    log_prior, log_likelihood : array, shape (chain, draw)
        Log densities of the priors that are scaled, and of the data given all that the quantities
        are made of; each up to a constant.
    """

    quantities: Mapping[str, Array]
    headlines: tuple[str, ...]
    log_prior: Array
    log_likelihood: Array


class Scaling(Protocol):
    """What is made of the fit of a model."""

    def __call__(self, tree: xr.DataTree, panel: Panel) -> Scaled:
        """Return the draws of a fit to a panel with their log densities."""


def sensitivity_of(scaled: Scaled) -> pd.DataFrame:
    """Return how far the posterior of each quantity moves with the powers.

    Parameters
    ----------
    scaled : Scaled
        Draws and log densities.

    Returns
    -------
    DataFrame
        Columns `quantity`, `headline`, `prior`, `likelihood`; headlines first.

    Raises
    ------
    RemitstatsError
        If a log density is not finite in every draw.
    """
    for name in ("log_prior", "log_likelihood"):
        if not np.isfinite(getattr(scaled, name)).all():
            raise RemitstatsError(
                f"The {name.replace('_', ' ')} of some draws is not finite: the fit can't be "
                "power-scaled. Fit the model again."
            )
    order = [*scaled.headlines, *(q for q in scaled.quantities if q not in scaled.headlines)]
    found = _moved(scaled, {name: scaled.quantities[name] for name in order})
    return pd.DataFrame(
        {
            "quantity": order,
            "headline": [name in scaled.headlines for name in order],
            **{group: [one[name] for name in order] for group, one in found.items()},
        }
    )


def chance_of(scaled: Scaled, seed: int = 1) -> dict[str, float]:
    """Return what quantities show that have nothing to do with prior or data.

    Weights of few draws move anything a little. Numbers drawn independently of everything are moved
    by that alone; what is returned is what one in twenty of them exceeds.

    Parameters
    ----------
    scaled : Scaled
        Draws and log densities.
    seed : int
        Of the numbers.
    """
    rng = np.random.default_rng(seed)
    nothing = {str(n): rng.standard_normal(scaled.log_prior.shape) for n in range(NOTHING)}
    found = _moved(scaled, nothing)
    return {group: float(np.quantile(list(one.values()), 0.95)) for group, one in found.items()}


def _moved(scaled: Scaled, quantities: Mapping[str, Array]) -> dict[str, dict[str, float]]:
    """Return how far quantities move with a power of the prior and of the likelihood."""
    from arviz_stats import psense  # noqa: PLC0415 - seconds to import; only this needs it

    tree = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({k: (SAMPLE, value) for k, value in quantities.items()}),
            "log_prior": xr.Dataset({"all": (SAMPLE, scaled.log_prior)}),
            "log_likelihood": xr.Dataset({"all": (SAMPLE, scaled.log_likelihood)}),
        }
    )
    return {
        group: {str(name): float(value) for name, value in psense(tree, group=group).items()}
        for group in ("prior", "likelihood")
    }


def log_prior_of(priors: Mapping[str, HyperPrior], draws: Mapping[str, Array]) -> Array:
    """Return the sum of the log densities of priors, by PyMC, shape (chain, draw).

    Parameters
    ----------
    priors : mapping of str to prior
        Of single numbers, on the scale that they are stated on.
    draws : mapping of str to array, shape (chain, draw)
        Of the same numbers.
    """
    import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import

    with pm.Model() as model:
        for name, prior in priors.items():
            prior.to_pymc(name)
    return log_prior_in(model, {name: draws[name] for name in priors})


def log_prior_in(model: Any, draws: Mapping[str, Array], names: list[str] | None = None) -> Array:
    """Return the sum of log prior densities of variables of a PyMC model, shape (chain, draw).

    Parameters
    ----------
    model : pymc.Model
        The model.
    draws : mapping of str to array, shape (chain, draw, ...)
        Of all its free variables.
    names : list of str, optional
        Whose densities; by default those of all.
    """
    import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import

    posterior = xr.Dataset(
        {
            name: ((*SAMPLE, *(f"{name} {i}" for i in range(value.ndim - 2))), value)
            for name, value in draws.items()
        }
    )
    found = pm.stats.compute_log_prior(
        xr.DataTree.from_dict({"posterior": posterior}),
        var_names=names,
        model=model,
        extend_inferencedata=False,
        progressbar=False,
        compile_kwargs={"mode": "FAST_COMPILE"},  # sums of plain densities: no need to optimise
    )
    total = np.zeros(next(iter(draws.values())).shape[:2])
    for value in found.data_vars.values():
        total += value.transpose(*SAMPLE, ...).to_numpy().reshape(*total.shape, -1).sum(axis=-1)
    return total
