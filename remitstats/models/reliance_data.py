"""Arrays of a panel as the reliance model takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remitstats.errors import PanelError
from remitstats.panel import sample
from remitstats.panel.code_form import codes_of
from remitstats.panel.panel import Panel
from remitstats.parts import icar
from remitstats.parts.sampling_error import SamplingDesign, effective_dwellings, sampled_dwellings

CELLS = ("wave", "municipality")


@dataclass(frozen=True)
class RelianceData:
    """Arrays of a panel as the model takes them.

    Parameters
    ----------
    coords : mapping of str to array
        `wave` (int), `municipality` (cvegeo), `state` (code).
    dwellings, percent : array, shape (wave, municipality)
        As published; nan where a municipality has no figures in a wave.
    receiving, effective : array, shape (wave, municipality)
        Effective counts of the likelihood; 0 where not measured.
    state_of : array of int, shape (municipality,)
        Position of each municipality's state.
    graph : Graph
        Neighbourhoods of the municipalities; without any edge where the panel knows none.
    """

    coords: Mapping[str, NDArray[Any]]
    dwellings: NDArray[np.float64]
    percent: NDArray[np.float64]
    receiving: NDArray[np.float64]
    effective: NDArray[np.float64]
    state_of: NDArray[np.int64]
    graph: icar.Graph
    design: SamplingDesign = field(default_factory=SamplingDesign)

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Whether each wave and municipality has figures, shape (wave, municipality)."""
        return np.asarray(self.effective > 0)

    @property
    def knows_neighbours(self) -> bool:
        """Whether the panel tells of any neighbours; if not, there is no effect of space."""
        return len(self.graph.edges) > 0

    def observed_variables(self) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Return what the likelihood sees, as variables with dims."""
        return {"receiving_dwellings": (CELLS, self.receiving)}

    def constant_variables(self) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Return what else a reader of a fit needs, as variables with dims."""
        return {
            "effective_dwellings": (CELLS, self.effective),
            "dwellings": (CELLS, self.dwellings),
            "published_percent": (CELLS, self.percent),
        }


def prepare_data(panel: Panel, design: SamplingDesign | None = None) -> RelianceData:
    """Return the arrays the model needs from a panel.

    Parameters
    ----------
    panel : Panel
        With `municipality_wave` and, where they are known, `municipality` and `adjacency`.
    design : SamplingDesign, optional
        Assumed census sample; by default as the panel says (see `design_of`).

    Raises
    ------
    PanelError
        If what the panel says of its sample can't be used.
    """
    design = design or design_of(panel)
    table = panel.table("municipality_wave")
    codes = np.array(sorted(table["cvegeo"].astype(str).unique()))
    waves = np.array(sorted(int(wave) for wave in table["wave"].unique()))

    def wide(column: str) -> NDArray[np.float64]:
        values = pd.to_numeric(table[column]).astype("Float64").to_numpy(float, na_value=np.nan)
        frame = pd.Series(
            values, index=pd.MultiIndex.from_arrays([table["wave"], table["cvegeo"].astype(str)])
        )
        return np.asarray(frame.unstack().reindex(index=waves, columns=codes), dtype=float)

    dwellings, percent = wide("dwellings"), wide("receiving_percent")
    measured = np.isfinite(dwellings) & np.isfinite(percent)
    effective, receiving = np.zeros_like(dwellings), np.zeros_like(dwellings)
    for row, wave in enumerate(waves):
        known = dwellings[row][measured[row]]
        if not len(known):
            continue
        sampled = sampled_dwellings(known, int(wave), design)
        effective[row, measured[row]] = effective_dwellings(known, sampled, design.design_effect)
    receiving[measured] = effective[measured] * percent[measured] / 100.0
    state = panel.states_of(codes)
    states = np.array(sorted(set(state.tolist())))
    return RelianceData(
        coords={"wave": waves, "municipality": codes, "state": states},
        dwellings=dwellings,
        percent=percent,
        receiving=receiving,
        effective=effective,
        state_of=np.searchsorted(states, state).astype(np.int64),
        graph=icar.Graph(len(codes), _edges(panel, codes)),
        design=design,
    )


def _edges(panel: Panel, codes: NDArray[Any]) -> NDArray[np.int64]:
    """Return the pairs of neighbours among municipalities as positions, shape (pair, 2)."""
    if "adjacency" not in panel:
        return np.empty((0, 2), dtype=np.int64)
    adjacency = panel.table("adjacency")
    position = {code: i for i, code in enumerate(codes)}
    edges = [
        (position[a], position[b])
        for a, b in zip(
            adjacency["cvegeo_a"].astype(str), adjacency["cvegeo_b"].astype(str), strict=True
        )
        if a in position and b in position
    ]
    return np.array(edges, dtype=np.int64).reshape(-1, 2)


def design_of(panel: Panel, asked: SamplingDesign | None = None) -> SamplingDesign:
    """Return the census sample that a panel's metadata tell, or the one assumed of Mexico's.

    Parameters
    ----------
    panel : Panel
        ``metadata["sample"]`` may give `fraction` (of all dwellings, in every wave, or an object
        of fractions by wave), `complete_below` and `design_effect`; see `SamplingDesign`. What a
        panel with codes of its own leaves out is as for a wave that `SamplingDesign` knows
        nothing of, never a fraction of Mexico's.
    asked : SamplingDesign, optional
        A design asked for. Where the panel tells of its sample, or is of another country, nothing
        but its design effect is taken: its fractions are those of Mexico's waves.

    Raises
    ------
    PanelError
        If it can't be used.
    """
    if asked is not None:
        own = sample.KEY in panel.metadata or codes_of(panel.metadata).own
        return replace(design_of(panel), design_effect=asked.design_effect) if own else asked
    given = panel.metadata.get(sample.KEY)
    usual = SamplingDesign()
    if given is None:
        return replace(usual, fraction={}) if codes_of(panel.metadata).own else usual
    problems = sample.problems_of_sample(panel.metadata)
    if problems:
        raise PanelError("What the panel says of its census sample can't be used.", problems)
    fraction = given.get(sample.FRACTION, usual.default_fraction)
    by_wave = isinstance(fraction, Mapping)
    return SamplingDesign(
        fraction={int(wave): float(part) for wave, part in fraction.items()} if by_wave else {},
        default_fraction=usual.default_fraction if by_wave else float(fraction),
        complete_below=float(given.get("complete_below", usual.complete_below)),
        design_effect=float(given.get("design_effect", usual.design_effect)),
    )
