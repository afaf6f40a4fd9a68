"""The explorer's pages: what their templates may use, and the files beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remitstats.estimands.files import plain
from remitstats.report.explorer import sections
from remitstats.report.explorer_data import Explorer, gather
from remitstats.report.pages import Page

if TYPE_CHECKING:
    from remitstats.report.surroundings import Surroundings
    from remitstats.report.texts import Texts

SCRIPTS = ("formats.js", "explorer.js", "explorer_chart.js", "explorer_search.js")
VENDOR = (
    *("d3.min.js", "d3.LICENSE.txt", "plot.umd.min.js", "plot.LICENSE.txt"),
    "README.md",
)
# What the scripts say, by the names that they know; {placeholders} are filled there.
WORDS = (
    *("none", "found", "found_more", "opened", "unknown", "failed", "csv", "json", "share"),
    *("shared", "share_by_hand", "row", "what", "when", "value", "with_interval", "interval_of"),
    *(
        "chart_alt",
        "caption",
        "brackets",
        "more",
        "nothing",
        "page",
        "neighbours",
        "no_neighbours",
        "withheld",
    ),
    "title",
)
_PLACEHOLDERS = {
    key: f"{{{key}}}"
    for key in (
        *("count", "shown", "name", "state", "code", "file", "address", "lower", "upper", "axis"),
        *("title", "model"),
    )
}


def explorer_context(results: Mapping[str, Any], surroundings: Surroundings) -> dict[str, Any]:
    """Return what the templates of the explorer may use.

    Parameters
    ----------
    results : mapping of str to results
        By name of model, that of reliance too; rounded as they are written.
    surroundings : Surroundings
        Panel, place, texts.
    """
    texts = surroundings.texts
    found = sections(results, surroundings)
    explorer = gather(found, results["reliance"].level, surroundings.panel, texts)
    return {
        "explorer": explorer,
        "explorer_texts": _words(texts, explorer),
        "explorer_origin": {
            "panel_hash": str(surroundings.panel.hash),
            "models": {
                name: {
                    key: plain(each.summary.get(key))
                    for key in ("seed", "fit_key", "code_version", "panel_hash")
                }
                for name, each in results.items()
            },
        },
        "withheld": [model_name(model, texts) for section in found for model in section.withheld],
    }


def model_name(model: str, texts: Texts) -> str:
    """Return what a model is called in words."""
    key = f"nav.{model}" if f"nav.{model}" in texts else f"explorer.{model}_title"
    return texts.plain(key)


def state_pages(explorer: Explorer, texts: Texts) -> Iterator[tuple[Page, dict[str, Any]]]:
    """Return the pages of tables, one a state, with what their template may use besides."""
    joiner = texts.plain("site.to")
    for code, name, file in explorer.states:
        yield (
            Page(f"municipalities-{file}", "results"),
            {"state_name": name, "state_tables": explorer.tables(code, joiner)},
        )


def write_scripts(explorer: Explorer, folder: Path) -> None:
    """Write the numbers of each state as a script under a folder of assets."""
    place = folder / "explorer"
    place.mkdir()
    for name, text in explorer.scripts():
        (place / f"{name}.js").write_text(text, encoding="utf-8", newline="\n")


def _words(texts: Texts, explorer: Explorer) -> dict[str, Any]:
    words: dict[str, Any] = {
        _camel(key): texts.plain(f"explorer.{key}", **_PLACEHOLDERS) for key in WORDS
    }
    models = {model for section in explorer.sections for model in section.withheld}
    return {
        **words,
        "to": texts.plain("site.to"),
        "models": {model: model_name(model, texts) for model in sorted(models)},
    }


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(word.capitalize() for word in rest)
