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
independent normals with sd * sqrt(1 - share).

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
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from remitstats.errors import PanelError, RemitstatsError, unknown
from remitstats.panel.check import check_for_reliance
from remitstats.panel.panel import Panel
from remitstats.parts import icar
from remitstats.parts.latent_gaussian import (
    Component,
    FixedSd,
    FreeSd,
    LatentGaussian,
    SharedSd,
)
from remitstats.parts.priors import HyperPrior, NormalPrior, RatioPrior, ScalePrior, SharePrior
from remitstats.parts.sampling_error import (
    EffectiveBinomial,
    SamplingDesign,
    draw_published,
    effective_dwellings,
    sampled_dwellings,
)

NAME = "reliance"


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
        known = {f.name: getattr(self, f.name) for f in fields(self)}
        changed = {}
        for name, numbers in values.items():
            if name not in known:
                raise unknown("prior", name, known)
            kind = type(known[name])
            wanted = [f.name for f in fields(kind)]
            if len(numbers) != len(wanted):
                raise RemitstatsError(
                    f"The prior '{name}' takes {len(wanted)} number(s) ({', '.join(wanted)}), "
                    f"found {len(numbers)}."
                )
            try:
                changed[name] = kind(*numbers)
            except ValueError as error:
                raise RemitstatsError(f"The prior '{name}' can't be used: {error}.") from error
        return replace(self, **changed)


