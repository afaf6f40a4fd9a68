"""What is wrong with a panel: against the schema, and for the reliance model.

`check_panel` says whether the tables are what they claim to be. One state, one wave or a map in
several parts is legitimate data. `check_for_reliance` says whether the report of reliance can be
made of it; `remitstats.panel.missing` says what that report then lacks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from remitstats.errors import Problem
from remitstats.panel import words
from remitstats.panel.cells import read_column
from remitstats.panel.code_form import MEXICO, CodeForm, codes_of, problems_of_codes, tables_for
from remitstats.panel.complete import complete
from remitstats.panel.panel import Panel
from remitstats.panel.sample import problems_of_sample
from remitstats.panel.schema import REQUIRED_TABLE, TABLES

LISTED = 5


def check_panel(panel: Panel) -> list[Problem]:
    """Check a panel against the schema.

    Parameters
    ----------
    panel : Panel
        Any panel; its tables may hold anything at all.

    Returns
    -------
    list of Problem
        Everything found, in the order of the tables; empty for a valid panel.
    """
    from remitstats.panel.load import shipped_panel  # noqa: PLC0415  (load imports this module)

    whole = complete(panel.tables, panel.metadata, shipped_panel())
    return check_tables(whole.tables, whole.metadata)


def check_tables(
    tables: Mapping[str, pd.DataFrame],
    metadata: Mapping[str, Any],
    lines: Mapping[str, np.ndarray] | None = None,
) -> list[Problem]:
    """Check tables against the schema.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        As found or already tidy; see `remitstats.panel.complete` for those left out.
    metadata : mapping
        A record of ``metadata["dictionary"]`` with `table` and `column` makes that column known
        besides the schema's.
    lines : mapping of str to numpy.ndarray, optional
        For tables from text files, the line on which each row stands.
    """
    from remitstats.panel.failures import problems_of  # noqa: PLC0415  (pandera takes half a second)

    lines = lines or {}
    references = _references(tables)
    codes = codes_of(metadata)
    schema = tables_for(codes)
    problems = problems_of_codes(metadata) + problems_of_sample(metadata)
    if REQUIRED_TABLE not in tables:
        problems.append(_missing_table(tables))
    for name, frame in tables.items():
        spec = schema.get(str(name))
        if spec is None:
            problems.append(_unknown_table(str(name)))
            continue
        plain, repeated = _plain_columns(spec.name, frame)
        problems += repeated
        documented = _documented(metadata, spec.name)
        at = lines.get(spec.name)
        problems += problems_of(spec, plain, references, documented, at, own_codes=codes.own)
    return problems + _uncovered(tables, codes.municipality)


def check_neighbours(panel: Panel) -> list[Problem]:
    """Check that a panel says which municipalities are neighbours, as models of space need."""
    return [] if "adjacency" in panel else [_no_adjacency(panel.metadata.get("country"))]


def check_for_reliance(panel: Panel) -> list[Problem]:
    """Check that the reliance report can be made of a valid panel, or of the part selected.

    A panel of one wave, of one state or without neighbours is used for what is in it. The model
    itself (`reliance.build`) also takes a map in several parts.

    Parameters
    ----------
    panel : Panel
        A panel that `check_panel` finds nothing wrong with.

    Returns
    -------
    list of Problem
        No data, several waves of which only one has data, or a map in several parts.
    """
    wave = panel.table(REQUIRED_TABLE)
    known = wave[wave["receiving_percent"].notna() & wave["dwellings"].notna()]
    problems = _too_few(known["wave"].astype(str), wave["wave"].nunique())
    if "adjacency" not in panel:
        return problems
    pairs = panel.table("adjacency")
    codes = np.array(sorted(set(wave["cvegeo"])))
    parts = components(codes, pairs)
    if len(parts) > 1:
        problems.append(_several_parts(parts))
    return problems


def components(codes: np.ndarray, pairs: pd.DataFrame) -> list[list[str]]:
    """Return the connected parts of a map, the largest first.

    Parameters
    ----------
    codes : numpy.ndarray of str
        The municipalities used; pairs that reach beyond them are left aside.
    pairs : pandas.DataFrame
        `cvegeo_a`, `cvegeo_b`.
    """
    from scipy.sparse import coo_array  # noqa: PLC0415
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    place = pd.Series(np.arange(len(codes)), index=codes)
    inside = pairs[pairs["cvegeo_a"].isin(place.index) & pairs["cvegeo_b"].isin(place.index)]
    ends = (place[inside["cvegeo_a"]].to_numpy(), place[inside["cvegeo_b"]].to_numpy())
    graph = coo_array((np.ones(len(inside)), ends), shape=(len(codes), len(codes)))
    _, label = connected_components(graph, directed=False)
    parts = [list(map(str, codes[label == part])) for part in np.unique(label)]
    return sorted(parts, key=lambda part: (-len(part), part))


def _references(tables: Mapping[str, pd.DataFrame]) -> dict[str, Collection[str]]:
    keys = {"municipality": "cvegeo", "state": "state"}
    references: dict[str, Collection[str]] = {}
    for name, key in keys.items():
        if name in tables and key in tables[name].columns:
            cells = tables[name].loc[:, [key]].iloc[:, 0]
            references[name] = set(read_column(cells, "text").cells.dropna())
    return references


def _plain_columns(table: str, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Problem]]:
    """Return a table with unique text names of columns and a plain index."""
    names = [str(column) for column in frame.columns]
    repeated = sorted({name for name in names if names.count(name) > 1})
    problems = [
        words.problem(
            table,
            "-",
            words.name(name),
            f"{names.count(name)} columns of this name",
            "one",
            "remove or rename the others",
        )
        for name in repeated
    ]
    first = [at for at, name in enumerate(names) if name not in names[:at]]
    plain = frame.iloc[:, first].reset_index(drop=True)
    plain.columns = pd.Index([names[at] for at in first], dtype=object)
    return plain, problems


def _documented(metadata: Mapping[str, Any], table: str) -> set[str]:
    """Return the columns that the panel's own dictionary, a list of records, describes."""
    records = metadata.get("dictionary")
    return {
        str(record.get("column"))
        for record in (records if isinstance(records, Sequence) else ())
        if isinstance(record, Mapping) and record.get("table") == table
    }


