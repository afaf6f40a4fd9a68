"""Growth between censuses: the figures everyone can check, and boundaries that changed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import remitstats
from remitstats.errors import PanelError
from remitstats.estimands.depopulation_share import Definition, published_loss
from remitstats.models.depopulation_census import (
    Censuses,
    measure_growth,
    read_censuses,
    recorded_percent,
    reference_date,
)
from remitstats.panel.panel import Panel


@pytest.fixture(scope="module")
def mexico() -> Panel:
    return remitstats.load_mexico()


@pytest.fixture(scope="module")
def censuses(mexico: Panel) -> Censuses:
    return read_censuses(mexico)


def rows(censuses: Censuses, *years: int) -> list[int]:
    return [int(np.flatnonzero(censuses.year == year)[0]) for year in years]


def country(figures: dict[str, list[float | None]], territory: dict[str, str]) -> Panel:
    years = [1990, 1995, 2000, 2005]
    table = pd.DataFrame(
        [
            {"cvegeo": code, "year": year, "population": persons, "kind": "census"}
            for code, series in figures.items()
            for year, persons in zip(years, series, strict=True)
        ]
    ).astype({"population": "Int64"})
    municipality = pd.DataFrame(
        {"cvegeo": list(figures), "name": list(figures), "state": [c[:2] for c in figures]}
    )
    municipality["territory"] = municipality["cvegeo"].map(territory)
    return Panel({"municipality_census": table, "municipality": municipality})


def test_censuses_are_as_far_apart_as_their_reference_dates() -> None:
    assert reference_date(2000) - reference_date(1990) == pytest.approx(9.93, abs=0.01)
    assert reference_date(2010) - reference_date(2005) == pytest.approx(4.65, abs=0.01)
    assert reference_date(1930) == 1930.5


@pytest.mark.parametrize(
    ("first", "last", "percent"),
    [
        (1990, 2000, 28.8),
        (1995, 2000, 31.9),
        (2000, 2005, 50.8),
        (2005, 2010, 10.1),
        (2000, 2010, 28.3),
        (2010, 2020, 27.0),
    ],
)
def test_shares_in_decline_are_those_of_the_published_figures(
    mexico: Panel, censuses: Censuses, first: int, last: int, percent: float
) -> None:
    table = mexico.table("municipality_census")
    wide = table.pivot(index="year", columns="cvegeo", values="published_population")
    start, end = rows(censuses, first, last)
    lost, known = published_loss(
        wide.to_numpy(float, na_value=np.nan), censuses.date, Definition(start, end)
    )
    assert round(100 * lost.sum() / known.sum(), 1) == percent


def test_folding_boundaries_takes_out_those_that_lost_territory(censuses: Censuses) -> None:
    shares = {}
    for pair in ((1990, 2000), (2000, 2010), (2010, 2020)):
        percent = recorded_percent(censuses, *rows(censuses, *pair))
        known = np.isfinite(percent)
        shares[pair] = (int((percent < 0).sum()), int(known.sum()))
    assert shares == {
        (1990, 2000): (665, 2384),
        (2000, 2010): (682, 2435),
        (2010, 2020): (652, 2456),
    }


def test_a_municipality_that_lost_territory_did_not_lose_people() -> None:
    figures = {"01001": [1000, 1100, 700, 770], "01002": [None, None, 500, 550]}
    panel = country(figures, {"01001": "01001", "01002": "01001"})
    growth = measure_growth(read_censuses(panel))
    mother, daughter = growth.percent.T
    assert (mother > 0).all(), "its territory grew in every interval"
    assert growth.end[1, 0] == 1200.0, "both together"
    assert np.isnan(daughter[:2]).all()
    assert daughter[2] == pytest.approx(100 * np.log(1.1) / growth.years[2])


def test_growth_of_a_territory_counts_once(censuses: Censuses) -> None:
    growth = measure_growth(censuses)
    for k in range(len(growth.years)):
        changed = censuses.changed(k, k + 1)
        known = np.isfinite(growth.percent[k]) & changed
        assert len(set(censuses.territory[known])) == known.sum()


def test_a_level_nobody_counted_apart_lies_on_the_line() -> None:
    panel = country({"07004": [1000, None, 1210, 1300], "07005": [500, 500, 500, 500]}, {})
    growth = measure_growth(read_censuses(panel))
    assert growth.unplaced.tolist() == [[1, 0]]
    before, after, _ = growth.percent[:, 0]
    assert before == pytest.approx(after)
    total = before * growth.years[0] + after * growth.years[1]
    assert total == pytest.approx(100 * np.log(1.21)), "what happened over both is known"


def test_the_fifteen_of_chiapas_are_unplaced_or_unknown(censuses: Censuses) -> None:
    growth = measure_growth(censuses)
    codes = set(censuses.municipality[growth.unplaced[:, 1]])
    assert len(codes) == 14
    assert all(code.startswith("07") for code in codes)
    cancuc = list(censuses.municipality).index("07112")
    assert np.isnan(growth.percent[:2, cancuc]).all(), "its territory changed hands as well"


@given(
    st.lists(
        st.lists(st.one_of(st.none(), st.integers(1, 10**6)), min_size=4, max_size=4).filter(
            lambda series: sum(figure is not None for figure in series) >= 2
        ),
        min_size=1,
        max_size=5,
    )
)
def test_growth_over_known_levels_adds_up(figures: list[list[int | None]]) -> None:
    named = {f"01{i:03d}": list(series) for i, series in enumerate(figures, start=1)}
    panel = country(named, {})
    if (
        panel.tables["municipality_census"]["population"]
        .isna()
        .groupby(panel.tables["municipality_census"]["year"])
        .all()
        .any()
    ):
        return  # a year without any figure is no census
    growth = measure_growth(read_censuses(panel))
    for column, series in enumerate(named.values()):
        known = [i for i, figure in enumerate(series) if figure is not None]
        steps = growth.percent[known[0] : known[-1], column] * growth.years[known[0] : known[-1]]
        assert np.isfinite(steps).all()
        expected = 100 * np.log(series[known[-1]] / series[known[0]])
        assert steps.sum() == pytest.approx(expected, abs=1e-6)


def test_a_population_of_zero_is_refused_by_name() -> None:
    panel = country({"01001": [10, 0, 10, 10], "01002": [10, 10, 10, 10]}, {})
    with pytest.raises(PanelError, match="no rate") as caught:
        read_censuses(panel)
    assert "01001, 1995" in str(caught.value)


def test_three_censuses_are_too_few(mexico: Panel) -> None:
    with pytest.raises(PanelError, match="four years or more"):
        read_censuses(mexico, through=2000)
