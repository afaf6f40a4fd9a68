"""Loading the shipped panel of Mexico, or anyone's own."""

from __future__ import annotations

from pathlib import Path

from remitstats.errors import PanelError, Problem
from remitstats.panel.complete import complete
from remitstats.panel.file import Draft, read_draft, read_panel
from remitstats.panel.panel import Panel, tidy_table

SHIPPED = "mexico.parquet"


def shipped_path() -> Path | None:
    """Return where the shipped panel lies: in the installed package, or in the repository."""
    package = Path(__file__).resolve().parents[1]
    places = (package / "data" / SHIPPED, package.parent / "data" / SHIPPED)
    return next((path for path in places if path.is_file()), None)


def shipped_panel() -> Panel | None:
    """Return the shipped panel, or None where it has not been built."""
    path = shipped_path()
    return None if path is None else read_panel(path)


def load_mexico() -> Panel:
    """Load the shipped panel: 2,456 municipalities on the boundaries of the 2010 census.

    Returns
    -------
    Panel
        Each table is read when first asked for.

    Raises
    ------
    PanelError
        If the panel is not there, as in a repository in which it has not been built.

    Examples
    --------
    >>> import remitstats
    >>> panel = remitstats.load_mexico()
    >>> panel.table("municipality_wave").columns[:4].to_list()
    ['cvegeo', 'wave', 'dwellings', 'receiving_percent']
    """
    panel = shipped_panel()
    if panel is None:
        raise PanelError(
            f"The shipped panel ({SHIPPED}) is missing. Install the package again, or build the "
            f"panel from the official files: remitstats data build --raw DIR --out data/{SHIPPED}"
        )
    return panel


def load_panel(path: str | Path) -> Panel:
    """Load and check a panel of your own.

    Parameters
    ----------
    path : path-like
        A Parquet file with all tables, a folder with one CSV or Parquet file a table, or one CSV
        or Parquet file with the table `municipality_wave`: at least `cvegeo`, `wave`,
        `dwellings` and `receiving_percent`.

    Returns
    -------
    Panel
        Checked, with the tables `municipality` and `state` filled in where they were left out,
        and for municipalities of Mexico also `adjacency` and `shape`; then
        ``metadata["geography"]`` says so.

    Raises
    ------
    PanelError
        With every problem found: table, row, column, value, what is accepted, what to do.
    """
    draft, problems = inspect_draft(path)
    if problems:
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        raise PanelError(f"{path} is not a valid panel: {count}.", problems)
    whole = complete(draft.tables, draft.metadata, shipped_panel())
    tables = {name: tidy_table(name, frame) for name, frame in whole.tables.items()}
    return Panel(tables, whole.metadata)


def inspect_draft(path: str | Path) -> tuple[Draft, list[Problem]]:
    """Read a panel and return it with everything that is wrong with it.

    Raises
    ------
    PanelError
        If it can't be read at all.
    """
    from remitstats.panel.check import check_tables  # noqa: PLC0415  (pandera takes half a second)

    draft = read_draft(path)
    whole = complete(draft.tables, draft.metadata, shipped_panel())
    return draft, draft.problems + check_tables(whole.tables, whole.metadata, draft.lines)
