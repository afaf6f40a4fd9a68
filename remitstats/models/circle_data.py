"""Arrays of a panel as the circle model takes them; how they are measured: `circle_measures`."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remitstats.errors import PanelError, Problem, RemitstatsError
from remitstats.geography.blocks import compact_blocks
from remitstats.models.circle_measures import (
    CELLS,
    EARLIER,
    MIGRATION,
    VARIABLES,
    Measures,
    Wide,
    arcsine_root,
    growth_of,
    measured_earlier,
    population_of,
    stability_of,
    standardised,
    underdevelopment_of,
)
from remitstats.models.reliance_data import design_of
from remitstats.panel.panel import Panel
from remitstats.parts.factor import OneFactor
from remitstats.parts.nested_normal import NestedData, Tree
from remitstats.parts.sampling_error import SamplingDesign, effective_dwellings, sampled_dwellings

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CircleData:
    """Arrays of a panel as the circle model takes them.

    Parameters
    ----------
    coords : mapping of str to array
        `municipality` (cvegeo), `state`, `region`, `wave`, `interval` ("2000-2010", …),
        `variable`, `block`, `earlier` (variables measured once more before).
    observed : array, shape (municipality, wave, variable)
        Standardised measurements; nan where there is none.
    sampling : array, shape (municipality, wave, variable)
        Variance of the sampling error of migration and reliance, 0 for the others.
    smallness : array, shape (municipality,)
        Median population over the municipality's own, both means over the waves: noise of the
        other variables is proportional to it.
    earlier : array, shape (municipality, earlier)
        Standardised measurements ten years before the first wave; nan where there is none.
    nested : NestedData
        The measurements on the tree of states, blocks and municipalities, the earlier ones last.
    region_of_state : array of int, shape (state,)
        Position of each state's migration region.
    scale : DataFrame
        One row a wave and variable: `mean`, `sd` on the transformed scale, `drawn_in` (number of
        measurements beyond the limit), `measured`.
    factors : mapping of int to OneFactor
        The factor of underdevelopment of every wave, where a factor was asked for.
    components : mapping of int to tuple of str
        What it was made of.
    measures : Measures
        The choices behind it.
    design : SamplingDesign
        The assumed census sample.
    """

    coords: Mapping[str, NDArray[Any]]
    observed: Array
    sampling: Array
    smallness: Array
    earlier: Array
    nested: NestedData
    region_of_state: NDArray[np.int64]
    scale: pd.DataFrame
    factors: Mapping[int, OneFactor] = field(default_factory=dict)
    components: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    measures: Measures = field(default_factory=Measures)
    design: SamplingDesign = field(default_factory=SamplingDesign)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of municipalities, waves and variables."""
        return self.observed.shape[0], self.observed.shape[1], self.observed.shape[2]

    def observed_variables(self) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Return what the likelihood sees, as variables with dims."""
        return {
            "measurement": (CELLS, self.observed),
            "earlier_measurement": (("municipality", "earlier"), self.earlier),
        }

    def constant_variables(self) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Return what else a reader of a fit needs, as variables with dims."""
        tree = self.nested.tree
        waves, variables = self.coords["wave"], self.coords["variable"]

        def scale(column: str) -> NDArray[Any]:
            wide = self.scale.pivot(index="wave", columns="variable", values=column)
            return wide.reindex(index=waves, columns=variables).to_numpy(float)

        return {
            "state_of": (("municipality",), tree.group_of),
            "block_of": (("municipality",), tree.block_of),
            "region_of_state": (("state",), self.region_of_state),
            "states": (("region",), np.bincount(self.region_of_state)),
            "municipalities": (("state",), np.bincount(tree.group_of)),
            "scale_mean": (("wave", "variable"), scale("mean")),
            "scale_sd": (("wave", "variable"), scale("sd")),
        }

    @property
    def earlier_of(self) -> NDArray[np.int64]:
        """Places of the earlier measurements' variables, shape (earlier,)."""
        return np.array([VARIABLES.index(v) for v in self.coords["earlier"]], dtype=np.int64)

    def with_observed(self, observed: Array, earlier: Array | None = None) -> CircleData:
        """Return the same municipalities with other (simulated) measurements."""
        before = np.full_like(self.earlier, np.nan) if earlier is None else earlier
        flat = np.concatenate([observed.reshape(len(observed), -1), before], axis=1)
        nested = replace(self.nested, observed=flat)
        return replace(self, observed=observed, earlier=before, nested=nested)

    def take(self, units: NDArray[np.bool_]) -> CircleData:
        """Return a part of the municipalities, with the scales and factors of all.

        Parameters
        ----------
        units : array of bool, shape (municipality,)
            Which to keep. Blocks and states that keep none disappear.
        """
        tree = self.nested.tree
        if not units.any():
            raise RemitstatsError("A part of the municipalities must hold at least one.")
        kept, block_of = np.unique(tree.block_of[units], return_inverse=True)
        states, group = np.unique(tree.group_of_block[kept], return_inverse=True)
        regions, region_of = np.unique(self.region_of_state[states], return_inverse=True)
        part = Tree(block_of.astype(np.int64), group.astype(np.int64))
        nested = replace(self.nested, tree=part, observed=self.nested.observed[units])
        coords = dict(self.coords)
        coords["municipality"] = coords["municipality"][units]
        coords["block"] = np.arange(part.blocks)
        coords["state"] = coords["state"][states]
        coords["region"] = coords["region"][regions]
        return replace(
            self,
            coords=coords,
            observed=self.observed[units],
            sampling=self.sampling[units],
            smallness=self.smallness[units],
            earlier=self.earlier[units],
            nested=nested,
            region_of_state=region_of.astype(np.int64),
        )


