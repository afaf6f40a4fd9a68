"""The municipality explorer: what it shows of each municipality, gathered from results and panel.

The explorer shows *sections*, one a subject. A section is a function that turns the results of some
models, and the panel, into `Series` (numbers by municipality and time) and `Chart` (which of them
are drawn together). To show something of another model, write such a function and add it to
`SECTIONS`; nothing else knows of it. A model that was not fitted is not in the results, and its
numbers are simply not shown; of a fit that did not pass its gate `gated` gives none to the section,
and the page says so instead.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from remitstats.report.surroundings import Surroundings
    from remitstats.report.texts import Texts

SECTIONS: tuple[str, ...] = (
    "explorer_reliance:reliance_section",
    "explorer_dependence:dependence_section",
    "explorer_population:population_section",
    "explorer_paid_out:paid_out_section",
)
"""``module:function`` in the report; called as ``function(results, surroundings)``."""

ESTIMATE = {"median": "value", "eti90_lower": "lower", "eti90_upper": "upper"}
COLUMNS = ("cvegeo", "when", "value", "lower", "upper")
MARKS = ("interval", "path", "dots", "ahead", "")


@dataclass(frozen=True)
class Series:
    """Numbers of one kind by municipality and time.

    Parameters
    ----------
    key : str
        Name in downloads, such as ``reliance``; unique in its section.
    title, unit : str
        In words.
    kind : str
        How the numbers look; a key of `formats.KINDS`.
    table : DataFrame
        ``cvegeo``, ``when`` (text), ``value``, and for estimates the ends of their interval,
        ``lower`` and ``upper``; one row a municipality and time. Other columns are left out.
    source : str
        File beside the report that holds the same numbers, or ``panel``.
    chart : str
        Key of the chart that draws it; empty for the table alone.
    mark : str
        How it is drawn: "interval" (points with their intervals), "path" (a line), "dots", "ahead"
        (a dashed line in a band), or nothing.
    aside : bool
        Whether its rows are put away under a heading that opens.
    listed : bool
        Whether the states' tables, for readers without scripts, have it; else the explorer and the
        file alone do. What follows from other rows is left out, or the tables outgrow the report.
    """

    key: str
    title: str
    unit: str
    kind: str
    table: pd.DataFrame
    source: str
    chart: str = ""
    mark: str = ""
    aside: bool = False
    listed: bool = True

    @property
    def in_tables(self) -> bool:
        """Whether the states' tables have it."""
        return self.listed and not self.aside

    @property
    def parts(self) -> int:
        """3 for estimates with an interval, 1 for single numbers."""
        return 3 if "lower" in self.table else 1


@dataclass(frozen=True)
class Chart:
    """Series that are drawn together.

    Parameters
    ----------
    key : str
        Unique in its section.
    title, axis : str
        In words; what the vertical axis shows, with its unit.
    years : mapping of str to float
        Place on the time axis (years) of each ``when`` of its series.
    zero : bool
        Whether nought must be seen.
    ticks : tuple of float
        Years to name on the time axis; by default round ones are chosen.
    references : DataFrame, optional
        ``code`` (of a state, or empty for the whole), ``name``, ``when``, ``value``: thin lines to
        compare with.
    """

    key: str
    title: str
    axis: str
    years: Mapping[str, float]
    zero: bool = True
    ticks: tuple[float, ...] = ()
    references: pd.DataFrame | None = None


@dataclass(frozen=True)
class Section:
    """What the explorer shows of one subject.

    Parameters
    ----------
    key : str
        Its name in downloads and addresses.
    title : str
        Heading.
    about : str
        What must be known to read the numbers.
    series, charts : tuple
        What is shown, in order; both may be empty.
    page : str
        Page of the report that says more; empty for none.
    withheld : tuple of str
        Names of models whose fits did not pass their gates, so that none of their numbers is
        shown.
    notes : mapping of str to str
        Remarks that hold for some municipalities only, by key.
    noted : DataFrame, optional
        ``cvegeo`` and ``note`` (a key): which remark holds for which municipality.
    """

    key: str
    title: str
    about: str
    series: tuple[Series, ...] = ()
    charts: tuple[Chart, ...] = ()
    page: str = ""
    withheld: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    noted: pd.DataFrame | None = None


def sections(results: Mapping[str, Any], surroundings: Surroundings) -> tuple[Section, ...]:
    """Return the sections that there is something to say in.

    Parameters
    ----------
    results : mapping of str to results
        By name of model, rounded as they are written; those of reliance too.
    surroundings : Surroundings
        Panel, place, texts.
    """
    found = []
    for place in SECTIONS:
        module, _, name = place.partition(":")
        make: Callable[..., Section | None] = getattr(
            importlib.import_module(f"remitstats.report.{module}"), name
        )
        section = make(results, surroundings)
        if section is not None:
            found.append(_in_language(section, surroundings.texts))
    return tuple(found)


def _in_language(section: Section, texts: Texts) -> Section:
    """Return a section whose times are said in the language of some texts."""
    if texts.language == "en":
        return section

    def said(table: pd.DataFrame) -> pd.DataFrame:
        words = {when: texts.said_plain(when) for when in table["when"].unique()}
        return table.assign(when=table["when"].map(words))

    charts = [
        replace(
            chart,
            years={texts.said_plain(when): at for when, at in chart.years.items()},
            references=None if chart.references is None else said(chart.references),
        )
        for chart in section.charts
    ]
    series = [replace(each, table=said(each.table)) for each in section.series]
    return replace(section, series=tuple(series), charts=tuple(charts))


def gated(results: Mapping[str, Any], model: str) -> tuple[Any | None, tuple[str, ...]]:
    """Return the results of a model if its fit passed its gate, and the name if it did not.

    Returns
    -------
    results : results or None
        None where there are none, or none that may be shown.
    withheld : tuple of str
        The model's name where its fit did not pass.
    """
    found = results.get(model)
    if found is None or found.converged:
        return found, ()
    return None, (model,)


def estimates(table: pd.DataFrame, when: str, prefix: str = "") -> pd.DataFrame:
    """Return medians and intervals of a table of results in the columns of `Series.table`.

    Parameters
    ----------
    table : DataFrame
        Of results, one row a municipality and time.
    when : str
        Its column that tells the times.
    prefix : str
        What stands before ``median`` and the ends of the interval.
    """
    names = {f"{prefix}{key}": name for key, name in ESTIMATE.items()}
    return _timed(table, when)[["cvegeo", "when", *names]].rename(columns=names)


def single(table: pd.DataFrame, when: str, column: str) -> pd.DataFrame:
    """Return one column of a table of results as `Series.table`, rows without a number left out."""
    rows = _timed(table, when)[["cvegeo", "when", column]].rename(columns={column: "value"})
    return rows.dropna(subset=["value"])


def _timed(table: pd.DataFrame, when: str) -> pd.DataFrame:
    return table.assign(when=table[when].astype(str))
