"""The data of the benchmarks: Mexico, parts of it, and ten Mexicos beside each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

import remitstats
from benchmarks.bym2 import Bym2Data
from remitstats.models import reliance
from remitstats.panel.panel import Panel

COPIES = 10
GROUPS = 10  # state codes of each copy: two digits name at most a hundred states


@dataclass(frozen=True)
class PanelSpec:
    """Which data an entry is fitted to.

    Parameters
    ----------
    waves : tuple of int
        Census waves.
    areas : int
        Municipalities asked for: at least 2,456 takes all of Mexico, fewer a connected set of
        whole states of about that many.
    copies : int
        How many copies of the country, each a connected map of its own.
    """

    waves: tuple[int, ...] = (2020,)
    areas: int = 2456
    copies: int = 1

    def build(self) -> Panel:
        """Return the panel."""
        panel = remitstats.load_mexico()
        states = connected_states(panel, self.areas)
        panel = panel.select(states, waves=self.waves)
        return replicate(panel, self.copies) if self.copies > 1 else panel


def connected_states(panel: Panel, areas: int) -> list[str]:
    """Return whole states that make one connected map of about `areas` municipalities.

    From every state a set grows, always by the neighbouring state that brings the number of
    municipalities nearest to the one wanted; the best set of all is taken. Deterministic.
    """
    codes = panel.table("municipality")["cvegeo"].astype(str)
    pairs = panel.table("adjacency")[["cvegeo_a", "cvegeo_b"]].astype(str)
    size = _sizes(codes)
    if areas >= len(codes):
        return sorted(size)
    a, b = pairs["cvegeo_a"].str[:2], pairs["cvegeo_b"].str[:2]
    near: dict[str, set[str]] = {s: set() for s in size}
    for first, second in zip(a, b, strict=True):
        if first != second:
            near[first].add(second)
            near[second].add(first)
    best: list[str] = []
    for start in sorted(size):
        chosen, total = [start], size[start]
        while total < areas:
            rim = sorted(set().union(*(near[s] for s in chosen)) - set(chosen))
            step = min(rim, key=lambda s: (abs(total + size[s] - areas), s))
            chosen, total = [*chosen, step], total + size[step]
            for candidate in (chosen, chosen[:-1]):
                if _closer(candidate, best, size, areas) and _connected(candidate, codes, pairs):
                    best = sorted(candidate)
    return best


def _sizes(codes: pd.Series[str]) -> dict[str, int]:
    """Return the number of municipalities of every state."""
    return {str(state): int(n) for state, n in codes.str[:2].value_counts().items()}


def _closer(new: list[str], old: list[str], size: dict[str, int], areas: int) -> bool:
    return abs(sum(size[s] for s in new) - areas) < abs(sum(size[s] for s in old) - areas)


def _connected(states: Iterable[str], codes: pd.Series[str], pairs: pd.DataFrame) -> bool:
    wanted = set(states)
    inside = pd.Index(codes[codes.str[:2].isin(wanted)])
    first, second = (inside.get_indexer(pd.Index(pairs[c])) for c in ("cvegeo_a", "cvegeo_b"))
    kept = (first >= 0) & (second >= 0)
    ones = np.ones(int(kept.sum()))
    graph = coo_array((ones, (first[kept], second[kept])), shape=(len(inside), len(inside)))
    return int(connected_components(graph, directed=False)[0]) == 1


def replicate(panel: Panel, copies: int) -> Panel:
    """Return a panel of `copies` of a country, none a neighbour of another.

    Codes stay legal (five digits, the first two the state), which leaves a hundred states: the
    states of each copy are merged into ten, the smallest always with its smallest neighbour.
    Counts and borders are those of the original; every copy has ten states of its own.
    """
    group = _merged_states(panel, GROUPS)
    codes = sorted(panel.table("municipality")["cvegeo"].astype(str))
    state = [group[code[:2]] for code in codes]
    number = pd.Series(state).groupby(state).cumcount() + 1
    if number.max() > 999:
        raise ValueError("a merged state has more municipalities than three digits can name")
    wave = panel.table("municipality_wave")
    wave = wave[["cvegeo", "wave", "dwellings", "receiving_percent"]]
    municipality = panel.table("municipality")[["cvegeo", "name", "longitude", "latitude"]]
    adjacency = panel.table("adjacency")[["cvegeo_a", "cvegeo_b"]]
    tables: dict[str, list[pd.DataFrame]] = {}
    for copy in range(copies):
        names = [f"{copy * GROUPS + s:02d}{n:03d}" for s, n in zip(state, number, strict=True)]
        new = dict(zip(codes, names, strict=True))
        places = municipality.assign(cvegeo=municipality["cvegeo"].map(new))
        ends = adjacency.apply(lambda column, new=new: column.map(new))
        ordered = np.sort(ends.to_numpy(dtype=str), axis=1)
        own = sorted({name[:2] for name in names})
        for key, frame in {
            "municipality_wave": wave.assign(cvegeo=wave["cvegeo"].map(new)),
            "municipality": places.assign(state=places["cvegeo"].str[:2]),
            "state": pd.DataFrame({"state": own, "name": [f"State {s}" for s in own]}),
            "adjacency": pd.DataFrame(ordered, columns=["cvegeo_a", "cvegeo_b"]),
        }.items():
            tables.setdefault(key, []).append(frame)
    joined = {key: pd.concat(frames, ignore_index=True) for key, frames in tables.items()}
    return Panel(joined, {"country": f"{copies} copies of Mexico"})


def _merged_states(panel: Panel, groups: int) -> dict[str, int]:
    """Return for every state the number of its group of neighbouring states."""
    codes = panel.table("municipality")["cvegeo"].astype(str)
    pairs = panel.table("adjacency")
    size = _sizes(codes)
    leader = {state: state for state in size}
    near = {
        tuple(sorted((a[:2], b[:2])))
        for a, b in zip(pairs["cvegeo_a"], pairs["cvegeo_b"], strict=True)
        if a[:2] != b[:2]
    }
    while len(set(leader.values())) > groups:
        total: dict[str, int] = {}
        for state, lead in leader.items():
            total[lead] = total.get(lead, 0) + size[state]
        smallest = min(total, key=lambda s: (total[s], s))
        rim = {leader[t] for pair in near for s, t in (pair, pair[::-1]) if leader[s] == smallest}
        others = (rim - {smallest}) or set(total) - {smallest}
        into = min(others, key=lambda s: (total[s], s))
        leader = {state: into if lead == smallest else lead for state, lead in leader.items()}
    place = {lead: i for i, lead in enumerate(sorted(set(leader.values())))}
    return {state: place[lead] for state, lead in leader.items()}


def export(panel: Panel) -> Bym2Data:
    """Return the arrays of a panel of one wave and one connected map, with the default priors."""
    data, priors = reliance.prepare_data(panel), reliance.Priors()
    scaling = np.asarray(data.graph.scaling)
    if len(data.coords["wave"]) != 1 or len(scaling) != 1:
        raise ValueError("the comparison needs one wave and one connected map")
    places = panel.table("municipality").set_index("cvegeo").loc[data.coords["municipality"]]
    return Bym2Data(
        receiving=data.receiving[0],
        effective=data.effective[0],
        state_of=data.state_of,
        states=len(data.coords["state"]),
        edges=data.graph.edges,
        scaling=float(scaling[0]),
        longitude=places["longitude"].to_numpy(float),
        latitude=places["latitude"].to_numpy(float),
        mean=priors.intercept.mean,
        intercept_sd=priors.intercept.sd,
        state_rate=priors.state_sd.rate,
        sd_rate=priors.municipality_sd.rate,
        share_alpha=priors.municipality_share.alpha,
        share_beta=priors.municipality_share.beta,
    )
