"""What part of a country a report covers, in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from remitstats.panel.code_form import codes_of
from remitstats.report.texts import Texts

if TYPE_CHECKING:
    from remitstats.estimands.results import RelianceResults
    from remitstats.panel.panel import Panel

MEXICO_STATES = 32
MANY = 4


@dataclass(frozen=True)
class Scope:
    """What a report covers.

    Parameters
    ----------
    country : str
        Name of the panel's country.
    partial : bool
        Whether the results leave out states of the country; a national figure then means nothing.
    place : str
        What is covered, as words in a sentence.
    foreign : bool
        Whether the panel is one of another country than the paper's, Mexico.
    """

    country: str
    partial: bool
    place: str
    foreign: bool = False


def find_scope(results: RelianceResults, panel: Panel, texts: Texts) -> Scope:
    """Tell from results and panel what a report covers.

    Parameters
    ----------
    results : RelianceResults
        ``summary["scope"] == "selection"`` says that states were left out on purpose.
    panel : Panel
        Its table ``state`` is compared with the states of the results.
    texts : Texts
        For the words.
    """
    country = str(panel.metadata.get("country") or "")
    covered = set(results.level["state"].astype(str))
    known = set(panel.table("state")["state"].astype(str)) if "state" in panel else covered
    selected = results.summary.get("scope") == "selection"
    short = country == "Mexico" and len(covered) < MEXICO_STATES
    partial = selected or short or bool(known - covered)
    name = texts.said_plain(country) if country else texts.plain("site.unknown_country")
    place = name
    if partial:
        states = list(dict.fromkeys(results.level.sort_values("state")["state_name"].astype(str)))
        names = ", ".join(states[:MANY]) + (" …" if len(states) > MANY else "")
        place = texts.plain("site.part", country=name, states=names)
    foreign = codes_of(panel.metadata).own
    return Scope(country=name, partial=partial, place=place, foreign=foreign)


def relabelled(results: RelianceResults, scope: Scope, texts: Texts) -> RelianceResults:
    """Return results to show, whose sum over a part of a country is not called by its name."""
    if not scope.partial:
        return results

    def rename(table: pd.DataFrame) -> pd.DataFrame:
        name = table["name"].where(table["level"] != "nation", texts.plain("site.part_name"))
        return table.assign(name=name)

    return replace(results, group=rename(results.group), group_change=rename(results.group_change))
