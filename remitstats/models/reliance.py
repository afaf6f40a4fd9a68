r"""Reliance: the share of dwellings that receive remittances, by municipality and census wave.

For municipality i of state s(i) and wave w, with effective counts y of n dwellings
(`parts.sampling_error`),

    y_iw ~ Binomial(n_iw, p_iw)
    logit p_iw = m + c_w (a_w + b_s(i) + g_s(i),w + f_i + h_iw)

    a_w   wave effect            Normal(0, intercept.sd), around m = intercept.mean
    b_s   state effect           Normal(0, state_sd)
    g_sw  state by wave          Normal(0, state_wave_sd)
    f_i   municipality           BYM2(municipality_sd, municipality_share)
    h_iw  municipality by wave   BYM2(municipality_wave_sd, municipality_wave_share), a field
          of its own for every wave: space-time interaction and overdispersion
    c_w   contrast of the wave   LogNormal(0, wave_scale), 1 in the last wave: municipalities
          differ more in some waves than in others

BYM2(sd, share) is the sum of a scaled ICAR with standard deviation sd * sqrt(share) and
independent normals with sd * sqrt(1 - share). A panel of one wave has no effects by wave, a
panel of one state no effects of states; a map in several parts has a field of its own in each; a
panel that knows no neighbours has independent normals with sd alone, and no share.

What it assumes: percentages are what CONAPO published from the census long form; the sample
behind them is as `SamplingDesign` says; a municipality without figures in a wave is like its
neighbours and its own other waves; municipalities that exchange no dwellings share a border or
a state's history, not a network of migrants.

References
----------
Riebler, Sørbye, Simpson and Rue (2016), Statistical Methods in Medical Research 25: 1145-1165.
Knorr-Held (2000), Statistics in Medicine 19: 2555-2567, interaction type III (and I).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from remitstats.models.reliance_data import CELLS, RelianceData, prepare_data
from remitstats.panel.panel import Panel
from remitstats.parts import bym2, icar
from remitstats.parts.latent_gaussian import (
    Component,
    FixedSd,
    FreeSd,
    LatentGaussian,
    SharedSd,
)
from remitstats.parts.prior_values import with_values
from remitstats.parts.priors import HyperPrior, NormalPrior, RatioPrior, ScalePrior, SharePrior
from remitstats.parts.sampling_error import (
    EffectiveBinomial,
    SamplingDesign,
    draw_published,
)

NAME = "reliance"
__all__ = [
    "NAME",
    "Priors",
    "RelianceData",
    "build",
    "latent_gaussian",
    "prepare_data",
    "prior_predictive",
]


@dataclass(frozen=True)
class Priors:
    """Priors of the reliance model, all on the logit scale, with their defaults.

    The defaults put Mexico's national reliance between about 1.3% and 26% in nineteen prior draws
    of twenty, with a median near 7% (`prior_predictive` shows it; a test holds it), and let the
    odds of one pair of neighbours in twenty differ tenfold or more.

    Parameters
    ----------
    intercept : NormalPrior
        Overall logit and how far a wave may lie from it.
    state_sd, state_wave_sd, municipality_sd, municipality_wave_sd : ScalePrior
        P(standard deviation > upper) = tail.
    municipality_share, municipality_wave_share : SharePrior
        Spatial share of the municipality effects' variance.
    wave_scale : RatioPrior
        How much more, or less, municipalities may differ in a wave than in the last one.
    """

    intercept: NormalPrior = NormalPrior(mean=-3.0, sd=0.8)
    state_sd: ScalePrior = ScalePrior(upper=1.0, tail=0.05)
    state_wave_sd: ScalePrior = ScalePrior(upper=0.5, tail=0.05)
    municipality_sd: ScalePrior = ScalePrior(upper=1.5, tail=0.05)
    municipality_share: SharePrior = SharePrior(alpha=1.0, beta=1.0)
    municipality_wave_sd: ScalePrior = ScalePrior(upper=1.0, tail=0.05)
    municipality_wave_share: SharePrior = SharePrior(alpha=1.0, beta=1.0)
    wave_scale: RatioPrior = RatioPrior(log_sd=0.25)

    def describe(self) -> dict[str, dict[str, Any]]:
        """Return every prior as plain values, for provenance."""
        return {f.name: getattr(self, f.name).describe() for f in fields(self)}

    def with_values(self, values: Mapping[str, tuple[float, ...]]) -> Priors:
        """Return priors with some parameters replaced, as the command line gives them.

        Parameters
        ----------
        values : mapping of str to tuple of float
            Prior name to its parameters in the order the prior's class lists them.

        Raises
        ------
        RemitstatsError
            If a name is unknown (the nearest is suggested) or the numbers do not fit the prior.
        """
        return with_values(self, values)


def latent_gaussian(data: RelianceData, priors: Priors) -> LatentGaussian:
    """Return the model as sparse blocks, for the `laplace` engine.

    Parameters
    ----------
    data : RelianceData
        Arrays of the panel.
    priors : Priors
        Priors of the hyperparameters.
    """
    waves, municipalities, states = (
        len(data.coords[dim]) for dim in ("wave", "municipality", "state")
    )
    every_wave, each_wave = np.ones((waves, 1)), np.eye(waves)
    itself = sp.csr_array(sp.eye_array(municipalities))
    member = sp.csr_array(
        (np.ones(municipalities), (np.arange(municipalities), data.state_of)),
        shape=(municipalities, states),
    )
    everywhere = sp.csr_array(np.ones((municipalities, 1)))
    of_states, of_municipalities = icar.independent(states), icar.independent(municipalities)
    of_neighbours = icar.icar(data.graph) if data.knows_neighbours else of_municipalities

    space = data.knows_neighbours

    def spatial_and_own(name: str, rows: NDArray[np.float64]) -> tuple[Component, ...]:
        sd, share = f"{name}_sd", f"{name}_share"
        if not space:
            own = f"{name}_unstructured"
            return (Component(own, of_municipalities, rows, itself, FreeSd(sd)),)
        return (
            Component(
                f"{name}_spatial", of_neighbours, rows, itself, SharedSd(sd, share, spatial=True)
            ),
            Component(
                f"{name}_unstructured",
                of_municipalities,
                rows,
                itself,
                SharedSd(sd, share, spatial=False),
            ),
        )

    components = [
        Component(
            "wave_effect",
            icar.independent(1),
            each_wave,
            everywhere,
            FixedSd(priors.intercept.sd),
        )
    ]
    reported: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        "wave_effect": (("wave_effect",), ("wave",))
    }
    if states > 1:
        components.append(
            Component("state_effect", of_states, every_wave, member, FreeSd("state_sd"))
        )
        reported["state_effect"] = (("state_effect",), ("state",))
    if states > 1 and waves > 1:
        components.append(
            Component("state_wave_effect", of_states, each_wave, member, FreeSd("state_wave_sd"))
        )
        reported["state_wave_effect"] = (("state_wave_effect",), ("wave", "state"))
    of_municipality = spatial_and_own("municipality", every_wave)
    components.extend(of_municipality)
    reported["municipality_effect"] = (
        tuple(component.name for component in of_municipality),
        ("municipality",),
    )
    if waves > 1:
        components.extend(spatial_and_own("municipality_wave", each_wave))
    earlier = [f"wave_scale_{wave}" for wave in data.coords["wave"][:-1]]
    return LatentGaussian(
        name=NAME,
        hyperparameters=_hyperparameters(priors, waves, states, earlier, space=space),
        components=tuple(components),
        likelihood=EffectiveBinomial(data.receiving.ravel(), data.effective.ravel()),
        dims=CELLS,
        coords=data.coords,
        offset=np.full(waves * municipalities, priors.intercept.mean),
        scale_name=(*earlier, None),
        scale_group=np.repeat(np.arange(waves), municipalities),
        reported=reported,
    )


def _hyperparameters(
    priors: Priors, waves: int, states: int, earlier: list[str], *, space: bool
) -> dict[str, HyperPrior]:
    """Return the priors that a panel has a use for: so many waves and states, with space or not."""
    names = ["state_sd"] if states > 1 else []
    names += ["state_wave_sd"] if states > 1 and waves > 1 else []
    for name in ("municipality", "municipality_wave")[: 2 if waves > 1 else 1]:
        names += [f"{name}_sd", f"{name}_share"] if space else [f"{name}_sd"]
    return {name: getattr(priors, name) for name in names} | dict.fromkeys(
        earlier, priors.wave_scale
    )


def build(panel: Panel, priors: Priors | None = None, design: SamplingDesign | None = None) -> Any:
    """Return the reliance model of a panel as a PyMC model.

    Parameters
    ----------
    panel : Panel
        With `municipality_wave` (cvegeo, wave, dwellings, receiving_percent) and, where they are
        known, `municipality` and `adjacency`.
    priors : Priors, optional
        Defaults as `Priors` documents them.
    design : SamplingDesign, optional
        Assumed census sample; defaults as `SamplingDesign` documents them.

    Returns
    -------
    pymc.Model
        Dims `wave`, `municipality`, `state`. `linear_predictor` (wave, municipality) is the logit
        of the share of dwellings that receive remittances. Its attribute `latent_gaussian` is the
        same model as sparse blocks, `data` the arrays and `specification` the priors and design;
        `remitstats.fit` uses them.

    Raises
    ------
    PanelError
        If what the panel says of its sample can't be used.

    Examples
    --------
    >>> import remitstats
    >>> panel = remitstats.load_mexico()
    >>> model = remitstats.reliance.build(panel)
    >>> fit = remitstats.fit(model, panel, seed=1)  # doctest: +SKIP
    """
    import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; only models need it

    priors = priors or Priors()
    data = prepare_data(panel, design)
    blocks = latent_gaussian(data, priors)
    waves = len(data.coords["wave"])
    with pm.Model(coords=dict(data.coords)) as model:
        hyper = {name: prior.to_pymc(name) for name, prior in blocks.hyperparameters.items()}
        wave_effect = pm.Normal("wave_effect", 0.0, priors.intercept.sd, dims="wave")
        effects = wave_effect[:, None]
        if "state_sd" in hyper:
            state_unit = pm.Normal("state_unit", dims="state")
            state_effect = pm.Deterministic(
                "state_effect", hyper["state_sd"] * state_unit, dims="state"
            )
            effects = effects + state_effect[data.state_of][None, :]
        if "state_wave_sd" in hyper:
            state_wave_unit = pm.Normal("state_wave_unit", dims=("wave", "state"))
            state_wave_effect = pm.Deterministic(
                "state_wave_effect",
                hyper["state_wave_sd"] * state_wave_unit,
                dims=("wave", "state"),
            )
            effects = effects + state_wave_effect[:, data.state_of]
        municipality_effect = pm.Deterministic(
            "municipality_effect",
            _of_municipalities("municipality", data, hyper, "municipality"),
            dims="municipality",
        )
        effects = effects + municipality_effect[None, :]
        if waves > 1:
            effects = effects + _of_municipalities("municipality_wave", data, hyper, CELLS, waves)
        contrast = pm.math.stack([hyper.get(n, 1.0) if n else 1.0 for n in blocks.scale_name])
        eta = pm.Deterministic(
            "linear_predictor",
            priors.intercept.mean + contrast[:, None] * effects,
            dims=CELLS,
        )
        _effective_binomial("receiving_dwellings", eta, data)
    model.latent_gaussian = replace(blocks, variable_names=frozenset(model.named_vars))
    model.data = data
    model.specification = {"priors": priors.describe(), "sampling_design": data.design.describe()}
    return model


def _of_municipalities(
    name: str,
    data: RelianceData,
    hyper: Mapping[str, Any],
    dims: str | tuple[str, ...],
    copies: int | None = None,
) -> Any:
    """Add effects of municipalities to the PyMC model in context: BYM2, or independent ones."""
    import pymc as pm  # noqa: PLC0415

    sd = hyper[f"{name}_sd"]
    if data.knows_neighbours:
        return bym2.to_pymc(name, data.graph, sd, hyper[f"{name}_share"], dims, copies)
    return sd * pm.Normal(f"{name}_unstructured_unit", dims=dims)


def _effective_binomial(name: str, eta: Any, data: RelianceData) -> None:
    """Add the binomial kernel with real-valued counts to the PyMC model in context."""
    import pymc as pm  # noqa: PLC0415
    import pytensor.tensor as pt  # noqa: PLC0415

    def logp(value: Any, eta: Any, effective: Any) -> Any:
        return value * eta - effective * pt.softplus(eta)

    def random(
        eta: Any, effective: Any, rng: np.random.Generator | None = None, size: Any = None
    ) -> NDArray[np.float64]:
        share = draw_published(np.random.default_rng(rng), eta, effective, size)
        return np.asarray(
            np.nan_to_num(share) * effective
        )  # back to the real-valued effective number

    pm.CustomDist(
        name,
        eta,
        data.effective,
        logp=logp,
        random=random,
        observed=data.receiving,
        dims=("wave", "municipality"),
    )


def prior_predictive(
    panel: Panel,
    priors: Priors | None = None,
    design: SamplingDesign | None = None,
    *,
    draws: int = 500,
    seed: int = 1,
) -> pd.DataFrame:
    """Return what the priors alone say about reliance.

    Parameters
    ----------
    panel : Panel
        Gives geography and dwellings; its percentages are not looked at.
    priors, design : optional
        As for `build`.
    draws : int
        Number of prior draws.
    seed : int
        Seed of the draws.

    Returns
    -------
    DataFrame
        One row a draw and wave: `draw`, `wave`, `national_percent` (dwelling-weighted),
        `median_percent`, `percent_10` and `percent_90` of the municipalities.
    """
    data = prepare_data(panel, design)
    blocks = latent_gaussian(data, priors or Priors())
    _, eta = blocks.sample_prior(np.random.default_rng(seed), draws)
    share = 100.0 / (1.0 + np.exp(-eta.reshape(draws, *data.dwellings.shape)))
    weight = np.nan_to_num(data.dwellings)
    national = (share * weight).sum(axis=2) / weight.sum(axis=1)
    index = pd.MultiIndex.from_product([range(draws), data.coords["wave"]], names=["draw", "wave"])
    low, middle, high = np.quantile(share, [0.1, 0.5, 0.9], axis=2)
    return pd.DataFrame(
        {
            "national_percent": national.ravel(),
            "median_percent": middle.ravel(),
            "percent_10": low.ravel(),
            "percent_90": high.ravel(),
        },
        index=index,
    ).reset_index()
