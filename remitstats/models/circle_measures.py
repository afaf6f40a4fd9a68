"""The circle's state vector, measured: migration, reliance, stability, underdevelopment, growth.

Every variable is put on a scale on which errors hardly depend on the level, standardised within
its wave (so that neither a change of definition nor a common trend counts as an effect) and freed
of what municipalities of one size have in common:

    migration         arcsine root of the share of dwellings with emigrants to the United States
    reliance          arcsine root of the share of dwellings that receive remittances
    stability         minus the logit of the share of people in income poverty
    underdevelopment  score of one factor behind the logits of the marginalisation components
    growth            change of the logarithm of population over the ten years before the wave

Stability and underdevelopment were measured once more ten years before the first wave (1990), when
migration and reliance were not: these earlier measurements, on the same scales, help to tell what
lasts about a municipality from slow dynamics.

The sampling variance of an arcsine root of a share is 1/(4n) whatever the share (Anscombe 1948,
Biometrika 35: 246-254), zeros included, with n the effective number of dwellings of
`parts.sampling_error`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remitstats.errors import PanelError, RemitstatsError, unknown
from remitstats.panel.panel import Panel
from remitstats.parts.factor import OneFactor, one_factor

Array = NDArray[np.float64]

VARIABLES = ("migration", "reliance", "stability", "underdevelopment", "growth")
SAMPLED = ("migration", "reliance")  # measured by the census sample
COMPONENTS = (  # of underdevelopment; each wave uses those it has
    "illiterate_percent",
    "incomplete_primary_percent",
    "incomplete_basic_percent",
    "no_drainage_percent",
    "no_electricity_percent",
    "no_piped_water_percent",
    "crowding_percent",
    "earth_floor_percent",
    "small_locality_percent",
)
MIGRATION = {
    "emigrants": ("emigrant_percent",),
    "emigrants and circular": ("emigrant_percent", "circular_percent"),
}
STABILITY = {  # columns in order of preference, wave by wave
    "income poverty": ("patrimony_poverty_percent", "income_below_line_percent"),
    "low wages": ("low_income_percent",),
}
FACTOR = "factor"
CELLS = ("municipality", "wave", "variable")
EARLIER = ("stability", "underdevelopment")  # measured once more, before the first wave
EARLIER_YEARS = 10
SCALE = ("wave", "variable", "mean", "sd", "drawn_in", "measured")
MOST_SDS = 4.0  # a measurement further from its wave's mean is drawn in to there


@dataclass(frozen=True)
class Measures:
    """How the state vector is measured: the choices a specification curve varies.

    Parameters
    ----------
    migration : str
        A key of `MIGRATION`: which dwellings count.
    stability : str
        A key of `STABILITY`: income poverty (CONEVAL; patrimony poverty in 2000 and 2010, income
        below the poverty line in 2020) or the share with low wages (CONAPO).
    underdevelopment : str
        "factor", or one component of `COMPONENTS` or "low_income_percent" alone.
    size_adjusted : bool
        Whether what municipalities of one size have in common in a wave is taken out (a
        polynomial of degree 2 in the logarithm of population).
    most_sds : float
        Standard deviations beyond which a measurement is drawn in.
    block_size : int
        Most municipalities of a block, the groups of neighbours.
    earlier : bool
        Whether stability and underdevelopment ten years before the first wave are used.
    """

    migration: str = "emigrants"
    stability: str = "income poverty"
    underdevelopment: str = FACTOR
    size_adjusted: bool = True
    most_sds: float = MOST_SDS
    block_size: int = 12
    earlier: bool = True

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        alone = (FACTOR, *COMPONENTS, "low_income_percent")
        for name, value, known in (
            ("migration", self.migration, tuple(MIGRATION)),
            ("stability", self.stability, tuple(STABILITY)),
            ("underdevelopment", self.underdevelopment, alone),
        ):
            if value not in known:
                raise unknown(f"measure of {name}", value, known)
        if not self.most_sds > 1:
            raise RemitstatsError(f"'most_sds' must be above 1, found {self.most_sds!r}.")
        if self.block_size < 2:
            raise RemitstatsError(f"'block_size' must be at least 2, found {self.block_size!r}.")

    def describe(self) -> dict[str, Any]:
        """Return the choices as plain values, for provenance."""
        return asdict(self)


class Wide:
    """Columns of a table by wave or year, in one order of municipalities."""

    def __init__(
        self,
        table: pd.DataFrame,
        over: str,
        waves: Sequence[int],
        codes: NDArray[Any] | None = None,
    ) -> None:
        own = np.array(sorted(table["cvegeo"].astype(str).unique()))
        self.codes = own if codes is None else codes
        self._by_wave = {
            wave: rows.set_index(rows["cvegeo"].astype(str))
            for wave in waves
            for rows in [table[table[over] == wave]]
        }

    def __call__(self, column: str, wave: int) -> Array:
        """Return a column of a wave; nan where there is none."""
        frame = self._by_wave[wave]
        if column not in frame:
            return np.full(len(self.codes), np.nan)
        values = pd.to_numeric(frame[column]).astype("Float64").reindex(self.codes)
        return np.asarray(values.to_numpy(float, na_value=np.nan))

    def first(self, columns: Sequence[str], wave: int) -> Array:
        """Return the first of several columns that has values in a wave."""
        for column in columns:
            values = self(column, wave)
            if np.isfinite(values).any():
                return values
        return np.full(len(self.codes), np.nan)


def stability_of(wide: Wide, wave: int, measures: Measures) -> Array:
    """Return minus the logit of the poor in a wave, shape (municipality,)."""
    return -_logit(wide.first(STABILITY[measures.stability], wave))


def underdevelopment_of(
    wide: Wide,
    wave: int,
    measures: Measures,
    factors: dict[int, OneFactor],
    used: dict[int, tuple[str, ...]],
) -> Array:
    """Return underdevelopment in a wave; a factor and its components are noted."""
    if measures.underdevelopment != FACTOR:
        return _logit(wide(measures.underdevelopment, wave))
    used[wave] = tuple(c for c in COMPONENTS if np.isfinite(wide(c, wave)).any())
    columns = np.column_stack([_logit(wide(c, wave)) for c in used[wave]])
    try:
        factors[wave] = one_factor(columns)
    except ValueError as error:
        raise PanelError(
            f"The panel can't be used for the circle model: in {wave}, {error}. Take more states, "
            "or a single indicator of underdevelopment."
        ) from error
    return factors[wave].score


def measured_earlier(
    panel: Panel,
    codes: NDArray[Any],
    first_wave: int,
    people: Array,
    measures: Measures,
    factors: dict[int, OneFactor],
    used: dict[int, tuple[str, ...]],
) -> tuple[Array, pd.DataFrame]:
    """Return standardised measurements before the first wave, with none where there are none."""
    year = first_wave - EARLIER_YEARS
    table = panel.table("municipality_condition") if "municipality_condition" in panel else None
    nothing = np.full((len(codes), 0), np.nan), pd.DataFrame(columns=SCALE)
    if not measures.earlier or table is None or not (table["year"] == year).any():
        return nothing
    wide = Wide(table, "year", [year], codes)
    alone = measures.underdevelopment
    columns = COMPONENTS if alone == FACTOR else (alone,)
    poverty = wide.first(STABILITY[measures.stability], year)
    if not (np.isfinite(poverty).any() and any(np.isfinite(wide(c, year)).any() for c in columns)):
        return nothing
    found = np.stack(
        [
            stability_of(wide, year, measures),
            underdevelopment_of(wide, year, measures, factors, used),
        ],
        axis=-1,
    )
    out, _, scale = standardised(
        found[:, None], np.zeros((len(codes), 1, 2)), people, [year], EARLIER, measures
    )
    return out[:, 0], scale


def population_of(panel: Panel) -> pd.DataFrame:
    """Return the counted population, one row a municipality, one column a year."""
    table = panel.table("municipality_census")
    wide = table.assign(population=pd.to_numeric(table["population"]).astype(float)).pivot_table(
        index="cvegeo", columns="year", values="population"
    )
    return wide.rename(columns=int)


def growth_of(population: pd.DataFrame, codes: NDArray[Any], wave: int) -> Array:
    """Return the change of the logarithm of population over the ten years before a wave."""
    if wave not in population or wave - 10 not in population:
        return np.full(len(codes), np.nan)
    both = population.reindex(codes)
    return np.asarray(np.log(both[wave].to_numpy(float) / both[wave - 10].to_numpy(float)))


def arcsine_root(percent: Array) -> Array:
    """Return the arcsine root of shares in percent."""
    return np.asarray(np.arcsin(np.sqrt(np.clip(percent, 0.0, 100.0) / 100.0)))


def _logit(percent: Array) -> Array:
    return np.asarray(np.log((percent + 0.5) / (100.5 - percent)))


def standardised(
    values: Array,
    sampling: Array,
    people: Array,
    waves: Sequence[int],
    variables: Sequence[str],
    measures: Measures,
) -> tuple[Array, Array, pd.DataFrame]:
    """Standardise wave by wave; take out size; draw in what lies too far."""
    out, noise = np.full_like(values, np.nan), sampling.copy()
    rows = []
    size = np.log(people)
    basis = np.column_stack([np.ones(len(size)), size - size.mean(), (size - size.mean()) ** 2])
    for (t, wave), (k, variable) in itertools.product(enumerate(waves), enumerate(variables)):
        own = values[:, t, k]
        known = np.isfinite(own)
        if known.sum() <= 3:
            rows.append((wave, variable, np.nan, np.nan, 0, int(known.sum())))
            continue
        mean, sd = float(own[known].mean()), float(own[known].std())
        z = (own - mean) / sd
        if measures.size_adjusted:
            fitted, *_ = np.linalg.lstsq(basis[known], z[known], rcond=None)
            z = z - basis @ fitted
        far = known & (np.abs(z) > measures.most_sds)
        out[:, t, k] = np.clip(z, -measures.most_sds, measures.most_sds)
        noise[:, t, k] = sampling[:, t, k] / sd**2
        rows.append((wave, variable, mean, sd, int(far.sum()), int(known.sum())))
    return out, noise, pd.DataFrame(rows, columns=list(SCALE))
