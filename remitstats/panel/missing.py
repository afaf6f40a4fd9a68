"""What a valid panel lacks, and what a report of reliance leaves out for it.

A panel of another country may know neighbours, several waves or groups of municipalities, or not.
What is not there is left out of the model and said, here in English and in the report by the key in
its language.
"""

from __future__ import annotations

from remitstats.panel.panel import Panel
from remitstats.panel.schema import REQUIRED_TABLE

SENTENCES = {
    "neighbours": "The panel has no table adjacency: municipalities are taken as independent of "
    "their neighbours, and nothing is said of space.",
    "waves": "The panel has one wave: nothing is said of change.",
    "states": "All municipalities are of one state: there are no effects of states, and none are "
    "compared.",
    "shapes": "The panel has no table shape: there are no maps.",
}
"""Key -> what follows from it."""


def missing_for_reliance(panel: Panel) -> list[str]:
    """Return the keys of what a panel lacks for a whole report of reliance.

    Parameters
    ----------
    panel : Panel
        A panel that `check_panel` finds nothing wrong with, or the geography of one alone.
    """
    lacks = [] if _filled(panel, "adjacency") else ["neighbours"]
    if REQUIRED_TABLE in panel:
        wave = panel.table(REQUIRED_TABLE)
        lacks += ["waves"] if wave["wave"].nunique() < 2 else []
        lacks += ["states"] if len(set(panel.states_of(wave["cvegeo"].unique()))) < 2 else []
    return lacks if _filled(panel, "shape") else [*lacks, "shapes"]


def _filled(panel: Panel, name: str) -> bool:
    return name in panel and len(panel.tables[name]) > 0