def coarser(data: CircleData, every: int) -> CircleData:
    """Return a country of fewer municipalities: every n-th block of neighbours of each state.

    Parameters
    ----------
    data : CircleData
        The whole country.
    every : int
        One block in how many; 1 keeps all. Each state keeps at least its first.
    """
    tree = data.nested.tree
    order = np.zeros(tree.blocks, dtype=np.int64)
    for group in range(tree.groups):
        members = np.flatnonzero(tree.group_of_block == group)
        order[members] = np.arange(len(members))
    return data.take((order % every == 0)[tree.block_of])


def prepare_data(
    panel: Panel,
    measures: Measures | None = None,
    design: SamplingDesign | None = None,
    *,
    root_sd: float = 1.0,
) -> CircleData:
    """Return the arrays the circle model needs from a panel.

    Parameters
    ----------
    panel : Panel
        With `municipality_wave` (at least two waves), `municipality_census` (population at the
        waves and ten years before) and `municipality` (centres).
    measures : Measures, optional
        How the state vector is measured.
    design : SamplingDesign, optional
        Assumed census sample.
    root_sd : float
        Prior standard deviation of a state's mean in a wave, in standard deviations.

    Raises
    ------
    PanelError
        If a table or a variable is missing, or only one wave has data: dynamics need two.
    """
    measures, design = measures or Measures(), design or design_of(panel)
    problems = _missing(panel)
    if problems:
        raise PanelError("The panel can't be used for the circle model.", problems)
    table = panel.table("municipality_wave")
    waves = [int(w) for w in sorted(table["wave"].unique())]
    wide = Wide(table, "wave", waves)
    population = population_of(panel)
    transformed = np.full((len(wide.codes), len(waves), len(VARIABLES)), np.nan)
    sampling = np.zeros_like(transformed)
    factors: dict[int, OneFactor] = {}
    used: dict[int, tuple[str, ...]] = {}
    for t, wave in enumerate(waves):
        dwellings = wide("dwellings", wave)
        known = np.isfinite(dwellings)
        variance = np.zeros(len(dwellings))
        sampled = sampled_dwellings(dwellings[known], wave, design)
        worth = effective_dwellings(dwellings[known], sampled, design.design_effect)
        variance[known] = 0.25 / worth
        share = [wide(column, wave) for column in MIGRATION[measures.migration]]
        transformed[:, t, 0] = arcsine_root(np.sum(share, axis=0))
        transformed[:, t, 1] = arcsine_root(wide("receiving_percent", wave))
        sampling[:, t, :2] = variance[:, None]
        transformed[:, t, 2] = stability_of(wide, wave, measures)
        transformed[:, t, 3] = underdevelopment_of(wide, wave, measures, factors, used)
        transformed[:, t, 4] = growth_of(population, wide.codes, wave)
    mean_population = population[[w for w in waves if w in population]].mean(axis=1)
    people = mean_population.reindex(wide.codes).to_numpy(float)
    people = np.where(np.isfinite(people), people, np.nanmedian(people))
    observed, sampling, scale = standardised(
        transformed, sampling, people, waves, VARIABLES, measures
    )
    earlier, earlier_scale = measured_earlier(
        panel, wide.codes, waves[0], people, measures, factors, used
    )
    scale = pd.concat([earlier_scale, scale], ignore_index=True)
    complete = np.isfinite(observed[:, :, :2]).any(axis=(1, 2))
    return _assemble(
        panel, wide.codes, waves, complete, observed, sampling, earlier, people, scale,
        factors, used, measures, design, root_sd,
    )  # fmt: skip