@dataclass(frozen=True)
class RelianceData:
    """Arrays of a panel as the model takes them.

    Parameters
    ----------
    coords : mapping of str to array
        `wave` (int), `municipality` (cvegeo), `state` (code).
    dwellings, percent : array, shape (wave, municipality)
        As published; nan where a municipality has no figures in a wave.
    receiving, effective : array, shape (wave, municipality)
        Effective counts of the likelihood; 0 where not measured.
    state_of : array of int, shape (municipality,)
        Position of each municipality's state.
    graph : Graph
        Neighbourhoods of the municipalities.
    """

    coords: Mapping[str, NDArray[Any]]
    dwellings: NDArray[np.float64]
    percent: NDArray[np.float64]
    receiving: NDArray[np.float64]
    effective: NDArray[np.float64]
    state_of: NDArray[np.int64]
    graph: icar.Graph
    design: SamplingDesign = field(default_factory=SamplingDesign)

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Whether each wave and municipality has figures, shape (wave, municipality)."""
        return np.asarray(self.effective > 0)


def prepare_data(panel: Panel, design: SamplingDesign | None = None) -> RelianceData:
    """Return the arrays the model needs from a panel.

    Parameters
    ----------
    panel : Panel
        With `municipality_wave`, `municipality` and `adjacency`.
    design : SamplingDesign, optional
        Assumed census sample.

    Raises
    ------
    PanelError
        If the panel has fewer than two waves or states, no adjacency, or a disconnected one.
    """
    problems = check_for_reliance(panel)
    if problems:
        raise PanelError("The panel can't be used for the reliance model.", problems)
    design = design or SamplingDesign()
    table = panel.table("municipality_wave")
    codes = np.array(sorted(table["cvegeo"].astype(str).unique()))
    waves = np.array(sorted(int(wave) for wave in table["wave"].unique()))

    def wide(column: str) -> NDArray[np.float64]:
        values = pd.to_numeric(table[column]).astype("Float64").to_numpy(float, na_value=np.nan)
        frame = pd.Series(
            values, index=pd.MultiIndex.from_arrays([table["wave"], table["cvegeo"].astype(str)])
        )
        return np.asarray(frame.unstack().reindex(index=waves, columns=codes), dtype=float)

    dwellings, percent = wide("dwellings"), wide("receiving_percent")
    measured = np.isfinite(dwellings) & np.isfinite(percent)
    effective, receiving = np.zeros_like(dwellings), np.zeros_like(dwellings)
    for row, wave in enumerate(waves):
        known = dwellings[row][measured[row]]
        if not len(known):
            continue
        sampled = sampled_dwellings(known, int(wave), design)
        effective[row, measured[row]] = effective_dwellings(known, sampled, design.design_effect)
    receiving[measured] = effective[measured] * percent[measured] / 100.0
    states = np.array(sorted({code[:2] for code in codes}))
    adjacency = panel.table("adjacency")
    position = {code: i for i, code in enumerate(codes)}
    edges = [
        (position[a], position[b])
        for a, b in zip(
            adjacency["cvegeo_a"].astype(str), adjacency["cvegeo_b"].astype(str), strict=True
        )
        if a in position and b in position
    ]
    return RelianceData(
        coords={"wave": waves, "municipality": codes, "state": states},
        dwellings=dwellings,
        percent=percent,
        receiving=receiving,
        effective=effective,
        state_of=np.searchsorted(states, [code[:2] for code in codes]).astype(np.int64),
        graph=icar.Graph(len(codes), np.array(edges, dtype=np.int64).reshape(-1, 2)),
        design=design,
    )


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
    eye_wave = sp.eye_array(waves)
    ones_wave = sp.csr_array(np.ones((waves, 1)))
    ones = sp.csr_array(np.ones((municipalities, 1)))
    eye = sp.eye_array(municipalities)
    member = sp.csr_array(
        (np.ones(municipalities), (np.arange(municipalities), data.state_of)),
        shape=(municipalities, states),
    )
    space = icar.icar(data.graph)

    def kron(left: Any, right: Any) -> sp.csr_array:
        return sp.csr_array(sp.kron(left, right))

    earlier = [f"wave_scale_{wave}" for wave in data.coords["wave"][:-1]]
    hyperparameters: dict[str, HyperPrior] = {
        "state_sd": priors.state_sd,
        "state_wave_sd": priors.state_wave_sd,
        "municipality_sd": priors.municipality_sd,
        "municipality_share": priors.municipality_share,
        "municipality_wave_sd": priors.municipality_wave_sd,
        "municipality_wave_share": priors.municipality_wave_share,
        **dict.fromkeys(earlier, priors.wave_scale),
    }

    def bym2(name: str, left: Any, copies: int) -> tuple[Component, Component]:
        return (
            Component(
                f"{name}_spatial",
                space.replicate(copies),
                kron(left, eye),
                SharedSd(f"{name}_sd", f"{name}_share", spatial=True),
            ),
            Component(
                f"{name}_unstructured",
                icar.independent(municipalities * copies),
                kron(left, eye),
                SharedSd(f"{name}_sd", f"{name}_share", spatial=False),
            ),
        )

    components = (
        Component(
            "wave_effect",
            icar.independent(waves),
            kron(eye_wave, ones),
            FixedSd(priors.intercept.sd),
        ),
        Component(
            "state_effect",
            icar.independent(states),
            kron(ones_wave, member),
            FreeSd("state_sd"),
        ),
        Component(
            "state_wave_effect",
            icar.independent(waves * states),
            kron(eye_wave, member),
            FreeSd("state_wave_sd"),
        ),
        *bym2("municipality", ones_wave, 1),
        *bym2("municipality_wave", eye_wave, waves),
    )
    return LatentGaussian(
        name=NAME,
        hyperparameters=hyperparameters,
        components=components,
        likelihood=EffectiveBinomial(data.receiving.ravel(), data.effective.ravel()),
        dims=("wave", "municipality"),
        coords=data.coords,
        offset=np.full(waves * municipalities, priors.intercept.mean),
        scale_name=(*earlier, None),
        scale_group=np.repeat(np.arange(waves), municipalities),
        reported={
            "wave_effect": (("wave_effect",), ("wave",)),
            "state_effect": (("state_effect",), ("state",)),
            "state_wave_effect": (("state_wave_effect",), ("wave", "state")),
            "municipality_effect": (
                ("municipality_spatial", "municipality_unstructured"),
                ("municipality",),
            ),
        },
    )


def build(panel: Panel, priors: Priors | None = None, design: SamplingDesign | None = None) -> Any:
    """Return the reliance model of a panel as a PyMC model.

    Parameters
    ----------
    panel : Panel
        With `municipality_wave` (cvegeo, wave, dwellings, receiving_percent), `municipality` and
        `adjacency`.
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
        If the panel has fewer than two waves or states, no adjacency, or a disconnected one.

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
        state_unit = pm.Normal("state_unit", dims="state")
        state_wave_unit = pm.Normal("state_wave_unit", dims=("wave", "state"))
        state_effect = pm.Deterministic(
            "state_effect", hyper["state_sd"] * state_unit, dims="state"
        )
        state_wave_effect = pm.Deterministic(
            "state_wave_effect", hyper["state_wave_sd"] * state_wave_unit, dims=("wave", "state")
        )
        municipality_effect = pm.Deterministic(
            "municipality_effect",
            _bym2("municipality", data.graph, hyper, ("municipality",), None),
            dims="municipality",
        )
        municipality_wave = _bym2(
            "municipality_wave", data.graph, hyper, ("wave", "municipality"), waves
        )
        contrast = pm.math.stack([hyper.get(n, 1.0) if n else 1.0 for n in blocks.scale_name])
        effects = (
            wave_effect[:, None]
            + state_effect[data.state_of][None, :]
            + state_wave_effect[:, data.state_of]
            + municipality_effect[None, :]
            + municipality_wave
        )
        eta = pm.Deterministic(
            "linear_predictor",
            priors.intercept.mean + contrast[:, None] * effects,
            dims=("wave", "municipality"),
        )
        _effective_binomial("receiving_dwellings", eta, data)
    model.latent_gaussian = replace(blocks, variable_names=frozenset(model.named_vars))
    model.data = data
    model.specification = {"priors": priors.describe(), "sampling_design": data.design.describe()}
    return model


def _bym2(
    name: str,
    graph: icar.Graph,
    hyper: Mapping[str, Any],
    dims: tuple[str, ...],
    copies: int | None,
) -> Any:
    """Add a BYM2 effect, non-centred, to the PyMC model in context."""
    import pymc as pm  # noqa: PLC0415

    sd, share = hyper[f"{name}_sd"], hyper[f"{name}_share"]
    spatial = icar.to_pymc(f"{name}_spatial_unit", graph, dims, copies)
    unstructured = pm.Normal(f"{name}_unstructured_unit", dims=dims)
    return sd * (pm.math.sqrt(share) * spatial + pm.math.sqrt(1.0 - share) * unstructured)


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
