"""What pay-outs and the census say, and can't say, on remittances as households' main income.

The claim: for 47% of receiving households remittances are the main income. That is a statement on
how remittances compare with other income *within* each receiving household. The panel has money
by place of payment, receiving dwellings counted by a census that asks whether they receive, not how
much, and model-based mean incomes of all people of a municipality. Means say nothing of how many
households lie above one half. What they do say is whether the count of receiving dwellings fits
the money at all; where dollars per receiving dwelling exceed what an average household lives on,
the census has missed receivers, or money goes to others than households, and no share of
"receiving households" taken from it has a known meaning. A household survey with both incomes
(INEGI's ENIGH microdata) would test the claim.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remitstats.estimands.paid_out_flows import Flows
from remitstats.estimands.summary import ESTIMATE, estimate
from remitstats.models.dependence_state_data import by_quarter
from remitstats.models.paid_out_data import CENSUS, WINDOW, PaidData
from remitstats.panel.panel import Panel

Array = NDArray[np.float64]
MAIN_INCOME = "remittances-main-income"
INCOME = "income_per_person_mxn_month"


def claim_table(
    flows: Flows, data: PaidData, panel: Panel, add: Callable[..., None]
) -> pd.DataFrame:
    """Return one row an estimand that bears on the claim; none of them is the claimed share.

    Parameters
    ----------
    flows : Flows
        Draws of the model.
    data : PaidData
        The data.
    panel : Panel
        For incomes.
    add : callable
        Takes a name and draws that the gate shall judge.
    """
    total = float(data.dollars.sum())
    per_dwelling = total / flows.receiving.sum(axis=1, dtype=float)
    add("dollars per receiving dwelling", per_dwelling)
    rows = [
        _drawn(
            "dollars_per_receiving_dwelling",
            "dollars paid out a year over dwellings that tell the census that they receive",
            per_dwelling,
            float("nan"),
        )
    ]
    income = household_income(panel, data)
    if income is not None:
        ratio = per_dwelling / income
        add("dollars over household income", ratio)
        needed = 100.0 * total / income / float(data.dwellings.sum())
        rows += [
            _known(
                "household_income_dollars",
                "mean current income of a household a year, dollars (CONEVAL's model estimate of "
                "income per person, times persons per dwelling)",
                income,
            ),
            _drawn(
                "dollars_per_receiving_dwelling_over_household_income",
                "dollars a year per receiving dwelling over the mean income of all households "
                "(above 1: the receiving dwellings counted can't be all that share the money, or "
                "they are far from average)",
                ratio,
                float((ratio > 1).mean()),
            ),
            _known(
                "percent_of_dwellings_if_each_got_a_mean_income",
                "per cent of all dwellings that the money would serve if each got a whole mean "
                "household income from it",
                needed,
            ),
        ]
    return pd.DataFrame(rows)


def household_income(panel: Panel, data: PaidData) -> float | None:
    """Return mean household income a year in dollars, weighted by persons; None if not known.

    Pesos of 2020 at the window's mean exchange rate. Municipalities without an income are left out
    of mean income and persons per dwelling alike.
    """
    wave = panel.table("municipality_wave")
    if INCOME not in wave:
        return None
    wave = wave[wave["wave"].astype(int) == CENSUS].set_index("cvegeo")
    income = pd.to_numeric(wave[INCOME]).astype("Float64").reindex(data.coords["municipality"])
    pesos = income.to_numpy(float, na_value=np.nan)
    known = np.isfinite(pesos)
    if not known.any():
        return None
    rate = by_quarter(panel.table("national_month"))["mxn_per_usd"].reindex(list(WINDOW)).mean()
    persons = data.population[known]
    per_dwelling = float(persons.sum() / data.dwellings[known].sum())
    mean = float(pesos[known] @ persons / persons.sum())
    return 12.0 * mean * per_dwelling / float(rate)


def _known(estimand: str, description: str, value: float) -> dict[str, Any]:
    return {
        "claim": MAIN_INCOME,
        "estimand": estimand,
        "description": description,
        "known": True,
        **dict.fromkeys(ESTIMATE, value),
        "sd": 0.0,
        "probability": float("nan"),
    }


def _drawn(estimand: str, description: str, draws: Array, probability: float) -> dict[str, Any]:
    found = {name: float(value) for name, value in estimate(draws).items()}
    return {
        "claim": MAIN_INCOME,
        "estimand": estimand,
        "description": description,
        "known": False,
        **found,
        "probability": probability,
    }
