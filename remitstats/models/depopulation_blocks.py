"""The depopulation model as sparse blocks, which its engine reads (see `depopulation`)."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from remitstats.models.depopulation_data import CELLS, DepopulationData
from remitstats.models.depopulation_likelihood import GrowthLikelihood
from remitstats.models.depopulation_prior import Priors
from remitstats.parts import autoregression, icar
from remitstats.parts.latent_gaussian import (
    Component,
    FixedSd,
    FreeSd,
    LatentGaussian,
    OwnVariances,
    SharedSd,
)
from remitstats.parts.priors import HyperPrior

NAME = "depopulation"
SMALL_SIZE = 1000.0
"""Persons: unit of `small_size`, whose prior has this median."""
UNPLACED_SD = 10.0
"""Error, in %, of a level put on a straight line because nobody counted it apart."""


def noise_names(data: DepopulationData) -> tuple[str, ...]:
    """Return the names of the hyperparameters that are the scale of each interval's noise."""
    return _by_interval("noise_sd", data)


def neighbour_names(data: DepopulationData) -> tuple[str, ...]:
    """Return the names of the standard deviations of what neighbours share in each interval."""
    return _by_interval("neighbour_sd", data)


def _by_interval(name: str, data: DepopulationData) -> tuple[str, ...]:
    return tuple(f"{name}_{interval.replace('-', '_')}" for interval in data.coords["interval"])


def likelihood(data: DepopulationData) -> GrowthLikelihood:
    """Return the likelihood of the recorded growth."""
    return GrowthLikelihood(
        observed=data.percent,
        size=data.size,
        noise_sd=noise_names(data),
        small_size="small_size",
        tail_weight="tail_weight",
        unit_size=SMALL_SIZE,
    )


def _hyperparameters(
    data: DepopulationData, priors: Priors, *, maps_by_interval: bool
) -> dict[str, HyperPrior]:
    """Return the priors that the panel has a use for."""
    names = ["interval_sd", "size_interval_sd"]
    names += ["state_sd", "state_interval_sd"] if len(data.coords["state"]) > 1 else []
    names += ["municipality_sd", "municipality_share", "municipality_rho"]
    names += ["count_sd"] if len(data.coords["count"]) else []
    names += ["survey_sd"] if len(data.coords["survey"]) else []
    found: dict[str, HyperPrior] = {name: getattr(priors, name) for name in names}
    if maps_by_interval:
        found |= dict.fromkeys(neighbour_names(data), priors.neighbour_sd)
    found |= dict.fromkeys(noise_names(data), priors.noise_sd)
    return found | {"small_size": priors.small_size, "tail_weight": priors.tail_weight}


def latent_gaussian(
    data: DepopulationData, priors: Priors, *, maps_by_interval: bool = False
) -> LatentGaussian:
    """Return the model as sparse blocks, for the `laplace` engine.

    Parameters
    ----------
    data : DepopulationData
        Arrays of the panel.
    priors : Priors
        Priors of the hyperparameters.
    maps_by_interval : bool
        Whether neighbours share something in each interval too.
    """
    intervals, municipalities, states = (
        len(data.coords[dim]) for dim in ("interval", "municipality", "state")
    )
    hyper = _hyperparameters(data, priors, maps_by_interval=maps_by_interval)
    always, each = np.ones((intervals, 1)), np.eye(intervals)
    one, of_states, independent = (icar.independent(n) for n in (1, states, municipalities))
    everywhere = sp.csr_array(np.ones((municipalities, 1)))
    slope = sp.csr_array(data.log_size[:, None])
    itself = sp.csr_array(sp.eye_array(municipalities))
    member = sp.csr_array(
        (np.ones(municipalities), (np.arange(municipalities), data.state_of)),
        shape=(municipalities, states),
    )
    error = sp.csr_array(sp.diags_array(data.relative_error))
    shared = ("municipality_sd", "municipality_share")
    components = [
        Component("growth", one, always, everywhere, FixedSd(priors.growth.sd)),
        Component("interval_effect", one, each, everywhere, FreeSd("interval_sd")),
        Component("size_slope", one, always, slope, FixedSd(priors.size_slope.sd)),
        Component("size_effect", one, each, slope, FreeSd("size_interval_sd")),
        Component(
            "municipality_spatial",
            icar.icar(data.graph),
            always,
            itself,
            SharedSd(*shared, spatial=True),
        ),
        Component(
            "municipality_own",
            independent,
            each,
            itself,
            SharedSd(*shared, spatial=False),
            autoregression.FreeCorrelation("municipality_rho", intervals),
        ),
    ]
    reported: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        "growth": (("growth",), ()),
        "size_slope": (("size_slope",), ()),
        "interval_effect": (("interval_effect", "growth"), ("interval",)),
        "size_effect": (("size_effect", "size_slope"), ("interval",)),
        "municipality_spatial": (("municipality_spatial",), ("municipality",)),
    }
    if maps_by_interval:
        components.append(
            Component(
                "neighbour_effect",
                icar.icar(data.graph),
                each,
                itself.copy(),  # apart from the lasting map, which an engine draws alone
                FixedSd(1.0),
                OwnVariances(neighbour_names(data)),
            )
        )
        reported["neighbour_effect"] = (("neighbour_effect",), CELLS)
    if "state_sd" in hyper:
        components += [
            Component("state_effect", of_states, always, member, FreeSd("state_sd")),
            Component(
                "state_interval_effect", of_states, each, member, FreeSd("state_interval_sd")
            ),
        ]
        reported["state_effect"] = (("state_effect",), ("state",))
        reported["state_interval_effect"] = (("state_interval_effect",), ("interval", "state"))
    for dim in ("count", "survey"):
        if f"{dim}_sd" in hyper:
            components.append(
                Component(
                    f"{dim}_error", independent, data.contrasts(dim), error, FreeSd(f"{dim}_sd")
                )
            )
            reported[f"{dim}_error"] = ((f"{dim}_error",), (dim, "municipality"))
    if len(data.coords["unplaced"]):
        place = sp.csr_array(itself[:, data.growth.unplaced[:, 1]])
        of_unplaced = icar.independent(place.shape[1])
        components.append(
            Component(
                "unplaced_error", of_unplaced, data.unplaced_rows, place, FixedSd(UNPLACED_SD)
            )
        )
        reported["unplaced_error"] = (("unplaced_error",), ("unplaced",))
    return LatentGaussian(
        name=NAME,
        hyperparameters=hyper,
        components=tuple(components),
        likelihood=likelihood(data),
        dims=CELLS,
        coords=data.coords,
        offset=np.full(intervals * municipalities, priors.growth.mean),
        reported=reported,
    )
