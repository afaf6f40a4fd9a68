r"""The circle: how migration, reliance, stability, underdevelopment and growth move each other.

For municipality i of state s with the standardised state vector y (`circle_data`), wave t:

    y_it  = m_st + a_i + z_it + noise_it
    z_i1  = e_i1
    z_it  = B_s,t z_i,t-1 + e_it

    m_st  what a state has in common in a wave       Normal(0, root_sd)
    a_i   what lasts about a municipality            Normal(0, intercept)
    e_it  what is new in a wave                      Normal(0, innovation_t)
    B_st  links = link + by interval + by region + by state, each pooled towards zero
    (1990) stability and underdevelopment: w a_i + V z_i1 + e_i, w near 1, V and e free
    noise sampling error of migration and reliance (same questionnaire: correlated), and for the
          other three a variance that falls with the size of the municipality

A share of every intercept and innovation is common to a block of neighbours. B[to, from] is the
effect of one standard deviation of `from` on `to` ten years later, around the municipality's own
level: lasting differences between municipalities are no evidence for a link. Everything but the
links and covariances is integrated out (`parts.dynamic_panel`).

The order within a wave can be read from the same fit: the covariance of the innovations factored
in the order migration, reliance, stability, underdevelopment, growth gives the effects within a
decade that this order would imply. Lagged effects alone and lagged with ordered contemporaneous
effects are one likelihood, and no data can choose between them.

What it assumes: no cause that varies within a municipality over time moves two variables a wave
apart; lasting differences weigh the same in every wave, in standard deviations of that wave;
links are linear. Associations under these assumptions, not proven effects.

Three waves hardly tell a slow variable from a lasting one. Without the measurements of 1990 the
posterior falls into two parts that differ in how lasting underdevelopment is, with links of other
signs; with them it has one. The default form has links that are the same in every state although
states differ (form `by_state`): what its intervals are then worth is found on simulated countries
whose states differ (`validation.circle`).

References
----------
Hamaker, Kuiper and Grasman (2015), Psychological Methods 20: 102-116.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remitstats.models.circle_data import CircleData, prepare_data
from remitstats.models.circle_density import CircleDensity
from remitstats.models.circle_form import (
    Form,
    Priors,
    earlier_shapes,
    interval_contrasts,
    noise_of,
)
from remitstats.models.circle_measures import VARIABLES, Measures
from remitstats.models.circle_prior import link_prior
from remitstats.panel.panel import Panel
from remitstats.parts import correlation
from remitstats.parts.sampling_error import SamplingDesign

NAME = "circle"
ACCEPTANCE = 0.75  # of moves: nothing has a heavy tail here, and a further step costs a quarter
Array = NDArray[np.float64]
LINK = ("to", "from")
SCALARS = (
    "link_interval_sd",
    "link_region_sd",
    "link_state_sd",
    "intercept_share",
    "innovation_share",
    "sampling_ratio_migration",
    "sampling_ratio_reliance",
    "size_noise_sd_stability",
    "size_noise_sd_underdevelopment",
    "size_noise_sd_growth",
    "sampling_correlation",
)
EARLIER_DIMS = {
    "earlier_scale": ("earlier",),
    "earlier_link": ("earlier", "from"),
    "earlier_innovation": ("earlier", "earlier_2"),
}


def build(
    panel: Panel,
    priors: Priors | None = None,
    design: SamplingDesign | None = None,
    measures: Measures | None = None,
    form: Form | None = None,
) -> Any:
    """Return the circle model of a panel as a PyMC model.

    Parameters
    ----------
    panel : Panel
        See `circle_data.prepare_data`.
    priors : Priors, optional
        Defaults as `Priors` documents them.
    design : SamplingDesign, optional
        Assumed census sample.
    measures : Measures, optional
        How the state vector is measured.
    form : Form, optional
        Which links there are and where they may differ.

    Returns
    -------
    pymc.Model
        Dims `state`, `interval`, `wave`, `to`, `from` (variables). `links` (state, interval, to,
        from) are the links of every state; `intercept` and `innovation` the covariances. Its
        attributes `data` and `specification` are read by `remitstats.fit`.

    Raises
    ------
    PanelError
        If the panel lacks a table or a variable, or has a single wave.
    """
    return model_of(prepare_data(panel, measures, design), priors, form)


def model_of(data: CircleData, priors: Priors | None = None, form: Form | None = None) -> Any:
    """Return the circle model of prepared data (see `build`)."""
    import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; only models need it
    import pytensor.tensor as pt  # noqa: PLC0415

    from remitstats.parts.panel_operation import PanelDensity  # noqa: PLC0415

    priors, form = priors or Priors(), form or Form()
    _, waves, count = data.shape
    intervals = waves - 1
    coords = {
        **{k: data.coords[k] for k in ("state", "region", "wave", "interval")},
        "variable": data.coords["variable"],
        "variable_2": data.coords["variable"],
        "to": data.coords["variable"],
        "from": data.coords["variable"],
    }
    with pm.Model(coords=coords) as model:
        links = pm.Deterministic(
            "links", _links(data, priors, form), dims=("state", "interval", *LINK)
        )
        intercept = pm.Deterministic(
            "intercept",
            correlation.to_pymc("intercept", priors.intercept_sd.rate, priors.correlation, count)
            if form.own_level
            else 1e-8 * pt.eye(count),
            dims=("variable", "variable_2"),
        )
        rate = priors.innovation_sd.rate
        start = correlation.to_pymc("initial", rate, priors.correlation, count)
        new = correlation.to_pymc("innovation", rate, priors.correlation, count)
        parts = [start, new]
        if intervals > 1:
            ratio = pm.LogNormal(
                "innovation_ratio",
                0.0,
                priors.innovation_ratio.log_sd,
                shape=(intervals - 1, count),
            )
            parts += [ratio[t][:, None] * new * ratio[t][None, :] for t in range(intervals - 1)]
        innovation = pm.Deterministic(
            "innovation", pt.stack(parts), dims=("wave", "variable", "variable_2")
        )
        excess = [priors.sampling_ratio.to_pymc(f"sampling_ratio_{v}") for v in VARIABLES[:2]]
        own = [priors.size_noise_sd.to_pymc(f"size_noise_sd_{v}") for v in VARIABLES[2:]]
        noise_scale = pt.stack([*excess, *(sd**2 + 1e-8 for sd in own)])
        raw = priors.sampling_correlation.to_pymc("sampling_correlation_raw")
        together = pm.Deterministic("sampling_correlation", pt.tanh(raw))
        earlier = _earlier(data, priors)
        names = ("filled", "known", "order", "start", "group_of_block", "pairs", "root_variance")
        arrays = dict(zip(names, data.nested.arrays, strict=True))
        fixed = [pm.Data("measurement", arrays["filled"])]
        fixed += [pt.as_tensor_variable(np.asarray(arrays[name])) for name in names[1:]]
        outputs = PanelDensity()(
            *fixed,
            *(pt.as_tensor_variable(x) for x in noise_of(data).arrays),
            links,
            intercept,
            innovation,
            priors.intercept_share.to_pymc("intercept_share"),
            priors.innovation_share.to_pymc("innovation_share"),
            noise_scale,
            together,
            *earlier,
        )
        pm.Potential("measurements", outputs[0])
    model.data = data
    if form.by_region or form.by_state:  # more directions to learn the scales of
        model.lengths = {"draws": 1800, "tune": 500}
    else:
        model.lengths = {"draws": 700, "tune": 250}
        model.acceptance = ACCEPTANCE
    model.coords_of_posterior = {
        **data.coords,
        "to": data.coords["variable"],
        "from": data.coords["variable"],
        "variable_2": data.coords["variable"],
        "earlier_2": data.coords["earlier"],
    }
    model.dims_of_posterior = {
        "links": ("state", "interval", *LINK),
        "intercept": ("variable", "variable_2"),
        "innovation": ("wave", "variable", "variable_2"),
        **dict.fromkeys(SCALARS, ()),
        **(EARLIER_DIMS if earlier_shapes(data) else {}),
    }
    model.collapsed = CircleDensity(data, priors, form)
    model.specification = {
        "model": NAME,
        "priors": priors.describe(),
        "sampling_design": data.design.describe(),
        "measures": data.measures.describe(),
        "form": form.describe(),
        "root_sd": data.nested.root_sd,
    }
    return model


def _earlier(data: CircleData, priors: Priors) -> tuple[Any, Any, Any]:
    """Add the parameters of earlier measurements to the PyMC model in context; return them."""
    import pymc as pm  # noqa: PLC0415

    shapes = earlier_shapes(data)
    if not shapes:
        return np.zeros(0), np.zeros((0, len(VARIABLES))), np.zeros((0, 0))
    size = shapes["earlier_scale"][0]
    scale = pm.LogNormal("earlier_scale", 0.0, priors.earlier_scale.log_sd, shape=size)
    before = priors.earlier_link
    link = pm.Normal("earlier_link", before.mean, before.sd, shape=shapes["earlier_link"])
    rate = priors.innovation_sd.rate
    rest = correlation.to_pymc("earlier", rate, priors.correlation, size)
    return scale, link, pm.Deterministic("earlier_innovation", rest)


def _links(data: CircleData, priors: Priors, form: Form) -> Any:
    """Add the links to the PyMC model in context; return them, (state, interval, to, from)."""
    import pymc as pm  # noqa: PLC0415
    import pytensor.tensor as pt  # noqa: PLC0415

    _, waves, count = data.shape
    mean, sd = link_prior(priors, count)
    link = pm.Normal("link", mean, sd, dims=LINK)
    links = pt.zeros((len(data.coords["state"]), waves - 1, count, count)) + link

    if form.by_interval and waves > 2:
        scale = priors.interval_sd.to_pymc("link_interval_sd")
        moved = pm.Normal("link_interval", 0.0, scale, shape=(waves - 2, count, count))
        contrasts = interval_contrasts(waves - 1)
        links = links + pt.tensordot(contrasts, moved, axes=[[1], [0]])[None]
    of = data.region_of_state
    within: Any = np.eye(len(of))
    by_region = form.by_region and len(data.coords["region"]) > 1
    by_state = form.by_state and len(data.coords["state"]) > 1
    region_sd: Any = priors.region_sd.to_pymc("link_region_sd") if by_region else 0.0
    state_sd: Any = priors.state_sd.to_pymc("link_state_sd") if by_state else 0.0
    if by_region:
        dims = ("region", *LINK)
        region_scale = region_sd
        if by_state:  # means of the states of a region, and states around them
            members = np.bincount(of, minlength=len(data.coords["region"]))
            within = within - (of[:, None] == of[None, :]) / members[of][:, None]
            region_scale = pt.sqrt(region_sd**2 + state_sd**2 / members)[:, None, None]
        links = links + pm.Normal("link_region", 0.0, region_scale, dims=dims)[of][:, None]
    if by_state:
        unit = pm.Normal("link_state_unit", dims=("state", *LINK))
        links = links + (state_sd * pt.tensordot(within, unit, axes=[[1], [0]]))[:, None]
    return links * form.mask()


def claimed_links() -> tuple[tuple[str, str], ...]:
    """Return the links of the paper's chain as (to, from), in its order.

    Migration → remittances → "socioeconomic stability" → underdevelopment → more migration. The
    step from underdevelopment to migration runs through the asymmetry with the United States,
    whose income all municipalities of a wave face alike: within a wave it is the same step.
    """
    chain = ("migration", "reliance", "stability", "underdevelopment", "migration")
    return tuple((b, a) for a, b in itertools.pairwise(chain))
