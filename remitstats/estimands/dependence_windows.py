"""Windows of four quarters between which the growth of a trend is measured."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remitstats.estimands.dependence_draws import window_weights
from remitstats.models.dependence_data import DependenceData

Array = NDArray[np.float64]
TURN = 2020  # the year after which growth may have changed


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of four quarters between which growth is measured.

    Parameters
    ----------
    data : DependenceData
        Gives the quarters.
    years : tuple of int
        Calendar years that are wanted besides, where the data have them whole.
    """

    data: DependenceData
    years: tuple[int, ...] = ()

    @cached_property
    def quarters(self) -> dict[str, list[str]]:
        """Quarters of each window by name; the first and the newest always."""
        all_ = [str(q) for q in self.data.coords["quarter"]]
        found = {self.first: all_[:4]}
        for year in sorted({TURN, *self.years}):
            inside = [q for q in all_ if q.startswith(str(year))]
            if len(inside) == 4 and str(year) not in (self.first, self.newest):
                found[str(year)] = inside
        found[self.newest] = all_[-4:]
        return found

    @property
    def first(self) -> str:
        """Name of the first window: its year if it is one."""
        all_ = [str(q) for q in self.data.coords["quarter"][:4]]
        whole = all_[0].endswith("Q1")
        return all_[0][:4] if whole else f"{all_[0]} to {all_[-1]}"

    @property
    def newest(self) -> str:
        """Name of the newest window: its year, or both years it lies in."""
        start, end = (str(self.data.coords["quarter"][i])[:4] for i in (-4, -1))
        return end if start == end else f"{start}/{end[2:]}"

    @property
    def weights(self) -> Array:
        """Weights of the quarters, shape (window, quarter)."""
        return window_weights(self.data.coords["quarter"], self.quarters)

    def place(self, name: str) -> int:
        """Return the position of a window."""
        return list(self.quarters).index(name)

    @property
    def periods(self) -> dict[str, tuple[int, int, float]]:
        """First and last window of each period, and the years between their middles."""
        middle = self.weights @ np.arange(len(self.data.coords["quarter"]))
        ends = [(self.first, self.newest)]
        if str(TURN) in self.quarters and str(TURN) not in (self.first, self.newest):
            ends += [(self.first, str(TURN)), (str(TURN), self.newest)]
        found = {}
        for start, end in ends:
            a, b = self.place(start), self.place(end)
            found[f"{start} to {end}"] = (a, b, float(middle[b] - middle[a]) / 4.0)
        return found

    def growth(self, trend: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return growth of every period, per cent a year, and what it changed by.

        Parameters
        ----------
        trend : array, shape (..., window)
            Logarithms.
        """
        found = {
            name: 100.0 * np.expm1((trend[..., b] - trend[..., a]) / years)
            for name, (a, b, years) in self.periods.items()
        }
        if len(found) == 3:
            _, before, after = found.values()
            found["acceleration"] = after - before
        return found
