"""Errors meant for people: each says what was found, what is accepted and what to do.

The command line prints their text and exits with `exit_code`; nobody sees a traceback.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


class RemitstatsError(Exception):
    """Base of every error a user can cause and mend.

    Attributes
    ----------
    exit_code : int
        What the command line exits with: 2 for bad input, 3 for a fit that did not converge.
    """

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one place of a panel or a file.

    Parameters
    ----------
    table : str
        Table (or file) where it stands.
    row : str
        Which row: its key (``cvegeo=09001, wave=2010``), or ``line 17``, or ``-`` for the whole.
    column : str
        Column, or ``-`` for the whole row or table.
    found : str
        The value found, as it stands.
    accepted : str
        What is accepted there.
    remedy : str
        What to do about it; empty where `accepted` already says it.
    """

    table: str
    row: str
    column: str
    found: str
    accepted: str
    remedy: str = ""

    def __str__(self) -> str:
        """Return the problem as one line of text."""
        remedy = f" {self.remedy}" if self.remedy else ""
        place = self.row if self.row.startswith(("line ", "row ")) else f"row {self.row}"
        return (
            f"{self.table}, {place}, column {self.column}: "
            f"found {self.found}; accepted: {self.accepted}.{remedy}"
        )


class PanelError(RemitstatsError):
    """A panel or a source file that can't be used, with every problem found in it.

    Parameters
    ----------
    summary : str
        One sentence: which file, what is wrong with it as a whole.
    problems : sequence of Problem
        All of them, in the order of the tables.
    """

    def __init__(self, summary: str, problems: Sequence[Problem] = ()) -> None:
        self.summary = summary
        self.problems = tuple(problems)
        super().__init__(summary)

    def __str__(self) -> str:
        """Return the sentence and the first twenty problems, a line each."""
        shown = [f"  - {problem}" for problem in self.problems[:20]]
        rest = len(self.problems) - len(shown)
        more = [f"  … and {rest} more"] if rest > 0 else []
        return "\n".join([self.summary, *shown, *more])


def unknown(kind: str, name: str, known: Iterable[str]) -> RemitstatsError:
    """Return the error for a name that does not exist, with the nearest one that does.

    Parameters
    ----------
    kind : str
        What the name should have been the name of, such as "model" or "prior".
    name : str
        The name found.
    known : iterable of str
        Names that exist.
    """
    names = list(known)
    near = get_close_matches(name, names, n=1, cutoff=0.3)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return RemitstatsError(
        f"There is no {kind} '{name}'.{hint} {kind.capitalize()}s: {', '.join(names)}."
    )
