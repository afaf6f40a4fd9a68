"""The page and the words of a comparison of two runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from remitstats.estimands.files import replace_file
from remitstats.report.compare import Comparison, Line, ModelComparison
from remitstats.report.compare_estimates import BEYOND
from remitstats.report.formats import MISSING, show
from remitstats.report.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE = "compare.html"
COUNTS = ("divergences", "quantities", "draws", "chains")
_LONG = 160  # characters of a setting that are shown


def write_page(found: Comparison, out: Path, texts: Texts) -> Path:
    """Write the comparison as one page that needs nothing beside it.

    Returns
    -------
    Path
        ``out / "compare.html"``.
    """
    environment = Environment(
        loader=ChoiceLoader(
            [PackageLoader("remitstats.report"), PackageLoader("remitstats.report", "assets")]
        ),  # one page alone: the style stands in it
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html = environment.get_template("compare.html.j2").render(
        t=texts,
        found=found,
        limit=f"{BEYOND:g}",
        models=[_context(model, texts) for model in found.models],
        lines=headline(found, texts),
        first=found.a,
        second=found.b,
    )
    return replace_file(out / FILE, html)


def _context(model: ModelComparison, texts: Texts) -> dict[str, Any]:
    return {
        "model": model,
        "said": summary(model, texts),
        "run": [row(line, texts) for line in model.run],
        "gate": [row(line, texts) for line in model.gate],
        "headline": cells(model.rows[model.rows["headline"]]),
        "beyond": cells(model.beyond),
        "all": cells(model.rows),
        "municipalities": model.municipalities.to_dict("records"),
        "largest": cells(model.largest),
    }


def summary(model: ModelComparison, texts: Texts) -> str:
    """Return in one sentence what changed in the estimates of a model."""
    if model.withheld:
        key = "both" if len(model.withheld) == 2 else model.withheld[0].lower()
        return texts.plain(f"compare.withheld_{key}")
    local = model.municipalities
    return texts.plain(
        "compare.counted",
        beyond=f"{len(model.beyond):,}",
        rows=f"{len(model.rows):,}",
        local_beyond=f"{int(local['beyond'].sum()):,}",
        local_rows=f"{int(local['rows'].sum()):,}",
        limit=f"{BEYOND:g}",
    )


def row(line: Line, texts: Texts) -> tuple[str, str, str]:
    """Return a setting and its two values as shown."""
    key = f"compare.line_{line.what}"
    name = texts.plain(key) if key in texts else line.what
    kind = {"r_hat_max": "r_hat", "ess_bulk_min": "count", "ess_tail_min": "count"}.get(line.what)
    kind = kind or ("count" if line.what in COUNTS else "plain")
    return name, _value(line.a, kind, texts), _value(line.b, kind, texts)


def cells(rows: pd.DataFrame) -> list[dict[str, str]]:
    """Return estimates of both runs and their differences as shown."""
    return [
        {
            "table": str(each["table"]),
            "label": str(each["label"]),
            "a": show(each["a_median"], "plain"),
            "a_interval": _interval(each, "a"),
            "b": show(each["b_median"], "plain"),
            "b_interval": _interval(each, "b"),
            "difference": show(each["difference"], "plain"),
            "error": show(each["error"], "plain"),
            "ratio": _ratio(float(each["ratio"])),
            "beyond": "beyond" if each["ratio"] > BEYOND else "",
        }
        for each in rows.to_dict("records")
    ]


def _interval(each: dict[Any, Any], side: str) -> str:
    ends = (show(each[f"{side}_{end}"], "plain") for end in ("eti90_lower", "eti90_upper"))
    return "({}, {})".format(*ends)


def _ratio(value: float) -> str:
    if value == float("inf"):
        return "∞"
    return MISSING if value != value else f"{value:.1f}"  # noqa: PLR0124  NaN


def _value(value: Any, kind: str, texts: Texts) -> str:
    if value is None or value in ([], {}):
        return MISSING
    if isinstance(value, bool):
        return texts.plain("compare.yes" if value else "compare.no")
    if isinstance(value, float) or kind == "count":
        return show(float(value), kind) if abs(value) < 1e6 else f"{value:g}"
    text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _LONG else text[: _LONG - 1] + "…"


def headline(found: Comparison, texts: Texts) -> list[str]:
    """Return the first sentences of the comparison, for page and terminal."""
    lines = []
    hashes = {
        (str(model.run[0].a), str(model.run[0].b))
        for model in found.models
        if model.run and model.run[0].what == "panel_hash"
    }
    lines += [texts.plain("compare.data_changed", a=a, b=b) for a, b in sorted(hashes)]
    if not hashes and found.models:
        lines.append(texts.plain("compare.data_same"))
    for key, names in (("only_a", found.only_a), ("only_b", found.only_b)):
        if names:
            lines.append(texts.plain(f"compare.{key}", models=_joined(names)))
    if not found.models:
        lines.append(texts.plain("compare.none_shared"))
    if found.judged is None:
        lines.append(texts.plain("compare.verdicts_none"))
    else:
        count = {"changed": len(found.verdicts), "judged": found.judged}
        lines.append(texts.plain("compare.verdicts_count", **count))
    return lines


def _joined(names: Iterable[str]) -> str:
    return ", ".join(names)