def _missing_table(tables: Mapping[str, pd.DataFrame]) -> Problem:
    unknown = [str(name) for name in tables if name not in TABLES]
    likely = words.closest(REQUIRED_TABLE, unknown)
    remedy = f"rename {words.name(likely)} to {REQUIRED_TABLE}" if likely else "add it"
    accepted = "a table with cvegeo, wave, dwellings and receiving_percent"
    return words.problem(REQUIRED_TABLE, "-", "-", "no such table", accepted, remedy)


def _unknown_table(name: str) -> Problem:
    remedy = words.nearest(name, TABLES) or "remove it"
    accepted = ", ".join(TABLES)
    return words.problem(words.name(name), "-", "-", "an unknown table", accepted, remedy)


def _uncovered(tables: Mapping[str, pd.DataFrame], form: CodeForm) -> list[Problem]:
    """Report a panel without data, and municipalities of which there is no wave."""
    wave, municipality = tables.get(REQUIRED_TABLE), tables.get("municipality")
    if wave is None or "cvegeo" not in wave.columns:
        return []
    if not len(wave):
        accepted = "one row for each municipality and wave"
        return [words.problem(REQUIRED_TABLE, "-", "-", "no rows", accepted, "add the data")]
    problems = []
    share = "receiving_percent"
    if share in wave.columns and wave.loc[:, [share]].iloc[:, 0].isna().all():
        accepted = "at least one percentage"
        problems.append(words.problem(REQUIRED_TABLE, "-", share, "no value at all", accepted))
    if municipality is None or "cvegeo" not in municipality.columns:
        return problems
    covered = {form.padded(str(cell)) for cell in wave.loc[:, ["cvegeo"]].iloc[:, 0]}
    for code in sorted(_texts(municipality) - covered):
        accepted = f"at least one row in {REQUIRED_TABLE}"
        remedy = "add a row, its cells left empty where there is no data, or remove it here"
        row = f"cvegeo={words.bare(code)}"
        problems.append(words.problem("municipality", row, "cvegeo", "no wave", accepted, remedy))
    return problems


def _texts(frame: pd.DataFrame) -> set[str]:
    return set(read_column(frame.loc[:, ["cvegeo"]].iloc[:, 0], "text").cells.dropna())


def _too_few(with_data: pd.Series, waves: int) -> list[Problem]:
    """Report that no wave has data, or one only of several."""
    found = sorted(set(with_data))
    if len(found) > 1 or (found and waves == 1):
        return []
    what = f"one wave of {waves} with data, {found[0]}" if found else "no wave with data"
    accepted = "data in two waves or more, or rows of one wave only"
    remedy = "fill in figures of another wave, or remove the rows of waves without any"
    return [words.problem(REQUIRED_TABLE, "-", "wave", what, accepted, remedy)]


def _no_adjacency(country: Any) -> Problem:
    remedy = "add adjacency.csv with the columns cvegeo_a, cvegeo_b and rook (true or false)"
    if country in MEXICO:
        remedy += (
            "; if these are municipalities of Mexico, leave out the table municipality as well, "
            "and the shipped neighbours are taken"
        )
    return words.problem(
        "adjacency",
        "-",
        "-",
        "no such table",
        "pairs of neighbouring municipalities, for models of space",
        remedy,
    )


def _several_parts(parts: list[list[str]]) -> Problem:
    described = [
        f"{len(part):,} ({', '.join(part[:LISTED])}{', …' if len(part) > LISTED else ''})"
        for part in parts[:LISTED]
    ]
    more = f" and {len(parts) - LISTED} more" if len(parts) > LISTED else ""
    return words.problem(
        "adjacency",
        "-",
        "-",
        f"a map in {len(parts)} parts, of municipalities: {'; '.join(described)}{more}",
        "one connected map, for the reliance model",
        "add the missing pairs (for an island: to the nearest municipality across the water), "
        "or select states that touch one another",
    )
