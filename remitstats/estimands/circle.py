"""The circle: what the posterior says of the links, the loop they close, and its regime.

Two readings of one fit, which no data can choose between: the lagged links alone, and the total
effects if variables also act within a decade in the order migration, reliance, stability,
underdevelopment, growth. A place's links are those of its states, weighted by their
municipalities; regions and states are reported where the form lets links differ between them.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from remitstats.estimands.circle_confounding import robustness
from remitstats.estimands.circle_contribution import contribution_table, judged_paths, paths
from remitstats.estimands.circle_loop import (
    CHAIN,
    DELTA,
    HORIZON,
    REGIMES,
    WAVE_YEARS,
    deepening,
    feedback,
    loop_quantities,
    opened,
    ordered_effects,
    regimes,
    responses,
)
from remitstats.estimands.circle_natural import NAMES, STEPS, NaturalScale
from remitstats.estimands.circle_results import CircleResults, empty
from remitstats.estimands.summary import ESTIMATE, estimate, parameter_table, run_summary
from remitstats.fitting.convergence import convergence_of
from remitstats.fitting.gate import judge
from remitstats.fitting.run_tree import seed_of
from remitstats.models.circle_data import CircleData
from remitstats.models.circle_measures import VARIABLES
from remitstats.panel.panel import Panel

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]

LAGGED, ORDERED = "lagged", "ordered total"
ALL = "all"
NEGLIGIBLE = 0.02  # sd: a link no larger than this counts as none
_UNSAID = ("name", "claimed")  # columns that a quantity's label does without
NO_RULE = {
    "verdict": "none",
    "reason": "the rule has not been calibrated on simulated panels",
}
DESCRIPTIONS = {
    "link_interval_sd": "standard deviation of links between intervals",
    "link_region_sd": "standard deviation of links between regions",
    "link_state_sd": "standard deviation of links between states of a region",
    "intercept_share": "share of lasting differences that neighbours have in common",
    "innovation_share": "share of what is new in a wave that neighbours have in common",
    "sampling_ratio_migration": "true over assumed sampling variance of migration",
    "sampling_ratio_reliance": "true over assumed sampling variance of reliance",
    **{
        f"size_noise_sd_{v}": f"noise of {v} in a municipality of median size (sd)"
        for v in VARIABLES[2:]
    },
    "sampling_correlation": "correlation of the sampling errors of migration and reliance",
}


@dataclass(frozen=True)
class Place:
    """A place with its effects.

    Parameters
    ----------
    level, code, name : str
        Which.
    readings : mapping of str to array, shape (chain, draw, interval, to, from)
        Effects by reading.
    within : array of that shape, optional
        The part of the ordered effects that acts within a wave.
    """

    level: str
    code: str
    name: str
    readings: Mapping[str, Array]
    within: Array | None = None

    @property
    def key(self) -> dict[str, str]:
        """The columns that name it."""
        return {"level": self.level, "code": self.code, "name": self.name}


@dataclass
class _Rows:
    """Rows of a table with the draws behind each, all of shape (chain, draw)."""

    name: str
    keys: list[dict[str, Any]] = field(default_factory=list)
    draws: list[Array] = field(default_factory=list)

    def add(self, key: dict[str, Any], draws: Array) -> None:
        self.keys.append(key)
        self.draws.append(draws)

    def labels(self) -> list[str]:
        return [
            ", ".join(str(value) for column, value in key.items() if column not in _UNSAID)
            for key in self.keys
        ]

    def judged(self) -> dict[str, xr.DataArray]:
        """Return the draws for the gate.

        Left out are those that are undefined in some draw (a long-run gain; their share is
        reported), and those that never vary, such as the product of a chain of which the form
        leaves out a link: whether chains are stuck is seen in the links behind them.
        """
        kept = {
            label: draws
            for label, draws in zip(self.labels(), self.draws, strict=True)
            if np.isfinite(draws).all() and np.ptp(draws) > 0
        }
        if not kept:
            return {}
        stacked = np.stack(list(kept.values()), axis=-1)
        coords = {"row": list(kept)}
        return {self.name: xr.DataArray(stacked, dims=("chain", "draw", "row"), coords=coords)}

    def table(self, *more: Callable[[Array], dict[str, Any]]) -> pd.DataFrame:
        """Return keys, estimates over the draws where there is one, and what else is asked."""
        if not self.keys:
            return empty(self.name)
        rows = []
        for key, draws in zip(self.keys, self.draws, strict=True):
            flat = draws.ravel()
            flat = flat[np.isfinite(flat)]
            found = estimate(flat) if len(flat) else dict.fromkeys(ESTIMATE, np.nan)
            row = {**key, **{k: float(v) for k, v in found.items()}}
            for extra in more:
                row |= extra(flat)
            rows.append(row)
        return pd.DataFrame(rows)


def summarise_circle(
    fit: xr.DataTree,
    panel: Panel,
    *,
    data: CircleData | None = None,
    command: str = "remitstats.summarise_circle(fit, panel)",
    progress: Progress | None = None,
) -> CircleResults:
    """Turn a fit of the circle model into tables, judged by the gate.

    Parameters
    ----------
    fit : DataTree
        What `remitstats.fit` returned for the circle model.
    panel : Panel
        The panel it was fitted to: gives names, populations and shares as they were counted.
    data : CircleData, optional
        The measurements the model was fitted to (`model.data`). With three waves of them the paths
        of municipalities without the loop are computed too.
    command : str
        What to run to get this again; goes into the summary.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.

    Returns
    -------
    CircleResults
        No verdict yet: what the probabilities of the regimes are worth is found on simulated
        panels first. R-hat and ESS are those of all parameters and of every effect, quantity of
        the loop and response reported.
    """
    tell = progress or (lambda _description, _fraction: None)
    start = time.perf_counter()
    form = json.loads(fit["provenance"].attrs["specification"]).get("form", {})
    intervals = [str(name) for name in fit["posterior"]["interval"].to_numpy()]
    places = places_of(fit, panel, form)
    tell("links and loop", 0.1)
    link, loop, impulse, natural = (_Rows(n) for n in ("link", "loop", "impulse", "natural"))
    shares: list[dict[str, Any]] = []
    regime: list[dict[str, Any]] = []
    scale = NaturalScale.of(fit)
    for place in places:
        for reading, effects in place.readings.items():
            key = {**place.key, "reading": reading}
            mean = effects.mean(axis=2)
            inside = None
            if reading == ORDERED and place.within is not None:
                inside = place.within.mean(axis=2)
            for row, draws in _link_rows(place, reading, effects, intervals):
                link.add(row, draws)
            for name, value in loop_quantities(mean, inside).items():
                loop.add({**key, "quantity": name}, value)
            undefined = float(np.isnan(loop.draws[-1]).mean())
            shares.append({**key, "quantity": "undefined_share", **_known(undefined)})
            regime.append({**key, **_regime(mean, inside)})
        for row, draws in _responses(place.readings[LAGGED].mean(axis=2)):
            impulse.add({**place.key, **row}, draws)
            if place.level == "nation":
                for step, value in scale.responses(row["variable"], draws):
                    natural.add({"change": step, **row, "variable": NAMES[row["variable"]]}, value)
    confounding, beside = _confounding(fit, places[0])
    moved = _Rows("moved")
    contribution = empty("contribution")
    derived: dict[str, xr.DataArray] = {}
    if data is not None and data.shape[1] > 2:
        tell("paths without the loop", 0.1)
        contribution, derived = _contribution(
            fit, panel, data, moved, lambda name, share: tell(name, 0.1 + 0.3 * share)
        )
    tell("convergence of every reported quantity", 0.4)
    for rows in (link, loop, impulse, natural, moved, confounding):
        derived |= rows.judged()
    table = convergence_of(
        _free(fit, form) | derived,
        lambda fraction: tell("convergence of every reported quantity", 0.4 + 0.6 * fraction),
    )
    counts = {
        "municipalities": int(fit["constant_data"]["municipalities"].sum()),
        "states": int(fit["posterior"].sizes["state"]),
        "waves": [int(wave) for wave in fit["posterior"]["wave"].to_numpy()],
    }
    summary = run_summary(
        fit, judge(fit, table), counts, command=command, seconds=time.perf_counter() - start
    )
    summary |= {
        "horizon_years": HORIZON * WAVE_YEARS,
        "regime_delta": DELTA,
        "link_delta": NEGLIGIBLE,
        "step_sds": {step: scale.size(step) for step in STEPS},
        "verdict": {"vicious": dict(NO_RULE), "virtuous": dict(NO_RULE)},
    }
    tell("done", 1.0)
    return CircleResults(
        link=_with_convergence(link.table(_signs), link.labels(), table),
        loop=pd.concat([loop.table(), pd.DataFrame(shares)], ignore_index=True),
        regime=pd.DataFrame(regime),
        impulse=impulse.table(),
        natural=natural.table(),
        parameter=parameter_table(fit, table, DESCRIPTIONS),
        summary=summary,
        contribution=contribution,
        moved=moved.table(),
        confounding=confounding.table().assign(**beside),
    )


def _confounding(fit: xr.DataTree, nation: Place) -> tuple[_Rows, dict[str, list[Any]]]:
    """Return the robustness of every link, and the strongest observed variable beside it."""
    order = ("chain", "draw", "wave", "variable", "variable_2")
    innovation = fit["posterior"]["innovation"].transpose(*order).to_numpy().astype(float)
    value, observed = robustness(nation.readings[LAGGED], innovation)
    rows = _Rows("confounding")
    beside: dict[str, list[Any]] = {"observed_median": [], "strongest": []}
    typical = np.median(observed, axis=(0, 1))
    for (i, to), (j, origin) in itertools.product(enumerate(VARIABLES), repeat=2):
        if i != j:
            rows.add({"to": to, "from": origin}, value[..., i, j])
            best = int(np.argmax(typical[i, j]))
            beside["observed_median"].append(float(typical[i, j, best]))
            beside["strongest"].append(VARIABLES[best])
    return rows, beside


def _contribution(
    fit: xr.DataTree, panel: Panel, data: CircleData, moved: _Rows, progress: Progress
) -> tuple[pd.DataFrame, dict[str, xr.DataArray]]:
    """Return the table of municipalities without the loop, and the draws behind it."""
    codes, wave = data.coords["municipality"], int(data.coords["wave"][-1])
    own, census = panel.table("municipality_wave"), panel.table("municipality_census")
    own = own[own["wave"] == wave].set_index("cvegeo")
    census = census[census["year"] == wave].set_index("cvegeo")

    def column(table: pd.DataFrame, name: str) -> Array:
        values = pd.to_numeric(table[name]).astype("Float64").reindex(codes)
        return np.asarray(values.to_numpy(float, na_value=np.nan))

    population = column(census, "population")
    seed = seed_of(fit)
    found = paths(fit, data, column(own, "receiving_percent"), seed=seed, progress=progress)
    for name, draws in found.moved.items():
        moved.add({"quantity": name}, draws)
    derived = {}
    for name, draws in judged_paths(found, population):
        kept = np.isfinite(draws).all(axis=(0, 1))
        derived[f"contribution_{name}"] = xr.DataArray(
            draws[..., kept],
            dims=("chain", "draw", "municipality"),
            coords={"municipality": codes[kept]},
        )
    names = panel.table("municipality").set_index("cvegeo")
    return contribution_table(found, codes, names, population), derived


def places_of(fit: xr.DataTree, panel: Panel, form: Mapping[str, Any]) -> list[Place]:
    """Return the nation, and the regions and states whose links may differ.

    Parameters
    ----------
    fit : DataTree
        A fit of the circle.
    panel : Panel
        Gives the names of states.
    form : mapping
        `Form.describe` of the fit.
    """
    posterior, data = fit["posterior"], fit["constant_data"]
    dims = ("chain", "draw", "state", "interval", "to", "from")
    links = posterior["links"].transpose(*dims).to_numpy().astype(float)
    codes = [str(code) for code in posterior["state"].to_numpy()]
    weight = data["municipalities"].to_numpy().astype(float)
    region_of = data["region_of_state"].to_numpy()

    def mean(members: NDArray[np.bool_]) -> Array:
        share = weight * members / weight[members].sum()
        return np.asarray(np.einsum("cdsiab,s->cdiab", links, share))

    nation = mean(np.ones(len(codes), dtype=bool))
    order = ("chain", "draw", "wave", "variable", "variable_2")
    innovation = posterior["innovation"].transpose(*order).to_numpy().astype(float)[:, :, 1:]
    total, within = ordered_effects(nation, innovation)
    readings = {LAGGED: nation, ORDERED: total}
    found = [Place("nation", "00", "All municipalities", readings, within)]
    by_region, by_state = bool(form.get("by_region")), bool(form.get("by_state"))
    regions = [str(name) for name in data["region"].to_numpy()]
    if (by_region or by_state) and len(regions) > 1:
        found += [
            Place("region", name, name, {LAGGED: mean(region_of == number)})
            for name, number in sorted(zip(regions, range(len(regions)), strict=True))
        ]
    if by_state and len(codes) > 1:
        names = panel.table("state").set_index("state")["name"].reindex(codes)
        named = names.fillna(pd.Series(codes, index=codes)).astype(str)
        found += [
            Place("state", code, name, {LAGGED: links[:, :, number]})
            for number, (code, name) in enumerate(zip(codes, named, strict=True))
        ]
    return found


def _link_rows(
    place: Place, reading: str, effects: Array, intervals: list[str]
) -> Iterator[tuple[dict[str, Any], Array]]:
    parts = {ALL: effects.mean(axis=2)}
    if len(intervals) > 1:
        parts |= {name: effects[:, :, t] for t, name in enumerate(intervals)}
    for name, part in parts.items():
        for (i, to), (j, origin) in itertools.product(enumerate(VARIABLES), repeat=2):
            yield (
                {
                    **place.key,
                    "interval": name,
                    "reading": reading,
                    "to": to,
                    "from": origin,
                    "claimed": (to, origin) in CHAIN,
                },
                part[..., i, j],
            )


def _signs(draws: Array) -> dict[str, Any]:
    return {
        "p_positive": float((draws > 0).mean()),
        "p_negligible": float((np.abs(draws) < NEGLIGIBLE).mean()),
    }


def _regime(effects: Array, within: Array | None) -> dict[str, float]:
    """Return the probability of each regime; over a horizon it is defined in every draw."""
    found = regimes(deepening(effects, within), feedback(effects, within), DELTA)
    return {
        "delta": DELTA,
        **{f"p_{name}": float(found[name].mean()) for name in REGIMES},
        "p_undefined": 0.0,
    }


def _responses(effects: Array) -> Iterator[tuple[dict[str, Any], Array]]:
    for loop, matrix in (("closed", effects), ("open", opened(effects))):
        moved = responses(matrix)
        for (w, wave), (k, variable) in itertools.product(
            enumerate(range(1, HORIZON + 1)), enumerate(VARIABLES)
        ):
            row = {"loop": loop, "variable": variable, "years": WAVE_YEARS * wave}
            yield row, moved[..., w, k]


def _free(fit: xr.DataTree, form: Mapping[str, Any]) -> dict[str, xr.DataArray]:
    """Return the posterior without what the form fixes, which never moves."""
    arrays = {str(k): v for k, v in fit["posterior"].data_vars.items()}
    if not form.get("own_level", True):
        arrays.pop("intercept", None)
    for text in form.get("removed", ()):
        origin, to = text.split(" -> ")
        links = arrays["links"]
        arrays["links"] = links.where((links["to"] != to) | (links["from"] != origin))
    return arrays


def _with_convergence(link: pd.DataFrame, labels: list[str], table: pd.DataFrame) -> pd.DataFrame:
    known = table.set_index("quantity")[["r_hat", "ess_bulk"]]
    found = known.reindex([f"link[{label}]" for label in labels])
    return link.assign(**{name: found[name].to_numpy() for name in ("r_hat", "ess_bulk")})


def _known(value: float) -> dict[str, float]:
    """Return a number as an estimate without uncertainty."""
    return dict.fromkeys(ESTIMATE, value) | {"sd": 0.0}
