"""What the state model says on the paper's claims, as quantities that a ledger can name.

"Dependence deepens" has two readings that data answer very differently. That the ratio stands
higher than it stood is known, wherever product is published. That a tendency stands behind it, so
that it would be expected to go on, is what twenty-odd years can tell only roughly.

"The most dynamic source of foreign exchange" has only a part that states can answer: whether
remittances outgrew the product of a state, of its manufacturing and of its oil. Product is not
exports: the panel has no foreign exchange by state.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remitstats.errors import PanelError
from remitstats.estimands.dependence_state_tables import Judged, Money
from remitstats.estimands.summary import ESTIMATE, estimate
from remitstats.models.dependence_state_data import AGAINST, StateData, prepare_data
from remitstats.panel.panel import Panel

Array = NDArray[np.float64]

DEEPENS, DYNAMIC = "dependence-deepens", "most-dynamic-source"
PAPER_YEAR = 2006  # the paper's: what it could have seen ends there


def claim_table(money: Money, panel: Panel, judged: Judged) -> pd.DataFrame:
    """Return one row an estimand that a claim refers to.

    Parameters
    ----------
    money : Money
        Draws of the model.
    panel : Panel
        For the product of industries.
    judged : Judged
        Takes the draws behind probabilities.

    Returns
    -------
    DataFrame
        `claim, estimand, description, known, mean … eti90_upper, probability`. Where `known`, the
        five estimates are one number that needs no model, and `probability` is 1 if what
        the description says holds of it and 0 if not.
    """
    rows = _deepens(money, judged)
    for against in AGAINST:
        try:
            data = money.data if against == money.data.against else prepare_data(panel, against)
        except PanelError:  # a panel without the industry has no such row
            continue
        rows += outgrown(data)
    return pd.DataFrame(rows)


def _deepens(money: Money, judged: Judged) -> list[dict[str, Any]]:
    years, rows = money.data.years, []
    trend, observed = money.nation_trend, money.observed_nation
    for period in money.periods():
        a, b = period.first, period.last
        label = f"{years[a]}_{years[b]}"
        moved = trend[:, b] - trend[:, a]
        higher = (money.paths.trend[:, :, b] > money.paths.trend[:, :, a]).sum(axis=1)
        judged.add(f"national change {label}", moved)
        judged.add(f"states higher {label}", higher)
        if not period.predicted:
            rows.append(
                _known(
                    DEEPENS,
                    f"national_ratio_change_{label}",
                    f"change of the national ratio, {years[a]} to {years[b]}, percentage points "
                    "(holds if above nought)",
                    float(observed[b] - observed[a]),
                )
            )
        rows.append(
            _drawn(
                DEEPENS,
                f"national_trend_change_{label}",
                f"change of the national trend, {years[a]} to {years[b]}, percentage points "
                "(holds if above nought)",
                moved,
                moved > 0,
            )
        )
        rows.append(
            _drawn(
                DEEPENS,
                f"states_with_higher_trend_{label}",
                f"states whose trend stood higher in {years[b]} than in {years[a]} (holds if more "
                "than half)",
                higher,
                higher > 0.5 * len(money.names),
            )
        )
    tendency = 100.0 * np.expm1(money.paths.national_tendency)
    rows.append(
        _drawn(
            DEEPENS,
            "national_tendency",
            "mean yearly growth behind the path of the typical state, per cent of the ratio (holds "
            "if above nought)",
            tendency,
            tendency > 0,
        )
    )
    positive = (money.paths.tendency > 0).sum(axis=1)
    judged.add("states with positive tendency", positive)
    rows.append(
        _drawn(
            DEEPENS,
            "states_with_positive_tendency",
            "states with positive mean yearly growth behind their path (holds if more than half)",
            positive,
            positive > 0.5 * len(money.names),
        )
    )
    return rows


def outgrown(data: StateData) -> list[dict[str, Any]]:
    """Return what is known of remittances against a product, for the whole and the paper's time.

    Parameters
    ----------
    data : StateData
        Remittances against the product of all industries, of manufacturing or of oil.
    """
    years = [int(y) for y in data.coords["year"]]
    ends = [y for y in (PAPER_YEAR, years[-1]) if y in years[1:]]
    rows = []
    known = data.product.shape[1]
    for end in dict.fromkeys(ends):
        b = years.index(end)
        growth = np.log(data.percent[:, b] / data.percent[:, 0])
        more = int((growth > 0).sum())
        label = f"{years[0]}_{end}"
        what = {"product": "gross domestic product"}.get(data.against, f"{data.against} product")
        span = f"{years[0]} to {end}"
        rows.append(
            _known(
                DYNAMIC,
                f"states_outgrowing_{data.against}_{label}",
                f"of {len(growth)} states, those whose remittances in pesos grew more than their "
                f"{what}, {span} (holds if more than half)",
                float(more),
                holds=more > 0.5 * len(growth),
            )
        )
        money, total = data.pesos[:, :known].sum(axis=0), data.product.sum(axis=0)
        faster = 100.0 * np.log(money[b] / money[0] * total[0] / total[b]) / (end - years[0])
        rows.append(
            _known(
                DYNAMIC,
                f"national_growth_over_{data.against}_{label}",
                f"growth of remittances in pesos above that of the {what} of these states "
                f"together, {span}, log per cent a year (holds if above nought)",
                float(faster),
            )
        )
    return rows


def _known(
    claim: str, estimand: str, description: str, value: float, holds: bool | None = None
) -> dict[str, Any]:
    return {
        "claim": claim,
        "estimand": estimand,
        "description": description,
        "known": True,
        **dict.fromkeys(ESTIMATE, value),
        "sd": 0.0,
        "probability": float(value > 0 if holds is None else holds),
    }


def _drawn(
    claim: str, estimand: str, description: str, draws: NDArray[Any], holds: NDArray[np.bool_]
) -> dict[str, Any]:
    found = {name: float(value) for name, value in estimate(draws).items()}
    return {
        "claim": claim,
        "estimand": estimand,
        "description": description,
        "known": False,
        **found,
        "probability": float(holds.mean()),
    }
