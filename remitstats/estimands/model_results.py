"""What the results of every model can do: be asked for their gate, rounded, written and read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import pandas as pd

from remitstats.estimands.files import plain, rounded
from remitstats.estimands.folder import DECIMALS, read_results, require_columns, write_results
from remitstats.fitting.gate import Gate


class ModelResults(ABC):
    """Tables and summary of a fit; each model's results are a frozen dataclass on top of this.

    A subclass has a field a table, `summary`, and a `title`.

    Attributes
    ----------
    columns : mapping of str to tuple of str
        The tables in their order, and the columns that readers rely on.
    withheld : tuple of str
        Keys of the summary that say nothing where the fit did not converge.
    derived : tuple of str
        Keys of ``results.json`` that the results find themselves.
    summary : dict
        What ``results.json`` holds.
    """

    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    withheld: ClassVar[tuple[str, ...]] = ()
    derived: ClassVar[tuple[str, ...]] = ()
    summary: dict[str, Any]

    def __post_init__(self) -> None:
        """Refuse tables without the columns that readers rely on."""
        require_columns(self.tables, self.columns)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by name, empty ones too."""
        return {name: getattr(self, name) for name in self.columns}

    @property
    def gate(self) -> Gate:
        """Verdict on the fit, to be asked before anything is concluded from the tables."""
        return Gate.read(self.summary)

    @property
    def converged(self) -> bool:
        """Whether the fit passed its gate; anything but a plain True counts as no."""
        return self.gate.converged

    @abstractmethod
    def title(self) -> str:
        """Return in a few words what the results are of."""

    def __repr__(self) -> str:
        """Return what the results are of, and whether they may be used."""
        if self.converged:
            filled = [name for name, table in self.tables.items() if len(table)]
            return f"{self.title()}: {', '.join(filled)}"
        said = "NOT CONVERGED, nothing in it is a finding"
        return f"{self.title()}: {said}\n{self.gate.explain()}"

    def rounded(self) -> Self:
        """Return the same results as they are written: floats to `folder.DECIMALS` decimals."""
        changed: dict[str, Any] = {
            name: rounded(table, DECIMALS) for name, table in self.tables.items()
        }
        changed["summary"] = plain(self.summary)
        same: Self = replace(self, **changed)  # type: ignore[type-var]
        return same

    def document(self) -> dict[str, Any]:
        """Return what ``results.json`` holds, without what a fit that failed its gate can't say."""
        document: dict[str, Any] = plain(self.summary)
        if not self.converged:
            document |= dict.fromkeys(self.withheld)
        return document

    def written_tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables as they are written."""
        return self.rounded().tables

    def write(self, out: Path) -> list[Path]:
        """Write ``results.json`` and ``summaries/*.parquet|csv`` under a folder.

        See `estimands.folder.write_results`.
        """
        return write_results(out, self.written_tables(), self.document())

    @classmethod
    def read(cls, out: Path) -> Self:
        """Read what `write` wrote; see `estimands.folder.read_results` for what it raises."""
        return read_results(out, cls.columns, cls, derived=cls.derived)
