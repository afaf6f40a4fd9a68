"""The explorer's sections as its pages carry them: compact, a file a state.

Pages that are opened from disk may not fetch anything, so the numbers of a state stand in a script
that hands them over when the page asks for it. The same records make the tables of the pages that
need no script.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from remitstats.report.explorer import Section, Series
from remitstats.report.formats import show

if TYPE_CHECKING:
    from remitstats.panel.panel import Panel
    from remitstats.report.texts import Texts

DIGITS = 5
_PLAIN_NAME = re.compile(r"[A-Za-z0-9]{1,12}")


@dataclass(frozen=True)
class Cells:
    """Numbers of a series as an array.

    Parameters
    ----------
    series : Series
        Whose.
    whens : tuple of str
        Its times, in the order in which they are shown.
    numbers : array, shape (municipality, time, part)
        Parts are the value or, of an estimate, value, lower and upper end; nan where there is none.
    """

    series: Series
    whens: tuple[str, ...]
    numbers: np.ndarray

    @classmethod
    def of(cls, series: Series, codes: pd.Index[str]) -> Cells:
        """Return the numbers of some municipalities, in their order."""
        columns = ["value", "lower", "upper"][: series.parts]
        table = series.table.assign(cvegeo=series.table["cvegeo"].astype(str))
        whens = tuple(dict.fromkeys(table["when"].astype(str)))
        if series.mark in {"dots", "path"}:  # of which a municipality may lack some
            whens = tuple(sorted(whens))
        found = np.full((len(codes), len(whens), len(columns)), np.nan)
        row = codes.get_indexer(pd.Index(table["cvegeo"]))
        at = pd.Index(whens).get_indexer(pd.Index(table["when"].astype(str)))
        known = row >= 0
        numbers = table[columns].to_numpy(dtype=float, na_value=np.nan)
        found[row[known], at[known]] = numbers[known]
        return cls(series, whens, found)


@dataclass(frozen=True)
class Explorer:
    """What the explorer's pages and files hold.

    Parameters
    ----------
    sections : tuple of Section
        As `explorer.sections` returns them.
    places : DataFrame
        ``cvegeo, name, state, state_name``, one row a municipality, in the order shown.
    neighbours : mapping of str to sequence of str
        Codes of the neighbours of each municipality that has some.
    """

    sections: tuple[Section, ...]
    places: pd.DataFrame
    neighbours: Mapping[str, Sequence[str]]

    @cached_property
    def codes(self) -> pd.Index[str]:
        """Codes of the municipalities."""
        return pd.Index(self.places["cvegeo"].astype(str))

    @cached_property
    def cells(self) -> dict[str, tuple[Cells, ...]]:
        """Numbers of the series of each section."""
        return {
            section.key: tuple(Cells.of(series, self.codes) for series in section.series)
            for section in self.sections
        }

    @cached_property
    def noted(self) -> dict[str, dict[str, list[str]]]:
        """Keys of the remarks on each municipality, by section."""
        found: dict[str, dict[str, list[str]]] = {}
        for section in self.sections:
            rows = section.noted
            if rows is None:
                continue
            pairs = rows[["cvegeo", "note"]].drop_duplicates().itertuples(index=False)
            for code, note in pairs:
                found.setdefault(str(code), {}).setdefault(section.key, []).append(str(note))
        return found

    @cached_property
    def states(self) -> tuple[tuple[str, str, str], ...]:
        """Code, name, and name of the files of each state, by code."""
        rows = self.places[["state", "state_name"]].drop_duplicates("state").sort_values("state")
        return tuple(
            (str(code), str(name), file_name(str(code), number))
            for number, (code, name) in enumerate(rows.itertuples(index=False))
        )

    def head(self) -> dict[str, Any]:
        """Return what the page itself carries: places, and all about the series but the numbers."""
        position = {code: i for i, (code, _, _) in enumerate(self.states)}
        rows = self.places[["cvegeo", "name", "state"]].astype(str).itertuples(index=False)
        return {
            "states": [list(state) for state in self.states],
            "places": [[code, name, position[state]] for code, name, state in rows],
            "sections": [self._described(section) for section in self.sections],
        }

    def _described(self, section: Section) -> dict[str, Any]:
        return {
            "key": section.key,
            "title": section.title,
            "about": section.about,
            "page": section.page,
            "withheld": list(section.withheld),
            "notes": dict(section.notes),
            "charts": [
                {
                    "key": chart.key,
                    "title": chart.title,
                    "axis": chart.axis,
                    "years": dict(chart.years),
                    "zero": chart.zero,
                    "ticks": list(chart.ticks),
                    "references": _references(chart.references),
                }
                for chart in section.charts
            ],
            "series": [
                {
                    "key": cells.series.key,
                    "title": cells.series.title,
                    "unit": cells.series.unit,
                    "kind": cells.series.kind,
                    "source": cells.series.source,
                    "chart": cells.series.chart,
                    "mark": cells.series.mark,
                    "aside": cells.series.aside,
                    "parts": cells.series.parts,
                    "whens": list(cells.whens),
                }
                for cells in self.cells[section.key]
            ],
        }

    def scripts(self) -> Iterator[tuple[str, str]]:
        """Return name and text of each state's script.

        It calls ``remitstatsExplorer.add(STATE, {CODE: [NEIGHBOURS, NOTES, NUMBERS]})``; numbers
        are a list a section of a list a series, times and parts one after the other.
        """
        state_of = self.places["state"].astype(str).to_numpy()
        position = {code: i for i, code in enumerate(self.codes)}
        flat = {
            key: [_numbers(one.numbers.reshape(len(self.codes), -1)) for one in cells]
            for key, cells in self.cells.items()
        }
        for state, _, name in self.states:
            municipalities = {}
            for i in np.flatnonzero(state_of == state):
                code = str(self.codes[int(i)])
                near = [position[other] for other in self.neighbours.get(code, ())]
                numbers = [[one[i] for one in flat[section.key]] for section in self.sections]
                municipalities[code] = [near, self.noted.get(code, {}), numbers]
            text = json.dumps(municipalities, ensure_ascii=True, separators=(",", ":"))
            yield name, f"remitstatsExplorer.add({json.dumps(state)},{text});\n"

    def tables(self, state: str, joiner: str) -> list[dict[str, Any]]:
        """Return a table a section of a state's municipalities, as shown text.

        Parameters
        ----------
        state : str
            Its code.
        joiner : str
            Word between the ends of an interval.

        Returns
        -------
        list of dict
            ``section``, ``groups`` (title, unit, times of each series), ``rows`` (code, name,
            remarks, texts of the cells), ``estimated`` (whether any has an interval) and ``notes``
            (the remarks that any of them has, with the sign that stands for each).
        """
        inside = np.flatnonzero(self.places["state"].astype(str).to_numpy() == state)
        found = []
        for section in self.sections:
            shown = [cells for cells in self.cells[section.key] if cells.series.in_tables]
            if not shown:
                continue
            signs = {note: "*" * (i + 1) for i, note in enumerate(section.notes)}
            rows, used = [], set()
            for i in inside:
                code = str(self.codes[int(i)])
                notes = self.noted.get(code, {}).get(section.key, [])
                used |= set(notes)
                texts = [text for cells in shown for text in _texts(cells, int(i), joiner)]
                name = str(self.places["name"].iloc[i])
                rows.append((code, name, " ".join(signs[note] for note in notes), texts))
            groups = [(cells.series.title, cells.series.unit, cells.whens) for cells in shown]
            said = [(signs[note], text) for note, text in section.notes.items() if note in used]
            estimated = any(cells.series.parts == 3 for cells in shown)
            found.append(
                {
                    "section": section,
                    "groups": groups,
                    "rows": rows,
                    "notes": said,
                    "estimated": estimated,
                }
            )
        return found


def gather(
    sections: tuple[Section, ...], places: pd.DataFrame, panel: Panel, texts: Texts
) -> Explorer:
    """Return the explorer of some sections.

    Parameters
    ----------
    sections : tuple of Section
        As `explorer.sections` returns them.
    places : DataFrame
        ``cvegeo, name, state, state_name``; other columns and repeated rows are left out.
    panel : Panel
        Its table ``adjacency`` tells the neighbours; it may lack it.
    texts : Texts
        For a state without a name.
    """
    places = places[["cvegeo", "name", "state", "state_name"]].drop_duplicates("cvegeo")
    places = places.fillna(texts.plain("site.missing")).sort_values("cvegeo", ignore_index=True)
    return Explorer(sections, places, neighbours(panel, places["cvegeo"].astype(str)))


def neighbours(panel: Panel, codes: pd.Series[str]) -> dict[str, list[str]]:
    """Return the neighbours of each municipality among those given, by code."""
    if "adjacency" not in panel:
        return {}
    pairs = panel.table("adjacency")[["cvegeo_a", "cvegeo_b"]].astype(str)
    pairs = pairs[pairs["cvegeo_a"].isin(codes) & pairs["cvegeo_b"].isin(codes)]
    found: dict[str, list[str]] = {}
    for a, b in pairs.itertuples(index=False):
        found.setdefault(a, []).append(b)
        found.setdefault(b, []).append(a)
    return {code: sorted(others) for code, others in found.items()}


def file_name(state: str, number: int) -> str:
    """Return what files of a state are called: its code where that is a plain word."""
    return state if _PLAIN_NAME.fullmatch(state) else f"state-{number}"


def _texts(cells: Cells, place: int, joiner: str) -> Iterator[str]:
    """Return the shown cells of a series of a municipality."""
    kind = cells.series.kind
    for parts in cells.numbers[place]:
        texts = [show(float(part), kind) for part in parts]
        if len(texts) == 1 or math.isnan(parts[0]):
            yield texts[0]
        else:
            yield f"{texts[0]} ({texts[1]} {joiner} {texts[2]})"


def _numbers(values: np.ndarray) -> list[list[float | int | None]]:
    """Return rows of numbers as JSON can hold them, without missing ones at the end of a row.

    Fractions keep `DIGITS` significant digits, more than a posterior's draws can tell.
    """
    found = []
    for row in values.tolist():
        numbers = [
            None if math.isnan(x) else int(x) if x.is_integer() else float(f"{x:.{DIGITS}g}")
            for x in row
        ]
        while numbers and numbers[-1] is None:
            numbers.pop()
        found.append(numbers)
    return found


def _references(table: pd.DataFrame | None) -> dict[str, dict[str, Any]]:
    """Return lines to compare with by code of a state, the empty code for the whole."""
    if table is None:
        return {}
    return {
        str(code): {
            "name": str(rows["name"].iloc[0]),
            "points": [[str(w), float(v)] for w, v in rows[["when", "value"]].to_numpy()],
        }
        for code, rows in table.groupby("code", sort=True)
    }
