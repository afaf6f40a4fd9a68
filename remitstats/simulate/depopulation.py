"""Made-up census populations on a real or made-up geography, drawn from the depopulation model.

The first census stands as it is; growth is drawn interval by interval, and counts and surveys
publish levels with the errors that the model gives them. Whatever is fitted to the populations can
be held against the truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remitstats.errors import RemitstatsError, unknown
from remitstats.models import depopulation
from remitstats.models.depopulation_data import CELLS, DepopulationData
from remitstats.panel.panel import Panel

Array = NDArray[np.float64]

TYPICAL = {
    "interval_sd": 0.6,
    "size_interval_sd": 0.2,
    "state_sd": 0.3,
    "state_interval_sd": 0.4,
    "municipality_sd": 1.1,
    "municipality_share": 0.7,
    "municipality_rho": 0.7,
    "count_sd": 3.5,
    "survey_sd": 3.5,
    "noise_sd": 0.5,
    "small_size": 2.0,
    "tail_weight": 0.6,
}
"""Hyperparameters of about the size that Mexico's censuses have; `noise_sd` is of all intervals."""

GRID_YEARS = {
    1990: "census",
    1995: "count",
    2000: "census",
    2005: "count",
    2010: "census",
    2015: "survey",
    2020: "census",
}
PERSONS = 4.0  # a dwelling, of an artificial country without a census


@dataclass(frozen=True)
class DepopulationSimulation:
    """A panel with simulated populations, and what they were simulated from.

    Parameters
    ----------
    panel : Panel
        Its census populations are simulated, and its metadata say so.
    hyperparameters : mapping of str to float
        True hyperparameters.
    underlying, growth : DataFrame
        True rates in % a year, one row a municipality (index `cvegeo`), one column an interval:
        underlying, and with what passes.
    seed : int
        What it was drawn with.
    """

    panel: Panel
    hyperparameters: Mapping[str, float]
    underlying: pd.DataFrame
    growth: pd.DataFrame
    seed: int


def simulate_depopulation(
    panel: Panel, *, seed: int, hyperparameters: Mapping[str, float] | None = None
) -> DepopulationSimulation:
    """Simulate census populations for the municipalities of a panel.

    Parameters
    ----------
    panel : Panel
        Gives geography, territories, the first populations, which figures there are, and which
        years are counts or surveys. A panel without `municipality_census` gets the years of
        Mexico and four persons a dwelling of its first wave to start from.
    seed : int
        Everything random follows from it.
    hyperparameters : mapping of str to float, optional
        Instead of those in `TYPICAL`; ``noise_sd`` sets all intervals.

    Raises
    ------
    RemitstatsError
        If a hyperparameter is unknown (the nearest is suggested).

    Notes
    -----
    Municipalities that were created are simulated from their first figure on; what they took from
    others stays with those, so that territories are left as one municipality each.
    """
    table = _census(panel)
    panel = Panel(panel.with_table("municipality_census", table).tables, panel.metadata)
    panel = _apart(panel)
    data = depopulation.prepare_data(panel)
    rng = np.random.default_rng(seed)
    truth = _truth(data, hyperparameters or {})
    underlying = _rates(data, truth, rng)
    scale = depopulation.likelihood(data).measurement_sd(truth).reshape(underlying.shape)
    degrees = 2.0 / truth["tail_weight"]
    growth = underlying + scale * np.clip(rng.standard_t(degrees, scale.shape), -20.0, 20.0)
    published = _publish(data, growth, truth, rng)
    index = pd.Index(data.coords["municipality"], name="cvegeo")
    columns = pd.Index(data.coords["interval"], name=CELLS[0])
    return DepopulationSimulation(
        panel=_with_population(panel, data, published, seed, truth),
        hyperparameters=truth,
        underlying=pd.DataFrame(underlying.T, index=index, columns=columns),
        growth=pd.DataFrame(growth.T, index=index, columns=columns),
        seed=seed,
    )


