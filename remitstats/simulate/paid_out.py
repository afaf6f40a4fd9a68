"""Made-up pay-outs on a real geography, with known flows between municipalities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from remitstats.errors import unknown
from remitstats.estimands.paid_out_flows import expected
from remitstats.models.paid_out import noise_scale, own_scale
from remitstats.models.paid_out_data import CENSUS, WINDOW, PaidData, prepare_data
from remitstats.panel.panel import Panel
from remitstats.parts.sampling_error import draw_published

Array = NDArray[np.float64]

TRUE_PAID = {  # about what the shipped panel says
    "rate": 9.8,
    "rate_sd": 0.3,
    "block_sd": 0.4,
    "size": 1.6,
    "curve": -0.15,
    "town": 1.8,
    "home": 1.9,
    "reach": 2.75,
    "own_sd": 1.4,
    "own_slope": 0.1,
    "noise": 0.6,
    "noise_slope": 0.25,
    "share_sd": 0.9,
}


@dataclass(frozen=True)
class PaidSimulation:
    """A panel with simulated receiving shares and pay-outs, and the truth behind them.

    Parameters
    ----------
    panel : Panel
        The given one with other `receiving_percent` of 2020 and dollars in the window's quarters.
    hyperparameters : mapping of str to float
        The truth.
    parameters : mapping of str to array
        Every parameter of the model, those of states, blocks and municipalities too.
    municipality : DataFrame
        Index `cvegeo`; true `share` of receiving dwellings, `rate` (dollars a year per receiving
        dwelling, noise left out), `inflow` and `outside` (see `PaidOutResults`), `own_pull`.
    seed : int
        What it was drawn with.
    """

    panel: Panel
    hyperparameters: Mapping[str, float]
    parameters: Mapping[str, Array]
    municipality: pd.DataFrame
    seed: int


def simulate_paid_out(
    panel: Panel, *, seed: int, hyperparameters: Mapping[str, float] | None = None
) -> PaidSimulation:
    """Simulate receiving dwellings and pay-outs of a panel's municipalities (form "gravity").

    Parameters
    ----------
    panel : Panel
        Gives geography, dwellings, persons, towns, exchange rates and prices. States' shares of
        receiving dwellings are about those of the panel.
    seed : int
        Everything random follows from it.
    hyperparameters : mapping of str to float, optional
        True values; those of `TRUE_PAID` where not given.

    Raises
    ------
    PanelError
        If the panel can't be used for the model.
    RemitstatsError
        If a hyperparameter is unknown.
    """
    given = dict(hyperparameters or {})
    for name in given:
        if name not in TRUE_PAID:
            raise unknown("hyperparameter", name, TRUE_PAID)
    truth = TRUE_PAID | given
    data = prepare_data(panel)
    rng = np.random.default_rng(seed)
    values: dict[str, Array] = {name: np.array([value]) for name, value in truth.items()}
    states, blocks, n = len(data.coords["state"]), len(data.coords["block"]), data.size
    pooled = np.bincount(data.state_of, data.receiving) / np.bincount(data.state_of, data.effective)
    state_share = special.logit(np.clip(pooled, 1e-3, 0.5))[data.state_of]
    values["share_logit"] = (state_share + truth["share_sd"] * rng.standard_normal(n))[None]
    values["state_rate"] = (truth["rate"] + truth["rate_sd"] * rng.standard_normal(states))[None]
    values["block_unit"] = rng.standard_normal((1, blocks))
    values["own_pull"] = own_scale(values, data) * rng.standard_normal((1, n))
    made = expected(values, data)
    dollars, published = draw_paid(values, data, rng)
    municipality = pd.DataFrame(
        {
            "share": special.expit(values["share_logit"][0]),
            "rate": made["amount"][0] / made["receiving"][0],
            "inflow": made["paid"][0] / made["amount"][0],
            "outside": 100.0 * (1.0 - made["share"][0, :n]),
            "own_pull": values["own_pull"][0],
        },
        index=pd.Index(data.coords["municipality"], name="cvegeo"),
    )
    changed = _with_money(panel, municipality.index, data.dollars, dollars, published)
    title = str(panel.metadata.get("title", "panel")).removeprefix("Simulated: ")
    metadata = {
        **panel.metadata,
        "title": f"Simulated: {title}",
        "simulated": {"model": "paid_out", "seed": seed},
    }
    plain = {name: value[0] for name, value in values.items()}
    return PaidSimulation(Panel(changed.tables, metadata), truth, plain, municipality, seed)


def draw_paid(
    values: Mapping[str, Array], data: PaidData, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draw dollars paid and percentages published, shape (municipality,) each.

    Parameters
    ----------
    values : mapping of str to array
        A single draw of all parameters of form "gravity", noise among them (first axis 1).
    data : PaidData
        Gives geography, persons and the sample; its dollars and percentages are not looked at.
    rng : numpy.random.Generator
        Stream of the draws.
    """
    paid, scale = expected(values, data)["paid"][0], noise_scale(values, data)[0]
    dollars = np.exp(np.log(paid) + scale * rng.standard_normal(data.size))
    return dollars, 100.0 * draw_published(rng, values["share_logit"][0], data.effective)


def _with_money(
    panel: Panel, codes: pd.Index, before: Array, dollars: Array, published: Array
) -> Panel:
    """Return the panel with a year's dollars spread over the window as real ones are."""
    wave = panel.table("municipality_wave")
    here = (wave["wave"].astype(int) == CENSUS).to_numpy()
    percent = pd.Series(published, codes)
    wave.loc[here, "receiving_percent"] = percent.reindex(wave.loc[here, "cvegeo"]).to_numpy()
    quarter = panel.table("municipality_quarter")
    inside = quarter["quarter"].astype(str).isin(WINDOW).to_numpy()
    # where nothing was paid, a year's dollars are spread evenly
    shape = quarter["remittances_usd_million"].astype(float).to_numpy(copy=True)
    code = quarter["cvegeo"].astype(str)
    nothing = code.map(pd.Series(before <= 0, codes)).fillna(False).to_numpy(bool)
    scale = pd.Series(np.where(before > 0, dollars / np.where(before > 0, before, 1.0), 0.0), codes)
    new = shape * code.map(scale).fillna(1.0).to_numpy(float)
    even = code.map(pd.Series(dollars, codes)).to_numpy(float) / 4e6
    quarter["remittances_usd_million"] = np.where(inside, np.where(nothing, even, new), shape)
    return panel.with_table("municipality_wave", wave).with_table("municipality_quarter", quarter)
