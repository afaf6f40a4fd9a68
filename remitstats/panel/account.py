"""The account of a build: what came in, what was merged, what is missing, what went out."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

ACCOUNT_COLUMNS = ("source", "step", "rows_in", "merged", "missing", "rows_out", "note")


@dataclass
class Account:
    """Collects one line for every source and step.

    ``rows_in`` counts what the step received, ``merged`` the rows that were added to another row
    (their figures are kept, the row is not), ``missing`` the rows among ``rows_out`` that have no
    figure, ``rows_out`` what the step handed on. Where ``rows_in - merged`` is not ``rows_out``,
    the note says which rows were set aside or added.
    """

    lines: list[tuple[str, str, int, int, int, int, str]] = field(default_factory=list)

    def add(
        self,
        source: str,
        step: str,
        *,
        rows_in: int,
        rows_out: int,
        merged: int = 0,
        missing: int = 0,
        note: str = "",
    ) -> None:
        """Enter a line.

        Raises
        ------
        ValueError
            If rows appear or vanish and no note says why.
        """
        if rows_in - merged != rows_out and not note:
            raise ValueError(f"{source}, {step}: rows don't add up and no note says why")
        self.lines.append((source, step, rows_in, merged, missing, rows_out, note))

    def add_folded(
        self,
        source: str,
        step: str,
        published: pd.DataFrame,
        folded: pd.DataFrame,
        column: str,
        note: str = "",
    ) -> None:
        """Enter what was read and what it became on 2010 boundaries.

        `column` is the one whose empty cells are counted as missing.
        """
        self.add(
            source,
            step,
            rows_in=len(published),
            merged=len(published) - len(folded),
            missing=int(folded[column].isna().sum()),
            rows_out=len(folded),
            note=note,
        )

    def frame(self) -> pd.DataFrame:
        """Return the account as the panel's table ``account``, in the order of the build."""
        return pd.DataFrame(self.lines, columns=list(ACCOUNT_COLUMNS))
