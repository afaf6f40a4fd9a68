"""What a reliance fit found, as labelled tables, and how it is written to disk.

`RelianceResults` is all the report sees of a fit. On disk it is ``results.json`` beside a folder
``summaries`` with each table as Parquet (for programs) and CSV (for people and spreadsheets).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from remitstats.estimands.files import plain, rounded
from remitstats.estimands.folder import DECIMALS
from remitstats.estimands.model_results import ModelResults

INTERVAL = ("eti90_lower", "eti90_upper")
_PLACE = ("cvegeo", "name", "state", "state_name", "region")
_ESTIMATE = ("mean", "sd", "median", *INTERVAL)

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "level": (
        *_PLACE,
        "wave",
        "dwellings",
        "published_percent",
        "measured",
        *_ESTIMATE,
        "rank_median",
        "rank_eti90_lower",
        "rank_eti90_upper",
        "p_above_5",
        "p_above_10",
        "p_above_20",
    ),
    "change": (*_PLACE, "from_wave", "to_wave", *_ESTIMATE, "p_increase"),
    "group": (
        "level",
        "code",
        "name",
        "wave",
        "dwellings",
        "published_percent",
        *_ESTIMATE,
        "receiving_dwellings_mean",
        "receiving_dwellings_eti90_lower",
        "receiving_dwellings_eti90_upper",
    ),
    "group_change": ("level", "code", "name", "from_wave", "to_wave", *_ESTIMATE, "p_increase"),
    "predictive": (
        "statistic",
        "description",
        "wave",
        "observed",
        "replicated_mean",
        "replicated_eti90_lower",
        "replicated_eti90_upper",
        "p_value",
    ),
    "parameter": ("name", "description", *_ESTIMATE, "r_hat", "ess_bulk", "ess_tail"),
}
TABLES = tuple(COLUMNS)

WIDE_DECIMALS = 4
THRESHOLDS = (5, 10, 20)
SURE = 0.95
# Delgado Wise and Márquez (2006), section on dependence, after CONAPO (2004): households receiving.
PAPER = {"claimed_percent": 8.0, "claimed_households": 1_600_000}


@dataclass(frozen=True, repr=False)
class RelianceResults(ModelResults):
    """Posterior summaries of the reliance model.

    Every share is a percentage of dwellings and every change is in percentage points. Intervals
    are equal-tailed with 90% posterior probability (``eti90_lower``, ``eti90_upper``).

    Parameters
    ----------
    level : DataFrame
        One row a municipality and wave: reliance, its rank (1 is the highest of the wave) and the
        probabilities that it is above 5, 10 and 20%; ``p_above_nation``, which results of before
        lack, is the probability that it is above that of the whole.
    change : DataFrame
        One row a municipality and pair of waves.
    group : DataFrame
        One row a nation, region or state and wave, weighted by dwellings.
    group_change : DataFrame
        One row a nation, region or state and pair of waves.
    predictive : DataFrame
        Posterior predictive check: a statistic as observed and as replicated by the model.
    parameter : DataFrame
        The model's hyperparameters with their convergence figures.
    summary : dict
        What ``results.json`` holds beside the headline: model, engine, convergence, seed, versions.
    """

    columns: ClassVar[Mapping[str, tuple[str, ...]]] = COLUMNS
    derived: ClassVar[tuple[str, ...]] = ("headline",)

    level: pd.DataFrame
    change: pd.DataFrame
    group: pd.DataFrame
    group_change: pd.DataFrame
    predictive: pd.DataFrame
    parameter: pd.DataFrame
    summary: dict[str, Any]

    def title(self) -> str:
        """Return in a few words what the results are of."""
        waves = ", ".join(map(str, self.waves))
        return f"Reliance in {self.level['cvegeo'].nunique():,} municipalities, waves {waves}"

    @property
    def waves(self) -> list[int]:
        """Waves with estimates, in order."""
        return sorted(int(wave) for wave in self.level["wave"].unique())

    @property
    def intervals(self) -> list[tuple[int, int]]:
        """Pairs of waves between which change is reported, adjacent ones first."""
        pairs = self.change[["from_wave", "to_wave"]].drop_duplicates()
        found = {(int(a), int(b)) for a, b in pairs.itertuples(index=False)}
        return sorted(found, key=lambda pair: (not self._adjacent(pair), pair))

    def _adjacent(self, pair: tuple[int, int]) -> bool:
        waves = self.waves
        return pair in set(itertools.pairwise(waves))

    def municipalities(self) -> pd.DataFrame:
        """One row a municipality with every wave and change beside each other.

        Returns
        -------
        DataFrame
            ``cvegeo, name, state, state_name, region``, then for each wave ``dwellings_W,
            published_W, measured_W, reliance_W_median, reliance_W_eti90_lower,
            reliance_W_eti90_upper, rank_W_median``, then for each pair of waves
            ``change_A_B_median`` with its interval and ``p_increase_A_B``. Percentages of
            dwellings and percentage points, to `WIDE_DECIMALS` decimals.
        """
        wide = self.level[list(_PLACE)].drop_duplicates("cvegeo").set_index("cvegeo")
        for wave in self.waves:
            rows = self.level[self.level["wave"] == wave].set_index("cvegeo")
            names = {
                "dwellings": f"dwellings_{wave}",
                "published_percent": f"published_{wave}",
                "measured": f"measured_{wave}",
                **{key: f"reliance_{wave}_{key}" for key in ("median", *INTERVAL)},
                "rank_median": f"rank_{wave}_median",
            }
            wide = wide.join(rows[list(names)].rename(columns=names))
        for start, end in self.intervals:
            here = (self.change["from_wave"] == start) & (self.change["to_wave"] == end)
            rows = self.change[here].set_index("cvegeo")
            names = {key: f"change_{start}_{end}_{key}" for key in ("median", *INTERVAL)}
            names["p_increase"] = f"p_increase_{start}_{end}"
            wide = wide.join(rows[list(names)].rename(columns=names))
        wide = wide.reset_index().sort_values("cvegeo", ignore_index=True)
        for wave in self.waves:
            wide[f"dwellings_{wave}"] = wide[f"dwellings_{wave}"].astype("Int64")
            wide[f"measured_{wave}"] = wide[f"measured_{wave}"].astype("boolean")
        return rounded(wide, WIDE_DECIMALS)

    def headline(self) -> dict[str, Any]:
        """Return the few numbers a front page states, each picked or counted from the tables.

        Returns
        -------
        dict
            ``above`` (by wave and threshold: expected number of municipalities above it, and how
            many are above with probability at least `SURE`), ``moved`` (by pair of waves: how many
            rose, fell or may have done either), ``states`` (by wave: highest and lowest state),
            ``paper`` (the claimed households as a share of each wave's dwellings; None for a panel
            of another country, of which the paper claims nothing).
        """
        level, change = self.level, self.change
        above = [
            {
                "wave": wave,
                "threshold": threshold,
                "expected": round(float(probability.sum()), 1),
                "sure": int((probability >= SURE).sum()),
            }
            for wave in self.waves
            for threshold in THRESHOLDS
            for probability in [level.loc[level["wave"] == wave, f"p_above_{threshold}"]]
        ]
        moved = []
        for start, end in self.intervals:
            here = (change["from_wave"] == start) & (change["to_wave"] == end)
            p = change.loc[here, "p_increase"]
            rose, fell = int((p >= SURE).sum()), int((p <= 1 - SURE).sum())
            unsure = int(p.notna().sum()) - rose - fell
            moved.append(
                {"from_wave": start, "to_wave": end, "rose": rose, "fell": fell, "unsure": unsure}
            )
        states = []
        for wave in self.waves:
            here = (self.group["level"] == "state") & (self.group["wave"] == wave)
            rows = self.group[here & self.group["median"].notna()].sort_values("median")
            if len(rows):
                low, high = str(rows["code"].iloc[0]), str(rows["code"].iloc[-1])
                states.append({"wave": wave, "highest": high, "lowest": low})
        paper = None if self.summary.get("of_another_country") else self._paper()
        return {"above": above, "moved": moved, "states": states, "paper": paper}

    def _paper(self) -> dict[str, Any]:
        """Return the paper's figure in the units of the waves."""
        claim = {**PAPER, **(self.summary.get("paper") or {})}
        households = float(claim["claimed_households"])
        nation = self.group[self.group["level"] == "nation"].sort_values("wave")
        share = [
            {"wave": int(wave), "percent": 100 * households / float(dwellings)}
            for wave, dwellings in zip(nation["wave"], nation["dwellings"], strict=True)
        ]
        implied = 100 * households / float(claim["claimed_percent"])
        return {**claim, "implied_households": implied, "share_of_dwellings": share}

    def document(self) -> dict[str, Any]:
        """Return what ``results.json`` holds: the summary, national estimates and the headline.

        The headline of a fit that did not converge is withheld: its numbers would be findings.
        """
        document: dict[str, Any] = plain(self.summary)
        estimates = dict(document.get("estimates") or {})
        for level, key in (("nation", "national"), ("region", "regional"), ("state", "state")):
            rows = self.group[self.group["level"] == level]
            columns = ["code", "name", "wave", "median", *INTERVAL]
            records = rounded(rows[columns], DECIMALS).to_dict("records")
            estimates.setdefault(key, plain(records))
        document["estimates"] = estimates
        document["headline"] = plain(self.headline()) if self.converged else None
        return document

    def written_tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables as they are written, the wide one of all municipalities among them."""
        same = self.rounded()
        return {**same.tables, "municipalities": same.municipalities()}
