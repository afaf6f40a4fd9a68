"""Arrays of a panel as the reliance model takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remitstats.errors import PanelError
from remitstats.panel.check import check_neighbours
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
        Neighbourhoods of the municipalities.
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
        With `municipality_wave`, `municipality` and `adjacency`.
    design : SamplingDesign, optional
        Assumed census sample.

    Raises
    ------
    PanelError
        If the panel has no adjacency.
    """
    problems = check_neighbours(panel)
    if problems:
        raise PanelError("The panel can't be used for the reliance model.", problems)
    design = design or SamplingDesign()
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
    states = np.array(sorted({code[:2] for code in codes}))
    adjacency = panel.table("adjacency")
    position = {code: i for i, code in enumerate(codes)}
    edges = [
        (position[a], position[b])
        for a, b in zip(
            adjacency["cvegeo_a"].astype(str), adjacency["cvegeo_b"].astype(str), strict=True
        )
        if a in position and b in position
    ]
    return RelianceData(
        coords={"wave": waves, "municipality": codes, "state": states},
        dwellings=dwellings,
        percent=percent,
        receiving=receiving,
        effective=effective,
        state_of=np.searchsorted(states, [code[:2] for code in codes]).astype(np.int64),
        graph=icar.Graph(len(codes), np.array(edges, dtype=np.int64).reshape(-1, 2)),
        design=design,
    )