def _missing(panel: Panel) -> list[Problem]:
    """Return a problem for every wave, table or column without which there is no circle."""
    needed = {
        "municipality_wave": ("dwellings", "receiving_percent", "emigrant_percent"),
        "municipality_census": ("population",),
        "municipality": ("longitude", "latitude"),
    }
    table = panel.table("municipality_wave") if "municipality_wave" in panel else None
    waves = [] if table is None else [int(wave) for wave in sorted(table["wave"].unique())]
    too_few = Problem(
        "municipality_wave",
        "-",
        "wave",
        ", ".join(map(str, waves)) or "nothing",
        "at least two waves, for dynamics are what it estimates",
        "add another census wave, or fit a model of one wave (reliance)",
    )
    return [too_few] * (table is not None and len(waves) < 2) + [
        Problem(
            name,
            "-",
            column,
            "nothing",
            f"a table {name} with the column {column}",
            "add it: the circle links migration, remittances, poverty, marginalisation and growth",
        )
        for name, columns in needed.items()
        for column in columns
        if name not in panel
        or column not in panel.table(name)
        or panel.table(name)[column].isna().all()
    ]


def _assemble(
    panel: Panel,
    codes: NDArray[Any],
    waves: Sequence[int],
    keep: NDArray[np.bool_],
    observed: Array,
    sampling: Array,
    earlier: Array,
    people: Array,
    scale: pd.DataFrame,
    factors: Mapping[int, OneFactor],
    used: Mapping[int, tuple[str, ...]],
    measures: Measures,
    design: SamplingDesign,
    root_sd: float,
) -> CircleData:
    codes, observed, sampling, earlier = codes[keep], observed[keep], sampling[keep], earlier[keep]
    state = panel.states_of(codes)
    states = np.array(sorted(set(state.tolist())))
    state_of = np.searchsorted(states, state).astype(np.int64)
    place = panel.table("municipality").set_index("cvegeo").reindex(codes)
    longitude, latitude = (
        pd.to_numeric(place[name]).to_numpy(float) for name in ("longitude", "latitude")
    )
    block_of = compact_blocks(longitude, latitude, state_of, measures.block_size)
    first = np.unique(block_of, return_index=True)[1]
    tree = Tree(block_of, state_of[first])
    regions, region_of_state = _regions(panel, states)
    flat = np.concatenate([observed.reshape(len(codes), -1), earlier], axis=1)
    count = len(VARIABLES)
    pairs = np.array([[t * count, t * count + 1] for t in range(len(waves))], dtype=np.int64)
    people = people[keep]
    return CircleData(
        coords={
            "municipality": codes,
            "state": states,
            "region": regions,
            "wave": np.array(waves),
            "interval": np.array([f"{a}-{b}" for a, b in itertools.pairwise(waves)]),
            "variable": np.array(VARIABLES),
            "block": np.arange(tree.blocks),
            "earlier": np.array(EARLIER[: earlier.shape[1]]),
        },
        observed=observed,
        sampling=sampling,
        smallness=np.median(people) / people,
        earlier=earlier,
        nested=NestedData(tree, flat, pairs, root_sd),
        region_of_state=region_of_state,
        scale=scale,
        factors=factors,
        components=used,
        measures=measures,
        design=design,
    )


def _regions(panel: Panel, states: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the regions there are and the position of each state's among them."""
    if "state" in panel and "region" in panel.table("state"):
        region = panel.table("state").set_index("state")["region"].reindex(states)
        named = region.fillna("unknown").astype(str).to_numpy()
    else:
        named = np.full(len(states), "unknown")
    regions = np.array(list(dict.fromkeys(named)))
    return regions, np.array([list(regions).index(name) for name in named], dtype=np.int64)
