"""What the dependence model's page and the front page say of it: plain records, no HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from remitstats.estimands.results import SURE
from remitstats.report.dependence_pictures import unit_key
from remitstats.report.not_reproduced import outside_interval
from remitstats.report.records import Row, described, records

if TYPE_CHECKING:
    from remitstats.estimands.dependence_results import DependenceResults
    from remitstats.report.surroundings import Surroundings

TOP = 20
ACCELERATION = "acceleration"


def dependence_context(
    results: DependenceResults,
    surroundings: Surroundings,  # noqa: ARG001 - the numbers alone tell what is said
) -> dict[str, Any]:
    """Return what the templates may use of the model, under the name ``dependence``.

    Parameters
    ----------
    results : DependenceResults
        Rounded as they are written.
    surroundings : Surroundings
        Panel, place, texts, shapes.

    Returns
    -------
    dict
        Names and values for Jinja.
    """
    periods = [str(p) for p in results.growth["period"].unique() if p != ACCELERATION]
    return {
        "unit": unit_key(results),
        "periods": periods,
        "dollar": results.summary.get("dollar_value") or {},
        "nation": _of_nation(results),
        "counts": _counts(results.growth, periods),
        "states": _states(results, periods),
        "ends": _ends(results, periods),
        "national": records(results.nation),
        "over_income": _over_income(results),
        "income": _newest_income(results),
        "concentration": _concentration(results.concentration),
        "highest": _highest(results, periods),
        "sensitivity": records(results.income_sensitivity),
        "scores": _scores(results.forecast_score),
        "predictive": described(results.predictive),
        "outside": described(outside_interval(results.predictive)),
        "parameters": described(results.parameter),
    }


def _of_nation(results: DependenceResults) -> dict[str, Row]:
    """Return the nation's growth by period."""
    rows = results.path_growth[results.path_growth["level"] == "nation"]
    return {str(row["period"]): row for row in records(rows)}


def _counts(growth: pd.DataFrame, periods: list[str]) -> list[Row]:
    """Return by period how many steady municipalities surely rose or fell, or may do either."""
    found = []
    for period in [*periods, ACCELERATION]:
        rows = growth[(growth["period"] == period) & (growth["reporting"] == "steady")]
        if not len(rows):
            continue
        up = int((rows["p_positive"] >= SURE).sum())
        down = int((rows["p_positive"] <= 1.0 - SURE).sum())
        found.append(
            {
                "period": period,
                "rose": f"{up:,}",
                "fell": f"{down:,}",
                "open": f"{len(rows) - up - down:,}",
                "total": f"{len(rows):,}",
            }
        )
    return found


def _states(results: DependenceResults, periods: list[str]) -> list[Row]:
    """Return a record a place: its growth by period."""
    found: dict[str, Row] = {}
    for row in records(results.path_growth):
        entry = found.setdefault(
            str(row["code"]), {"name": row["name"], "level": row["level"], "rows": {}}
        )
        entry["rows"][str(row["period"])] = row
    wanted = [*periods, ACCELERATION]
    return [entry for entry in found.values() if any(p in entry["rows"] for p in wanted)]


def _ends(results: DependenceResults, periods: list[str]) -> dict[str, Row]:
    """Return the states that grew fastest and slowest over the whole and the newest period."""
    states = results.path_growth[results.path_growth["level"] == "state"]
    found: dict[str, Row] = {}
    for key, period in (("whole", periods[0]), ("newest", periods[-1])):
        rows = states[states["period"] == period].sort_values("median")
        if len(rows) > 1:
            low, high = records(rows.iloc[[0, -1]])
            found |= {f"{key}_low": low, f"{key}_high": high}
            up = int((rows["p_positive"] >= SURE).sum())
            down = int((rows["p_positive"] <= 1.0 - SURE).sum())
            found[f"{key}_count"] = {"rose": up, "fell": down, "total": len(rows)}
    return found


def _over_income(results: DependenceResults) -> list[Row]:
    rows = results.nation["quantity"].astype(str).str.contains("income")
    return records(results.nation[rows])


def _newest_income(results: DependenceResults) -> Row:
    """Return the rows on income of the newest year: the whole, and what lies above a tenth."""
    rows = {str(row["quantity"]): row for row in _over_income(results)}
    if not len(results.income_share):
        return {}
    year = int(results.income_share["year"].max())
    total = rows.get(f"remittances over income of households, {year}, per cent")
    above = rows.get(f"above 10% of income, {year}, per cent of municipalities")
    if total is None or above is None:
        return {}
    return {"year": year, "total": total, "above": above}


def _concentration(table: pd.DataFrame) -> list[Row]:
    """Return a record a year with its rows by top."""
    found: dict[int, Row] = {}
    for row in records(table):
        entry = found.setdefault(int(row["year"]), {"year": int(row["year"]), "rows": {}})
        entry["rows"][str(row["top"])] = row
    return list(found.values())


def _highest(results: DependenceResults, periods: list[str]) -> list[Row]:
    """Return the steady municipalities with the highest newest level: level, rank, growth."""
    newest = results.level["window"].iloc[-1]
    level = results.level[
        (results.level["window"] == newest) & (results.level["reporting"] == "steady")
    ].nlargest(TOP, "median")
    rank = results.rank.set_index("cvegeo")
    growth = results.growth[results.growth["period"] == periods[0]].set_index("cvegeo")
    found = []
    for row in records(level):
        code = row["cvegeo"]
        found.append(
            {
                "level": row,
                "rank": {"cvegeo": code, **_one(rank, code)},
                "growth": {"cvegeo": code, **_one(growth, code)},
            }
        )
    return found


def _one(table: pd.DataFrame, code: str) -> Row:
    return {str(key): value for key, value in table.loc[code].items()}


def _scores(table: pd.DataFrame) -> list[Row]:
    """Return means over origins and horizons by way of reporting and method."""
    if not len(table):
        return []
    values = ["crps", "coverage_50", "coverage_80", "coverage_95"]
    mean = table.groupby(["reporting", "method"], sort=False)[values].mean().reset_index()
    series = table.groupby(["reporting", "method"], sort=False)["series"].max()
    mean["series"] = series.to_numpy()
    return records(mean.sort_values(["reporting", "crps"], ascending=[False, True]))
