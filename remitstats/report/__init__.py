"""The HTML report: one folder of pages that opens from disk without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from remitstats.claims.ledger import Ledger
    from remitstats.errors import PanelError
    from remitstats.estimands.results import RelianceResults
    from remitstats.panel.panel import Panel

__all__ = ["build_report"]


def build_report(
    results: RelianceResults,
    panel: Panel,
    out: Path,
    progress: Callable[[str, float], None] | None = None,
    others: Mapping[str, Any] | None = None,
    ledger: Ledger | None = None,
    language: str = "en",
    languages: Sequence[str] = ("en", "es"),
    left_out: Mapping[str, PanelError] | None = None,
) -> Path:
    """Write the report of a reliance fit and, where there are some, of fits of other models.

    It holds every page in English and in Spanish, if nothing else is asked for; each leads to the
    same page in the other.

    Parameters
    ----------
    results : RelianceResults
        What the fit found. When ``results.summary["converged"]`` is not True every page opens with
        a warning and no finding is stated.
    panel : Panel
        The panel that was fitted: shapes for the maps, the dictionary and the account of its build.
    out : Path
        Folder, made where missing. Files of an earlier report in it are replaced, other files are
        left alone.
    progress : callable, optional
        Called with what is being done and the share done (0 to 1).
    others : mapping of str to results, optional
        What fits of other models of `remitstats.catalogue` found, by name, such as
        ``{"circle": circle_results}``: each adds a page and a part of the front page, and its
        tables are written into a folder of its name. Of a fit that did not converge nothing is
        stated.

    ledger : Ledger, optional
        Claims to hold against panel and results (`remitstats.claims.read_ledger`): adds their page
        and a board on the front page, unless the report covers a part of the country.
    language : str
        ``en`` or ``es``: what the report opens with. Pages of the other language lie in a folder of
        its name.
    languages : sequence of str
        What it is written in besides; ``languages=["en"]`` takes half the time and the room.
    left_out : mapping of str to PanelError, optional
        Models that the panel can't serve, with why: the front page says so.

    Returns
    -------
    Path
        ``out / "index.html"``.

    Raises
    ------
    RemitstatsError
        When the folder can't be written, or there is no such model or language.
    """
    from remitstats.report.site import build  # noqa: PLC0415  drawing is heavy to import

    return build(
        results, panel, out, progress, others, ledger, language, languages, without=left_out
    )
