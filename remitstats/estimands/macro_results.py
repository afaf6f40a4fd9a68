"""What a fit of the macro model found, as labelled tables, and how it is written to disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from remitstats.estimands.files import plain, rounded
from remitstats.estimands.folder import DECIMALS, read_results, require_columns, write_results
from remitstats.estimands.summary import ESTIMATE
from remitstats.fitting.gate import Gate

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "growth": ("source", "year", "observed", *ESTIMATE),
    "window": (
        *("source", "window", "from_year", "to_year", "observed"),
        *(*ESTIMATE, "p_fastest", "r_hat", "ess_bulk"),
    ),
    "difference": ("window", "against", *ESTIMATE, "p_faster"),
    "turn": ("source", "from_window", "to_window", *ESTIMATE, "p_slower"),
    "coverage": ("year", *ESTIMATE, "p_positive"),
    "predictive": (
        *("statistic", "source", "observed", "replicated_mean"),
        *("replicated_eti90_lower", "replicated_eti90_upper", "p_value"),
    ),
    "parameter": ("name", "source", "description", *ESTIMATE, "r_hat", "ess_bulk", "ess_tail"),
}
TABLES = tuple(COLUMNS)


@dataclass(frozen=True, repr=False)
class MacroResults:
    """Posterior summaries of the macro model.

    Growth is in per cent a year of nominal dollars; "drift" is the growth that lasts. Intervals are
    equal-tailed with 90% posterior probability.

    Parameters
    ----------
    growth : DataFrame
        One row a source and year: observed growth and the drift behind it.
    window : DataFrame
        One row a source and window of years: mean drift, and the probability that no other source
        had a higher one.
    difference : DataFrame
        Mean drift of remittances less that of another source, by window, in percentage points.
    turn : DataFrame
        Mean drift in a later window less that in an earlier one, by source.
    coverage : DataFrame
        What wider coverage added to remittances in 2001 to 2003, per cent.
    predictive : DataFrame
        A statistic of the growths as observed and as replicated by the model.
    parameter : DataFrame
        The standard deviations with their convergence figures.
    summary : dict
        What ``results.json`` holds.
    """

    growth: pd.DataFrame
    window: pd.DataFrame
    difference: pd.DataFrame
    turn: pd.DataFrame
    coverage: pd.DataFrame
    predictive: pd.DataFrame
    parameter: pd.DataFrame
    summary: dict[str, Any]

    def __post_init__(self) -> None:
        """Refuse tables without the columns that readers rely on."""
        require_columns(self.tables, COLUMNS)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by name."""
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
        years = self.growth["year"]
        what = f"Growth of {self.growth['source'].nunique()} sources, {years.min()}-{years.max()}"
        if self.converged:
            return f"{what}: {', '.join(TABLES)}"
        return f"{what}: NOT CONVERGED, nothing in it is a finding\n{self.gate.explain()}"

    def rounded(self) -> MacroResults:
        """Return the same results as they are written: floats to `DECIMALS` decimals."""
        tables = {name: rounded(table, DECIMALS) for name, table in self.tables.items()}
        return replace(self, **tables, summary=plain(self.summary))

    def document(self) -> dict[str, Any]:
        """Return what ``results.json`` holds."""
        document: dict[str, Any] = plain(self.summary)
        return document

    def write(self, out: Path) -> list[Path]:
        """Write ``results.json`` and ``summaries/*.parquet|csv`` under a folder.

        See `estimands.folder.write_results`.
        """
        return write_results(out, self.rounded().tables, self.document())

    @classmethod
    def read(cls, out: Path) -> MacroResults:
        """Read what `write` wrote; see `estimands.folder.read_results` for what it raises."""
        return read_results(out, TABLES, cls)
