"""Posterior predictive check of the model of pay-outs, with named statistics.

Replications draw every municipality's own pull, every block's rate, the pay-outs and its census
sample anew; its share of receiving dwellings is that of the posterior draw.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from remitstats.estimands.paid_out_flows import expected
from remitstats.models.paid_out import noise_scale, own_scale
from remitstats.models.paid_out_data import FLOOR, PaidData
from remitstats.parts.allocation import summed
from remitstats.parts.sampling_error import draw_published

Array = NDArray[np.float64]
MOST_DRAWS, BATCH = 400, 50
SMALL, LARGE = 5_000, 50_000  # persons
LITTLE = 2_000.0  # dollars a year per receiving dwelling
STATISTICS = {
    "below_floor": f"municipalities where less than {FLOOR:,.0f} dollars were paid",
    "rank_correlation": "rank correlation of dollars per dwelling with the published share",
    "little": f"per cent of municipalities with under {LITTLE:,.0f} dollars per receiving dwelling",
    "median": "median of dollars per receiving dwelling, thousands",
    "spread": "standard deviation of its logarithm",
    "spread_small": f"the same under {SMALL:,} persons",
    "spread_large": f"the same over {LARGE:,} persons",
    "skewness": "skewness of its logarithm",
    "neighbours": "correlation of its logarithm with the mean of the neighbours",
    "top_hundred": "per cent of all dollars paid in the hundred first municipalities",
}


def predictive_table(
    values: Mapping[str, Array], data: PaidData, rng: np.random.Generator
) -> pd.DataFrame:
    """Compare statistics of pay-outs with those of replications.

    Parameters
    ----------
    values : mapping of str to array
        Draws of the parameters.
    data : PaidData
        The data, nothing held out.
    rng : numpy.random.Generator
        Stream of the replications.

    Returns
    -------
    DataFrame
        `statistic, description, observed, replicated_mean, replicated_eti90_lower,
        replicated_eti90_upper, p_value` (share of replications above, ties counting half).
    """
    count = len(values["rate"])
    chosen = np.linspace(0, count - 1, min(MOST_DRAWS, count)).astype(int)
    drawn = []
    for start in range(0, len(chosen), BATCH):
        part = {k: v[chosen[start : start + BATCH]] for k, v in values.items()}
        part["block_unit"] = rng.standard_normal(part["block_unit"].shape)
        if "own_pull" in part:
            scale = own_scale(part, data)
            part["own_pull"] = scale * rng.standard_normal(scale.shape)
        center = np.log(expected(part, data)["paid"])
        dollars = np.exp(center + noise_scale(part, data) * rng.standard_normal(center.shape))
        share = draw_published(rng, part["share_logit"], data.effective)
        drawn.append(_statistics(dollars, share, data))
    replicated = np.concatenate(drawn)
    observed = _statistics(data.dollars[None], data.percent[None] / 100.0, data)[0]
    rows = []
    for i, (name, description) in enumerate(STATISTICS.items()):
        values_of = replicated[:, i][np.isfinite(replicated[:, i])]
        if not np.isfinite(observed[i]) or not len(values_of):
            continue
        low, high = np.quantile(values_of, (0.05, 0.95))
        above = (values_of > observed[i]).mean() + 0.5 * (values_of == observed[i]).mean()
        rows.append(
            {
                "statistic": name,
                "description": description,
                "observed": float(observed[i]),
                "replicated_mean": float(values_of.mean()),
                "replicated_eti90_lower": float(low),
                "replicated_eti90_upper": float(high),
                "p_value": float(above),
            }
        )
    return pd.DataFrame(rows)


def _statistics(dollars: Array, share: Array, data: PaidData) -> Array:
    """Return every statistic of data sets (set, municipality), shape (set, statistic)."""
    receiving = data.dwellings * share
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((receiving > 0) & (dollars >= FLOOR), dollars / receiving, np.nan)
        log = np.log(ratio)
    small, large = data.population < SMALL, data.population > LARGE
    ordered = -np.sort(-dollars, axis=1)
    n, known = data.size, np.isfinite(log)
    home, place = data.home[n:], data.place[n:]
    near = summed(np.where(known, log, 0.0)[:, place], home, n)
    beside = summed(known[:, place].astype(float), home, n)
    out = []
    for i in range(len(dollars)):
        both = known[i] & (beside[i] > 0)
        mean = near[i][both] / beside[i][both]
        fewer = [log[i][known[i] & part] for part in (small, large)]
        out.append(
            [
                (dollars[i] < FLOOR).sum(),
                stats.spearmanr(dollars[i] / data.dwellings, share[i]).statistic,
                100.0 * (ratio[i][known[i]] < LITTLE).mean(),
                np.median(ratio[i][known[i]]) / 1e3,
                log[i][known[i]].std(),
                *(part.std() if len(part) > 2 else np.nan for part in fewer),
                stats.skew(log[i][known[i]]),
                np.corrcoef(log[i][both], mean)[0, 1] if both.sum() > 2 else np.nan,
                100.0 * ordered[i, :100].sum() / ordered[i].sum(),
            ]
        )
    return np.array(out, dtype=float)
