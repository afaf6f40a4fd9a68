from __future__ import annotations

import re
from importlib.resources import files

import pytest
from markupsafe import Markup

from remitstats.report import explorer_page
from remitstats.report.texts import Texts

REPORT = files("remitstats.report")
SOURCES = [
    *(path for path in REPORT.joinpath("templates").iterdir() if path.name.endswith(".j2")),
    *(path for path in REPORT.iterdir() if path.name.endswith(".py")),
]
CIRCLE_GROUPS = (  # of texts whose keys are put together from a variable, a verdict, a sign
    *("assumed", "change", "column", "counted", "curve", "impulse", "jump", "legend", "letter"),
    *("link", "loop", "name", "natural", "node", "other", "panel", "reading", "regime", "short"),
    *("agreement", "moved", "size", "spoken", "step", "title", "verdict"),
)
DEPOPULATION_GROUPS = (
    *("after", "ahead", "asked", "assumed", "change", "decline", "found", "future", "jump"),
    *("kind", "measure", "rate", "width", "within"),
)
DEPENDENCE_GROUPS = (  # likewise: a map and what of it, an assumption, a unit, a method
    *("assumed", "axis", "factor", "growth", "growth_p", "jump", "later", "later_p", "legend"),
    *("level", "method", "score", "share", "share_p", "symbols", "why"),
)
CODE = "\n".join(path.read_text("utf-8") for path in SOURCES)
STATE_GROUPS = (
    *("assumed", "concentration", "front", "is", "known", "legend", "level", "nation", "part"),
    *("paths", "predicted", "tendency", "width"),
)
PAID_GROUPS = (
    *("assumed", "corrected", "form", "front", "hubs", "inflow", "is", "outside", "p_hub", "part"),
    *("parts", "raw", "series", "uncertainty"),
)

TRANSITION_GROUPS = (
    *("alt", "assumed", "axis", "caption", "country", "legend", "path", "rule", "series", "turn"),
)


def test_every_text_asked_for_by_name_is_there():
    texts = Texts()
    asked = set(re.findall(r"""\b(?:t|texts)(?:\.plain)?\(\s*"([a-z_.]+)"[,)]""", CODE))
    assert len(asked) > 100
    assert sorted(key for key in asked if key not in texts) == []


def test_no_text_is_left_over():
    dynamic = (
        "nav.",
        *(f"claims.{group}_" for group in ("basis", "heading", "rule", "verdict")),
        "glossary.",
        "data.file_",
        "method.caveat_",
        "method.reference_",
        "paper.why_",
        "site.part",
    )
    dynamic += tuple(f"circle.{group}_" for group in CIRCLE_GROUPS)
    dynamic += ("circle_region.", "circle_state.")
    dynamic += tuple(f"depopulation.{group}_" for group in DEPOPULATION_GROUPS)
    dynamic += tuple(f"dependence.{group}_" for group in DEPENDENCE_GROUPS)
    dynamic += tuple(f"dependence_state.{group}_" for group in STATE_GROUPS)
    dynamic += tuple(f"paid_out.{group}_" for group in PAID_GROUPS)
    groups = ("assumed", "fastest", "legend", "of", "slower", "source")
    dynamic += tuple(f"macro.{g}_" for g in groups)
    dynamic += tuple(f"transition.{group}_" for group in TRANSITION_GROUPS)
    dynamic += ("missing.",)
    dynamic += tuple(
        f"validation.{g}_" for g in ("agrees", "legend", "met", "missed", "name", "what")
    )
    dynamic += tuple(f"compare.{g}_" for g in ("line", "only", "withheld"))
    dynamic += tuple(f"explorer.{g}_" for g in ("chart", "note", "series", "unit"))
    dynamic += ("paper.verdict_", "index.trend_", "diagnostics.", "states.")
    titles = re.compile(r"^\w+\.(title|front)$")
    left = [
        key
        for key in sorted(Texts())
        if f'"{key}"' not in CODE
        and f"'{key}'" not in CODE
        and not key.startswith(dynamic)
        and not titles.match(key)
        and not key.endswith(".marked_note")
        and key not in {f"explorer.{word}" for word in explorer_page.WORDS}
    ]
    assert left == []


def test_values_are_escaped_and_markup_is_not():
    texts = Texts()
    assert "&lt;b&gt;" in texts("data.open_table", name="<b>", count=1)
    assert "<b>" in texts("data.open_table", name=Markup("<b>"), count=1)


def test_an_unknown_text_is_an_error():
    with pytest.raises(KeyError):
        Texts()("no.such")
