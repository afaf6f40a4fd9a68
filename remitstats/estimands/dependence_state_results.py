"""What a fit of the state model of dependence found, as labelled tables, and how it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from remitstats.estimands.files import plain, rounded
from remitstats.estimands.folder import DECIMALS, read_results, require_columns, write_results
from remitstats.estimands.summary import ESTIMATE
from remitstats.fitting.gate import Gate

_PLACE = ("level", "code", "name")
_PERIOD = ("from_year", "to_year", "predicted")

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "level": (*_PLACE, "year", "quantity", "observed", "predicted", *ESTIMATE),
    "change": (*_PLACE, *_PERIOD, "observed", *ESTIMATE, "p_rising", "p_tendency"),
    "tendency": (*_PLACE, *ESTIMATE, "p_rising"),
    "rank": ("code", "name", "year", "observed", "predicted", *ESTIMATE, "p_first"),
    "rank_change": ("code", "name", *_PERIOD, "observed", *ESTIMATE, "p_up"),
    "concentration": ("year", "quantity", "observed", "predicted", *ESTIMATE),
    "concentration_change": (*_PERIOD, "quantity", "observed", *ESTIMATE, "p_rising"),
    "decomposition": (*_PLACE, "from_year", "to_year", "ratio", "dollars", "exchange", "product"),
    "predictive": (
        *("statistic", "description", "observed", "replicated_mean"),
        *("replicated_eti90_lower", "replicated_eti90_upper", "p_value"),
    ),
    "claim": ("claim", "estimand", "description", "known", *ESTIMATE, "probability"),
    "parameter": ("name", "description", *ESTIMATE, "r_hat", "ess_bulk", "ess_tail"),
    "forecast": (
        *("year", "method", "states", "inside_50", "inside_80", "inside_90"),
        *("crps", "crps_no_change", "mean_error", "mean_width_90"),
    ),
}
TABLES = tuple(COLUMNS)
_TEXT = ("method",)


def empty(name: str) -> pd.DataFrame:
    """Return a table without rows: what results hold where nothing has filled it."""
    return pd.DataFrame(
        {
            column: pd.Series(dtype="str" if column in _TEXT else "float64")
            for column in COLUMNS[name]
        }
    )


@dataclass(frozen=True, repr=False)
class DependenceStateResults:
    """Posterior summaries of the state model of dependence.

    Ratios are remittances over the state's product in per cent; changes are per cent of the ratio
    a year. Intervals are equal-tailed with 90% posterior probability. A column ``observed`` holds
    what the statistics say, which is known; estimates beside it are of the trend behind it, which
    is not. ``predicted`` marks years without product, whose ratio is known pesos over predicted
    product.

    Parameters
    ----------
    level : DataFrame
        One row a place, year and quantity: "trend" in every year, "ratio" in predicted ones. The
        nation is the sum of its states: national pesos over national product.
    change : DataFrame
        One row a place and period: mean yearly change of the trend; `p_rising`, the probability
        that the trend stood higher at the end; `p_tendency`, the probability that the mean growth
        behind the period was positive, were it free to differ from period to period: a rise that
        yearly moves of the usual size would also bring leaves it near one half.
    tendency : DataFrame
        Mean yearly growth behind the whole path, of the typical state and of every state.
    rank, rank_change : DataFrame
        Rank of the trend (1: most dependent) by year and its change (positive: moved up).
    concentration, concentration_change : DataFrame
        Share of the nation's remittances that the top states receive, in per cent, and the
        effective number of states; estimates are of trend money.
    decomposition : DataFrame
        Known: how the yearly change of the ratio (log, per cent) is made of dollars, the exchange
        rate and product. ``ratio = dollars + exchange - product``.
    predictive : DataFrame
        Statistics of the data against replications.
    claim : DataFrame
        Quantities that claims refer to by `estimand`, with their probability.
    parameter : DataFrame
        Hyperparameters with their convergence figures.
    summary : dict
        What ``results.json`` holds.
    forecast : DataFrame
        Scores of one-step-ahead predictions; empty until they were made
        (`remitstats.forecast_dependence_state`).
    """

    level: pd.DataFrame
    change: pd.DataFrame
    tendency: pd.DataFrame
    rank: pd.DataFrame
    rank_change: pd.DataFrame
    concentration: pd.DataFrame
    concentration_change: pd.DataFrame
    decomposition: pd.DataFrame
    predictive: pd.DataFrame
    claim: pd.DataFrame
    parameter: pd.DataFrame
    summary: dict[str, Any]
    forecast: pd.DataFrame = field(default_factory=partial(empty, "forecast"))

    def __post_init__(self) -> None:
        """Refuse tables without the columns that readers rely on."""
        require_columns(self.tables, COLUMNS)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by name, empty ones too."""
        return {name: getattr(self, name) for name in TABLES}

    @property
    def gate(self) -> Gate:
        """Verdict on the fit, to be asked before anything is concluded from the tables."""
        return Gate.read(self.summary)

    @property
    def converged(self) -> bool:
        """Whether the fit passed its gate; anything but a plain True counts as no."""
        return self.gate.converged

    def __repr__(self) -> str:
        """Return what the results are of, and whether they may be used."""
        states = self.level.loc[self.level["level"] == "state", "code"].nunique()
        years = self.level["year"]
        what = f"Dependence of {states} states, {years.min()} to {years.max()}"
        if self.converged:
            return f"{what}: {', '.join(n for n, table in self.tables.items() if len(table))}"
        return f"{what}: NOT CONVERGED, nothing in it is a finding\n{self.gate.explain()}"

    def rounded(self) -> DependenceStateResults:
        """Return the same results as they are written: floats to `DECIMALS` decimals."""
        tables = {name: rounded(table, DECIMALS) for name, table in self.tables.items()}
        return replace(self, **tables, summary=plain(self.summary))

    def document(self) -> dict[str, Any]:
        """Return what ``results.json`` holds."""
        return dict(plain(self.summary))

    def write(self, out: Path) -> list[Path]:
        """Write ``results.json`` and ``summaries/*.parquet|csv`` under a folder."""
        return write_results(out, self.rounded().tables, self.document())

    @classmethod
    def read(cls, out: Path) -> DependenceStateResults:
        """Read what `write` wrote; see `estimands.folder.read_results` for what it raises."""
        return read_results(out, TABLES, cls)