def _census(panel: Panel) -> pd.DataFrame:
    if "municipality_census" in panel:
        return panel.table("municipality_census")
    wave = panel.table("municipality_wave")
    first = wave[wave["wave"] == wave["wave"].min()]
    persons = (PERSONS * first["dwellings"].astype("Float64")).round().astype("Int64")
    return pd.concat(
        [
            pd.DataFrame(
                {"cvegeo": first["cvegeo"], "year": year, "population": persons, "kind": kind}
            )
            for year, kind in GRID_YEARS.items()
        ],
        ignore_index=True,
    )


def _apart(panel: Panel) -> Panel:
    """Return the panel with every municipality its own territory."""
    table = panel.table("municipality")
    if "territory" not in table:
        return panel
    return Panel(
        panel.with_table("municipality", table.drop(columns="territory")).tables, panel.metadata
    )


def _truth(data: DepopulationData, given: Mapping[str, float]) -> dict[str, float]:
    names = list(depopulation.latent_gaussian(data, depopulation.Priors()).hyperparameters)
    noise = depopulation.noise_names(data)
    known = [*names, "noise_sd"]
    for name in given:
        if name not in known:
            raise unknown("hyperparameter", name, known)
    values = {**TYPICAL, **given}
    found = {name: values["noise_sd"] if name in noise else values[name] for name in names}
    for name in noise:
        found[name] = given.get(name, found[name])
    if not all(value > 0 for name, value in found.items() if name != "municipality_rho"):
        raise RemitstatsError("Hyperparameters of a simulation must be positive.")
    return found


def _rates(data: DepopulationData, truth: Mapping[str, float], rng: np.random.Generator) -> Array:
    """Draw underlying rates, shape (interval, municipality): the model without its errors."""
    priors = depopulation.Priors()
    blocks = depopulation.latent_gaussian(data, priors)
    total = np.full(data.percent.size, priors.growth.mean)
    sizes = {"growth": 0.3, "size_slope": 0.2}  # not of the prior, which is wide
    for component in blocks.components:
        if component.name.endswith("_error"):
            continue
        unit = component.structure.sample(rng, component.copies)
        root = np.linalg.cholesky(component.covariance(truth))
        if component.name in sizes:
            root = np.array([[sizes[component.name]]])
        total += component.enter((root @ unit).ravel())
    return total.reshape(data.percent.shape)


def _publish(
    data: DepopulationData, growth: Array, truth: Mapping[str, float], rng: np.random.Generator
) -> Array:
    """Return populations as published, shape (census, municipality); nan where there is none."""
    censuses = data.censuses
    rows, municipalities = censuses.population.shape
    first = np.minimum(censuses.first, rows - 1)
    level = np.full((rows, municipalities), np.nan)
    start = censuses.population[first, np.arange(municipalities)]
    for row in range(rows):
        begins = first == row
        level[row] = np.where(begins, np.log(start), level[row])
        if row:
            onward = level[row - 1] + growth[row - 1] * data.years[row - 1] / 100.0
            level[row] = np.where(first < row, onward, level[row])
    for row, kind in enumerate(censuses.kind):
        if kind != "census" and row:
            sd = truth[f"{kind}_sd"] * data.relative_error / 100.0
            level[row] += sd * rng.standard_normal(municipalities)
    published = np.maximum(np.round(np.exp(level)), 1.0)
    return np.where(np.isfinite(censuses.population), published, np.nan)


def _with_population(
    panel: Panel,
    data: DepopulationData,
    published: Array,
    seed: int,
    truth: Mapping[str, float],
) -> Panel:
    """Return the panel with other populations, labelled as simulated."""
    table = panel.table("municipality_census")
    row = np.searchsorted(data.censuses.year, table["year"].to_numpy(int))
    column = np.searchsorted(data.coords["municipality"], table["cvegeo"].to_numpy(str))
    table["population"] = pd.array(published[row, column], dtype="Float64").astype("Int64")
    if "published_population" in table:
        table["published_population"] = table["population"]
    title = str(panel.metadata.get("title", "panel")).removeprefix("Simulated: ")
    metadata = {
        **panel.metadata,
        "title": f"Simulated: {title}",
        "simulated": {"model": depopulation.NAME, "seed": seed, "hyperparameters": dict(truth)},
    }
    return Panel(panel.with_table("municipality_census", table).tables, metadata)
