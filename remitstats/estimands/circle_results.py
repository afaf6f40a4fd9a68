"""What a fit of the circle found, as labelled tables, and how it is written to disk.

`CircleResults` is all the report sees of a fit. On disk it is a folder like that of reliance
(`estimands.folder`), of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import pandas as pd

from remitstats.estimands.model_results import ModelResults
from remitstats.estimands.summary import ESTIMATE

_PLACE = ("level", "code", "name")
_ENDS = ("eti90_lower", "eti90_upper")
_PATHS = ("reliance", "reliance_cut", "reliance_moved", "population_cut", "population_moved")

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "link": (
        *_PLACE,
        "interval",
        "reading",
        "to",
        "from",
        *ESTIMATE,
        "p_positive",
        "p_negligible",
        "claimed",
        "r_hat",
        "ess_bulk",
    ),
    "natural": ("change", "variable", "loop", "years", *ESTIMATE),
    "loop": (*_PLACE, "reading", "quantity", *ESTIMATE),
    "regime": (
        *_PLACE,
        "reading",
        "delta",
        "p_vicious",
        "p_virtuous",
        "p_none",
        "p_undefined",
    ),
    "impulse": (*_PLACE, "loop", "variable", "years", *ESTIMATE),
    "contribution": (
        "cvegeo",
        "name",
        "state",
        "population",
        *(f"{path}_{key}" for path in _PATHS for key in ("median", *_ENDS)),
        "p_more_reliant",
        "p_more_people",
    ),
    "moved": ("quantity", *ESTIMATE),
    "comparison": ("variant", "elpd", "difference", "se", "weight"),
    "prediction": ("variant", "variable", "error", "ratio", *_ENDS),
    "confounding": ("to", "from", *ESTIMATE, "observed_median", "strongest"),
    "parameter": ("name", "description", *ESTIMATE, "r_hat", "ess_bulk", "ess_tail"),
    "specification": ("specification", "headline", "core", "reading", "quantity", *ESTIMATE),
    "confusion": ("scenario", "verdict", "count", "share"),
    "coverage": ("scenario", "to", "from", "coverage", *_ENDS),
    "agreement": (
        *("scenario", "panels", "vicious", "vicious_approximate", "virtuous"),
        *("virtuous_approximate", "agree", "coverage", "coverage_approximate"),
        *("gap_sd", "most_away", "sd_ratio", "r_hat", "ess", "median_ess"),
    ),
}
TABLES = tuple(COLUMNS)
_TYPES = {
    **dict.fromkeys(
        (
            *("change", "variable", "loop", "cvegeo", "name", "state", "specification"),
            *("reading", "quantity", "scenario", "verdict", "to", "from", "strongest", "variant"),
        ),
        "str",
    ),
    **dict.fromkeys(("headline", "core"), "bool"),
    **dict.fromkeys(("years", "count", "panels", "agree"), "int64"),
}


def empty(name: str) -> pd.DataFrame:
    """Return a table without rows: what results hold where nothing has filled it."""
    kinds = {column: _TYPES.get(column, "float64") for column in COLUMNS[name]}
    return pd.DataFrame({column: pd.Series(dtype=kind) for column, kind in kinds.items()})


@dataclass(frozen=True, repr=False)
class CircleResults(ModelResults):
    """Posterior summaries of the circle model.

    Effects are in standard deviations (of a variable within its wave) for one standard deviation
    ten years before, within a municipality. Intervals are equal-tailed with 90% posterior
    probability. Reading "lagged" takes the links alone; "ordered total" adds what acts within a
    decade if the variables act in the order migration, reliance, stability, underdevelopment,
    growth. Interval "all" is the mean of the intervals.

    Parameters
    ----------
    link : DataFrame
        One row a place, interval, reading and pair of variables: the effect, how probably it is
        positive and negligible, whether it belongs to the claimed chain.
    loop : DataFrame
        One row a place, reading and quantity of the loop (`circle_loop.loop_quantities`);
        "undefined_share" is the share of draws in which "gain_long_run" does not exist, which are
        left out of its estimates.
    regime : DataFrame
        One row a place and reading: probability of each regime.
    impulse : DataFrame
        One row a place, loop ("closed" or "open"), variable and horizon: response to one standard
        deviation of migration.
    parameter : DataFrame
        The hyperparameters with their convergence figures.
    summary : dict
        What ``results.json`` holds: model, engine, convergence, seed, versions, verdicts.
    natural : DataFrame
        The nation's responses in natural units; empty where the scale is not known.
    specification, confusion, coverage : DataFrame
        The specification curve and the trials on simulated panels; empty until they were run.
    agreement : DataFrame
        What chains say of some of these panels beside the approximation that tried them all
        (`validation.circle_chains.agreement`); empty until they were run.
    contribution : DataFrame
        One row a municipality: reliance (percent) and population in the last wave as they are and
        had the loop been cut after the first (`circle_contribution`); empty with fewer waves than
        a loop takes.
    moved : DataFrame
        The same over all municipalities: one row a quantity.
    comparison, prediction : DataFrame
        What reduced forms of the model say of states left out, and how far they miss the last wave
        (`claims.circle_comparison`); empty until they were compared.
    confounding : DataFrame
        One row a link: how strong an unobserved cause would have to be to undo it
        (`circle_confounding`), and the strongest observed variable beside it.
    """

    columns: ClassVar[Mapping[str, tuple[str, ...]]] = COLUMNS
    withheld: ClassVar[tuple[str, ...]] = ("verdict",)

    link: pd.DataFrame
    loop: pd.DataFrame
    regime: pd.DataFrame
    impulse: pd.DataFrame
    parameter: pd.DataFrame
    summary: dict[str, Any]
    natural: pd.DataFrame = field(default_factory=partial(empty, "natural"))
    specification: pd.DataFrame = field(default_factory=partial(empty, "specification"))
    confusion: pd.DataFrame = field(default_factory=partial(empty, "confusion"))
    coverage: pd.DataFrame = field(default_factory=partial(empty, "coverage"))
    agreement: pd.DataFrame = field(default_factory=partial(empty, "agreement"))
    contribution: pd.DataFrame = field(default_factory=partial(empty, "contribution"))
    moved: pd.DataFrame = field(default_factory=partial(empty, "moved"))
    comparison: pd.DataFrame = field(default_factory=partial(empty, "comparison"))
    prediction: pd.DataFrame = field(default_factory=partial(empty, "prediction"))
    confounding: pd.DataFrame = field(default_factory=partial(empty, "confounding"))

    def title(self) -> str:
        """Return in a few words what the results are of."""
        places = self.link[["level", "code"]].drop_duplicates()["level"].value_counts()
        regions, states = int(places.get("region", 0)), int(places.get("state", 0))
        return f"Circle of the nation, {regions} regions and {states} states"
