r"""Dependence by municipality and quarter: what remittances per person are, and where they go.

For municipality i of state s, quarter t, the logarithm of real remittances per person
(`dependence_data`) is

    y_it = m_t + d_st + a_i + b_i year_t + w_it + c_i,q(t) + r_it + p_it + noise_it

    m_t   the nation's path: level, growth and season of its own, a random walk, and a walk of
          the growth
    d_st  a state's departure from it: level, growth, random walk, season, quarters that stand out;
          and how far the unidentified money that was spread over its municipalities may be off
    a_i, b_i   level and growth of the municipality          Normal(0, level_sd), (0, growth_sd)
    w_it  its own random walk, from the middle of the quarters in both directions, walk_sd a year
    c_iq  its departure from the nation's season                           Normal(0, season_sd)
    r_it  reporting: a step before each break of how payouts were ascribed to municipalities, so
          that what is called level and growth is on the newest way of reporting throughout
    p_it  error of the population, interpolated between the censuses of 2010 and 2020 and continued
    noise what a quarter alone has

Municipalities are divided into kinds by volatility, with noise, walk and season of their own. For
*faint* ones, in which hardly any payouts are registered, what was reported depended on how money
was ascribed: it built up from 2018 to 2022 and vanished in 2022Q3. They have a reporting path in
common (steps, a ramp, and a walk), and a step and a ramp each; none of it is taken for a trend.
Zeros are missing observations.

**Trend** means m without season + d without season and single quarters + a + b year + w: what is
left when season, reporting, the population's error and single quarters are taken away. Parameters
are standard deviations only; all else is integrated out exactly (`parts.grouped_paths`), and drawn
given them afterwards (`estimands.dependence`).

What it assumes: a change at a break that *all* steady municipalities have in common is the nation's
and not reporting (national totals, which do not depend on how money is ascribed, have no break
there); what a municipality loses to a neighbour's new payout point is a real change of payouts, not
of what its households receive; changes are normal within a kind, where in fact some are abrupt, so
that intervals of calm municipalities are somewhat too wide and those of restless ones too narrow.
Money is counted where it is paid out.
"""

from __future__ import annotations

from typing import Any

from remitstats.models.dependence_data import DependenceData, prepare_data
from remitstats.models.dependence_density import DependenceDensity
from remitstats.models.dependence_form import Priors
from remitstats.models.dependence_measures import Measures
from remitstats.panel.panel import Panel

__all__ = ["NAME", "Measures", "Priors", "build", "model_of"]

NAME = "dependence"
BREAKS = ("second reporting", "third reporting")


def build(
    panel: Panel,
    priors: Priors | None = None,
    measures: Measures | None = None,
    *,
    last_quarter: str | None = None,
) -> Any:
    """Return the dependence model of a panel as a PyMC model.

    Parameters
    ----------
    panel : Panel
        See `dependence_data.prepare_data`.
    priors : Priors, optional
        Defaults as `Priors` documents them.
    measures : Measures, optional
        Unit of money, breaks of reporting, uncertainty of population.
    last_quarter : str, optional
        Nothing after this quarter is looked at; for leave-future-out checks.

    Returns
    -------
    pymc.Model
        Its free variables are standard deviations, with dims `kind`, `steady_kind` and `break`
        where there are several. Its attributes `data` and `specification` are read by
        `remitstats.fit`.

    Raises
    ------
    PanelError
        If the panel lacks a table, quarters, or the population of a municipality.
    """
    return model_of(prepare_data(panel, measures, last_quarter=last_quarter), priors)


def model_of(data: DependenceData, priors: Priors | None = None) -> Any:
    """Return the dependence model of prepared data (see `build`)."""
    import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; only models need it
    import pytensor.tensor as pt  # noqa: PLC0415

    from remitstats.parts.density_operation import DensityOperation  # noqa: PLC0415

    priors = priors or Priors()
    density = DependenceDensity(data, priors)
    layout = density.form.layout

    def likelihood(sds: Any) -> Any:
        value, by_log = density.likelihood(sds)
        return value, by_log / sds

    steady = data.coords["kind"][~data.faint]
    coords = {"kind": data.coords["kind"], "steady_kind": steady, "break": list(BREAKS)}
    with pm.Model(coords=coords) as model:
        parts = []
        for name, (place, dim) in layout.items():
            rate = float(density.form.rate[place][0])
            free = pm.Exponential(name, lam=rate, dims=dim)
            parts.append(free if dim else free[None])
        outputs = DensityOperation(likelihood)(pt.concatenate(parts))
        pm.Potential("log_per_person", outputs[0])
    model.data = data
    model.lengths = {"draws": 450, "tune": 200}
    model.coords_of_posterior = {**data.coords, **coords}
    model.dims_of_posterior = {name: (dim,) if dim else () for name, (_, dim) in layout.items()}
    model.collapsed = density
    model.specification = {
        "model": NAME,
        "priors": priors.describe(),
        "measures": data.measures.describe(),
        "last_quarter": str(data.coords["quarter"][-1]),
    }
    return model
