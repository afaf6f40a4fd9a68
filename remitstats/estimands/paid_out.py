"""Paid out against lived: dollars per receiving dwelling with and without the pull of places."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from remitstats.errors import RemitstatsError
from remitstats.estimands.paid_out_claims import claim_table
from remitstats.estimands.paid_out_flows import Flows, flows_of, parameters
from remitstats.estimands.paid_out_predictive import predictive_table
from remitstats.estimands.paid_out_results import COLUMNS, QUANTITIES, PaidOutResults, empty
from remitstats.estimands.summary import estimate, parameter_table, run_summary
from remitstats.fitting.convergence import convergence_of
from remitstats.fitting.gate import judge
from remitstats.models.paid_out_data import PaidData, prepare_data
from remitstats.panel.panel import Panel
from remitstats.parts.sampling_error import SamplingDesign

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]

HUB = 1.5  # inflow above which a municipality counts as a hub, and below 1 / 1.5 as drained
SURE = 0.9
DESCRIPTIONS = {
    "rate": "dollars a year per receiving dwelling, typical state (log)",
    "rate_sd": "standard deviation between states (log)",
    "size": "growth of a place's pull with persons (log over log)",
    "curve": "bend of that growth",
    "town": "pull of a municipality of towns over one of villages (log)",
    "home": "what paying at home has over a neighbour at no distance (log)",
    "reach": "kilometres over which a neighbour's pull falls to 37% (log)",
    "own_sd": "standard deviation of other pull at 20,000 persons (log)",
    "own_slope": "how it falls with persons",
    "block_sd": "standard deviation of blocks of neighbours around their state (log)",
    "noise": "standard deviation of what is left at 20,000 persons (log dollars)",
    "noise_slope": "how it falls with persons",
    "share_sd": "standard deviation of municipalities' shares around their state (logit)",
}
PART_TEXTS = {
    "sampling": "sampling error of the census",
    "places": "where money is paid: pull of places, spill-over from and to neighbours",
    "rates": "dollars per receiving dwelling that differ between states and blocks of neighbours",
    "rest": "the rest: households that get more or less than their block's, and all other error",
}
PAIR_TEXTS = {
    "raw": "dollars paid in 2020, as published, per dwelling; published share receiving",
    "sampled": "dollars paid in the window per dwelling; share receiving without sampling error",
    "lived": "dollars of households living there per dwelling; share without sampling error",
}


def summarise_paid_out(
    fit: xr.DataTree,
    panel: Panel,
    *,
    command: str = "remitstats.summarise_paid_out(fit, panel)",
    progress: Progress | None = None,
    form: pd.DataFrame | None = None,
) -> PaidOutResults:
    """Turn a fit of the model of pay-outs into tables, judged by the gate.

    Parameters
    ----------
    fit : DataTree
        What `remitstats.fit` returned for the model, form "gravity" or "size".
    panel : Panel
        The panel it was fitted to.
    command : str
        What to run to get this again; goes into the summary.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.
    form : DataFrame, optional
        Scores of the forms, as `compare_paid_out_forms` returns them.

    Raises
    ------
    RemitstatsError
        If the form has no flows between municipalities.
    """
    tell = progress or (lambda _description, _fraction: None)
    start = time.perf_counter()
    settings = json.loads(fit["provenance"].attrs["settings"])
    specification = json.loads(fit["provenance"].attrs["specification"])
    if specification["form"] not in ("gravity", "size"):
        raise RemitstatsError(
            f"The form '{specification['form']}' has no flows between municipalities to report: "
            "fit the form 'gravity' or 'size'."
        )
    design, within = _design(specification["sampling_design"]), specification["within"]
    data = prepare_data(panel, design, within=within)
    values = parameters(fit)
    tell("flows between municipalities", 0.0)
    flows = flows_of(values, data)
    chains = settings["chains"]
    judged: dict[str, xr.DataArray] = {}

    def add(name: str, draws: Array, **coords: Any) -> None:
        shaped = draws.reshape(chains, -1, *draws.shape[1:])
        judged[name] = xr.DataArray(shaped, dims=("chain", "draw", *coords), coords=coords)

    codes = data.coords["municipality"]
    for quantity in QUANTITIES:
        draws = getattr(flows, quantity)
        moves = np.ptp(draws, axis=0) > 0  # a place without neighbours is certain to pay its own
        add(quantity, draws[:, moves], municipality=codes[moves])
    tell("estimates", 0.3)
    place = _places(panel, codes)
    municipality = _municipalities(flows, data, place)
    group = _groups(flows, values, data, place, add)
    for name, draws in flows.parts.items():
        add(f"part {name}", draws)
    for name, draws in flows.correlations.items():
        add(f"correlation {name}", draws)
    claim = claim_table(flows, data, panel, add)
    tell("posterior predictive check", 0.4)
    rng = np.random.default_rng(settings["seed"])
    predictive = predictive_table(values, data, rng)
    tell("convergence of every reported quantity", 0.5)
    posterior = {str(k): v for k, v in fit["posterior"].data_vars.items()}
    table = convergence_of(
        posterior | judged,
        lambda share: tell("convergence of every reported quantity", 0.5 + 0.5 * share),
    )
    summary = run_summary(
        fit,
        judge(fit, table),
        {
            "units": data.size,
            "states": len(data.coords["state"]),
            "hub_inflow": HUB,
            "noise": specification["noise"],
            "within_kilometres": within,
            "unidentified_percent": data.unidentified_percent,
        },
        command=command,
        seconds=time.perf_counter() - start,
    )
    tell("done", 1.0)
    return PaidOutResults(
        municipality=municipality,
        group=group,
        hub=_hubs(municipality),
        disagreement=pd.DataFrame(
            [
                {"part": name, "description": PART_TEXTS[name], **_one(draws)}
                for name, draws in flows.parts.items()
            ]
        ),
        correlation=_correlations(flows, data),
        predictive=predictive,
        claim=claim,
        parameter=parameter_table(fit, table, DESCRIPTIONS),
        summary=summary,
        form=empty("form") if form is None else form,
    )


def raw_correlation(data: PaidData) -> float:
    """Return Spearman's correlation of the raw series, 0.47 on the whole country.

    Dollars of 2020 as published, per dwelling, against the published per cent of dwellings that
    receive.
    """
    return float(stats.spearmanr(data.raw_dollars / data.dwellings, data.percent).statistic)


def _design(described: dict[str, Any]) -> SamplingDesign:
    fraction = {int(wave): value for wave, value in described["fraction"].items()}
    return SamplingDesign(**{**described, "fraction": fraction})


def _one(draws: Array) -> dict[str, float]:
    return {name: float(value) for name, value in estimate(draws).items()}


def _places(panel: Panel, codes: NDArray[np.str_]) -> pd.DataFrame:
    """Return names and states of the municipalities, in their order."""
    table = panel.table("municipality").set_index("cvegeo").reindex(codes)
    states = pd.Series([code[:2] for code in codes], index=codes)
    named = states
    if "state" in panel:
        names = panel.table("state").set_index("state")["name"].astype(str)
        named = states.map(names).fillna(states)
    name = table["name"].astype("string").fillna(pd.Series(codes, index=codes)).astype(str)
    return pd.DataFrame({"cvegeo": codes, "name": name, "state": states, "state_name": named})


def _municipalities(flows: Flows, data: PaidData, place: pd.DataFrame) -> pd.DataFrame:
    found = place.reset_index(drop=True).assign(
        population=data.population, dollars=data.dollars, receiving_percent=data.percent
    )
    columns = {}
    for quantity in QUANTITIES:
        low, middle, high = np.quantile(getattr(flows, quantity), (0.05, 0.5, 0.95), axis=0)
        columns[f"{quantity}_median"] = middle
        columns[f"{quantity}_eti90_lower"], columns[f"{quantity}_eti90_upper"] = low, high
    columns["p_hub"] = (flows.inflow > HUB).mean(axis=0)
    columns["p_drained"] = (flows.inflow < 1.0 / HUB).mean(axis=0)
    return found.assign(**columns)


def _hubs(municipality: pd.DataFrame) -> pd.DataFrame:
    """Return the sure hubs, those with most money of households elsewhere first."""
    sure = municipality[municipality["p_hub"] >= SURE]
    order = (sure["dollars"] * sure["from_outside_median"]).sort_values(ascending=False).index
    return sure.loc[order, list(COLUMNS["hub"])].reset_index(drop=True)


def _groups(
    flows: Flows, values: dict[str, Array], data: PaidData, place: pd.DataFrame, add: Any
) -> pd.DataFrame:
    """Return nation and states; dollars of all households add up to dollars paid."""
    rows = []
    names = dict(zip(place["state"], place["state_name"], strict=True))
    groups = [("nation", "00", "All municipalities", np.ones(data.size, dtype=bool))]
    groups += [
        ("state", str(code), names[str(code)], data.state_of == number)
        for number, code in enumerate(data.coords["state"])
    ]
    for level, code, name, member in groups:
        receiving = flows.receiving[:, member].sum(axis=1, dtype=float)
        lived = flows.lived[:, member].astype(float)
        found = {
            "raw": data.dollars[member].sum() / receiving,
            "corrected": lived.sum(axis=1) / receiving,
            "outside": (lived * flows.outside[:, member]).sum(axis=1) / lived.sum(axis=1),
        }
        if level == "nation":
            found["outside"] = flows.outside_nation
        else:
            found["rate"] = np.exp(values["state_rate"][:, list(data.coords["state"]).index(code)])
        for quantity, draws in found.items():
            add(f"{quantity} of {level} {code}", draws)
            rows.append(
                {"level": level, "code": code, "name": name, "quantity": quantity, **_one(draws)}
            )
    return pd.DataFrame(rows)


def _correlations(flows: Flows, data: PaidData) -> pd.DataFrame:
    known = raw_correlation(data)
    rows: list[dict[str, Any]] = [
        {
            "pair": "raw",
            "description": PAIR_TEXTS["raw"],
            "known": True,
            **dict.fromkeys(("mean", "median", "eti90_lower", "eti90_upper"), known),
            "sd": 0.0,
        }
    ]
    rows += [
        {"pair": name, "description": PAIR_TEXTS[name], "known": False, **_one(draws)}
        for name, draws in flows.correlations.items()
    ]
    return pd.DataFrame(rows)
