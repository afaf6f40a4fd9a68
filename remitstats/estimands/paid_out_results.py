"""What a fit of the model of pay-outs found, as labelled tables, and how it is written to disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import pandas as pd

from remitstats.estimands.model_results import ModelResults
from remitstats.estimands.summary import ESTIMATE

QUANTITIES = ("raw", "corrected", "inflow", "outside", "from_outside")
_ENDS = ("median", "eti90_lower", "eti90_upper")

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "municipality": (
        *("cvegeo", "name", "state", "state_name", "population", "dollars", "receiving_percent"),
        *(f"{quantity}_{end}" for quantity in QUANTITIES for end in _ENDS),
        *("p_hub", "p_drained"),
    ),
    "group": ("level", "code", "name", "quantity", *ESTIMATE),
    "hub": (
        *("cvegeo", "name", "state_name", "population", "dollars", "p_hub"),
        *(f"{quantity}_{end}" for quantity in ("inflow", "from_outside") for end in _ENDS),
        *("raw_median", "corrected_median"),
    ),
    "disagreement": ("part", "description", *ESTIMATE),
    "correlation": ("pair", "description", "known", *ESTIMATE),
    "predictive": (
        *("statistic", "description", "observed", "replicated_mean"),
        *("replicated_eti90_lower", "replicated_eti90_upper", "p_value"),
    ),
    "claim": ("claim", "estimand", "description", "known", *ESTIMATE, "probability"),
    "parameter": ("name", "description", *ESTIMATE, "r_hat", "ess_bulk", "ess_tail"),
    "form": ("form", "municipalities", "log_score", "difference", "difference_se", "converged"),
}
TABLES = tuple(COLUMNS)


def empty(name: str) -> pd.DataFrame:
    """Return a table without rows: what results hold where nothing has filled it."""
    kinds = {"form": "str", "converged": "bool"}
    return pd.DataFrame({c: pd.Series(dtype=kinds.get(c, "float64")) for c in COLUMNS[name]})


@dataclass(frozen=True, repr=False)
class PaidOutResults(ModelResults):
    """Posterior summaries of the model of pay-outs.

    Intervals are equal-tailed with 90% posterior probability. Dollars are a year's, at the mean
    prices and exchange rate of the window around the census.

    Parameters
    ----------
    municipality : DataFrame
        One row a municipality: `dollars` paid out there (known) and published `receiving_percent`;
        then median and interval of `raw` (dollars paid there per dwelling that receives there),
        `corrected` (dollars of its own households per such dwelling, wherever they are paid),
        `inflow` (what is paid there over what its households get, if households of a state
        got the same), `outside` (per cent of its households' money paid elsewhere) and
        `from_outside` (per cent of the money paid there that belongs to households elsewhere);
        `p_hub` and `p_drained`, the probabilities that inflow is above 1.5 and below 1 / 1.5.
    group : DataFrame
        The nation and states: `raw`, `corrected`, `outside` and `rate`, the dollars a year per
        receiving dwelling that the model gives its households.
    hub : DataFrame
        The municipalities that are hubs with a probability of at least 0.9, by money from outside.
    disagreement : DataFrame
        What the variance between municipalities of log raw dollars per receiving dwelling, as
        published, is made of: per cent, adding up to 100.
    correlation : DataFrame
        Rank correlations between dollars per dwelling and the share of receiving dwellings: raw
        (known), without sampling error, and with money where it is lived.
    predictive : DataFrame
        Statistics of the data against replications.
    claim : DataFrame
        Quantities that claims refer to by `estimand`.
    parameter : DataFrame
        Hyperparameters with their convergence figures.
    summary : dict
        What ``results.json`` holds.
    form : DataFrame
        Scores of the forms on municipalities held out; empty until they were compared.
    """

    columns: ClassVar[Mapping[str, tuple[str, ...]]] = COLUMNS

    municipality: pd.DataFrame
    group: pd.DataFrame
    hub: pd.DataFrame
    disagreement: pd.DataFrame
    correlation: pd.DataFrame
    predictive: pd.DataFrame
    claim: pd.DataFrame
    parameter: pd.DataFrame
    summary: dict[str, Any]
    form: pd.DataFrame = field(default_factory=partial(empty, "form"))

    def title(self) -> str:
        """Return in a few words what the results are of."""
        return f"Pay-outs and receiving dwellings of {len(self.municipality)} municipalities"
