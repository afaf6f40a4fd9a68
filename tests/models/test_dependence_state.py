"""The state model of dependence: conversions by hand, and one density however it is written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import remitstats
from remitstats.errors import PanelError, RemitstatsError
from remitstats.models import dependence_state
from remitstats.models.dependence_state_data import (
    by_quarter,
    prepare_data,
    remittances_by_year,
)
from remitstats.models.dependence_state_density import Priors, StateDensity
from remitstats.panel.panel import Panel

STATES = ["01", "09", "14", "16", "20", "32"]


@pytest.fixture(scope="module")
def panel() -> Panel:
    return remitstats.load_mexico().select(STATES)


def months(year: int, rate: float) -> pd.DataFrame:
    names = [f"{year}-{m:02d}" for m in range(1, 13)]
    rates = [rate + (m - 1) // 3 for m in range(1, 13)]
    return pd.DataFrame({"month": names, "mxn_per_usd": rates, "consumer_price_index": 100.0})


def test_dollars_become_pesos_quarter_by_quarter_before_they_are_added() -> None:
    month = by_quarter(months(2020, 20.0))
    assert month["mxn_per_usd"].to_list() == [20.0, 21.0, 22.0, 23.0]
    quarter = pd.DataFrame(
        {
            "state": "01",
            "quarter": [f"2020Q{q}" for q in (1, 2, 3, 4)],
            "remittances_usd_million": [1.0, 2.0, 3.0, 4.0],
        }
    )
    dollars, pesos = remittances_by_year(quarter, month["mxn_per_usd"])
    assert dollars.loc["01", 2020] == 10.0
    assert pesos.loc["01", 2020] == 1 * 20 + 2 * 21 + 3 * 22 + 4 * 23


def test_a_quarter_without_one_of_its_months_has_no_rate() -> None:
    month = by_quarter(months(2020, 20.0).iloc[:11])
    assert np.isnan(month.loc["2020Q4", "mxn_per_usd"])


def test_a_year_with_three_quarters_is_no_year(panel: Panel) -> None:
    data = prepare_data(panel)
    assert 2026 not in data.years
    assert panel.table("state_quarter")["quarter"].max() == "2026Q1"


def test_ratio_is_current_pesos_over_current_product(panel: Panel) -> None:
    data = prepare_data(panel)
    month = panel.table("national_month").set_index("month")["mxn_per_usd"]
    quarter = panel.table("state_quarter").set_index(["state", "quarter"])
    product = panel.table("state_year").set_index(["state", "year"])["gdp_current_mxn_million"]
    pesos = 0.0
    for q in range(4):
        rate = month[[f"2010-{3 * q + m:02d}" for m in (1, 2, 3)]].mean()
        pesos += rate * quarter.loc[("16", f"2010Q{q + 1}"), "remittances_usd_million"]
    state, year = list(data.coords["state"]).index("16"), list(data.coords["year"]).index(2010)
    assert data.percent[state, year] == pytest.approx(100 * pesos / product["16", 2010], rel=1e-12)


def test_years_without_product_are_later_years_and_nothing_is_made_up_for_them(
    panel: Panel,
) -> None:
    data = prepare_data(panel)
    assert list(data.coords["later"]) == [2025]
    assert data.percent.shape == (len(STATES), 22)
    assert data.pesos.shape == (len(STATES), 23)


def test_what_was_known_earlier_holds_nothing_from_afterwards(panel: Panel) -> None:
    data = prepare_data(panel)
    past = data.until(2018)
    assert list(past.coords["later"]) == [2019]
    assert past.years[-1] == 2019
    assert np.array_equal(past.percent, data.percent[:, :16])
    assert np.array_equal(past.pesos[:, -1], data.pesos[:, 16])


def test_industry_leaves_out_states_without_it(panel: Panel) -> None:
    whole = remitstats.load_mexico()
    data = prepare_data(whole, "oil")
    assert 2 <= len(data.coords["state"]) < 32
    assert (data.product > 0).all()
    with pytest.raises(RemitstatsError, match="manufacturing"):
        prepare_data(whole, "manufacture")


def test_panel_without_product_is_refused_with_what_to_add() -> None:
    panel = remitstats.load_mexico()
    tables = {name: panel.table(name) for name in ("state_quarter", "national_month")}
    with pytest.raises(PanelError, match="gdp_current_mxn_million"):
        prepare_data(Panel(tables))


def test_gap_in_product_is_refused_by_state_and_year(panel: Panel) -> None:
    table = panel.table("state_year")
    gap = (table["state"] == "14") & (table["year"] == 2010)
    table.loc[gap, "gdp_current_mxn_million"] = np.nan
    with pytest.raises(PanelError, match="state=14, year=2010"):
        prepare_data(panel.with_table("state_year", table))


def test_priors_come_back_from_their_description() -> None:
    priors = Priors()
    assert Priors.of(priors.describe()) == priors


def test_gradient_is_that_of_differences(panel: Panel) -> None:
    density = StateDensity(prepare_data(panel), Priors())
    x = density.start() + 0.3 * np.random.default_rng(1).standard_normal(density.size)
    _, gradient = density.gradient(x)
    step = 1e-5
    for i in range(density.size):
        move = np.zeros(density.size)
        move[i] = step
        slope = (density.gradient(x + move)[0] - density.gradient(x - move)[0]) / (2 * step)
        assert gradient[i] == pytest.approx(slope, rel=1e-5, abs=1e-4)


def test_density_far_away_is_nothing_and_not_an_error(panel: Panel) -> None:
    density = StateDensity(prepare_data(panel), Priors())
    value, gradient = density.gradient(np.full(density.size, 40.0))
    assert value == -np.inf
    assert not gradient.any()


def test_collapsed_density_is_the_pymc_model_with_its_paths_integrated_out(panel: Panel) -> None:
    import pytensor.tensor as pt

    few = prepare_data(panel.select(["01", "16", "20"])).until(2009)
    model = dependence_state.model_of(few)
    latent = (
        *("national_start", "national_tendency", "national_growth_unit", "region_unit"),
        *("product_tendency", "product_national_unit"),
    )
    point: dict[str, Any] = model.initial_point()
    rng = np.random.default_rng(2)
    values: dict[str, np.ndarray] = {}
    density: StateDensity = model.collapsed
    x = density.start() + 0.2 * rng.standard_normal(density.size)
    own = density.constrain(x)
    jacobian = 0.0
    for name, initial in point.items():
        plain = name.removesuffix("_log__")
        if plain in latent:
            values[name] = np.zeros_like(initial)
            continue
        inside = name.endswith("_log__")
        values[name] = np.log(own[plain]) if inside else own[plain]
        if inside and plain not in ("state_scale_sd", "year_scale_sd", "product_scale_sd"):
            # the engine's number is a normal score, PyMC's a logarithm: d log sd / d score
            place = density.layout[plain][0]
            t = float(x[place][0])
            prior = getattr(density.priors, plain)
            step = 1e-6
            rise = np.log(prior.constrain(t + step) / prior.constrain(t - step)) / (2 * step)
            jacobian += float(np.log(rise))
    logp = model.compile_fn([pt.sum(term) for term in model.logp(sum=False)])
    free = [n for n in point if n in latent]
    sizes = [np.size(values[n]) for n in free]

    def joint(z: np.ndarray) -> float:
        parts = np.split(z, np.cumsum(sizes)[:-1])
        paths = {n: p.reshape(np.shape(values[n])) for n, p in zip(free, parts, strict=True)}
        return float(sum(logp(values | paths)))

    # the joint density is quadratic in the paths: its integral is exact
    count = sum(sizes)
    eye = np.eye(count)
    middle = joint(np.zeros(count))
    up, down = (np.array([joint(sign * e) for e in eye]) for sign in (1, -1))
    slope, hessian = 0.5 * (up - down), np.diag(up + down - 2 * middle)
    for i in range(count):
        for j in range(i):
            hessian[i, j] = joint(eye[i] + eye[j]) - up[i] - up[j] + middle
            hessian[j, i] = hessian[i, j]
    whole = middle - 0.5 * float(slope @ np.linalg.solve(hessian, slope))
    whole += 0.5 * count * np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(-hessian)[1]
    assert density.gradient(x)[0] == pytest.approx(whole + jacobian, rel=1e-7)


def test_specification_says_what_the_fit_depends_on(panel: Panel) -> None:
    model = dependence_state.build(panel)
    assert model.specification["model"] == "dependence_state"
    assert model.specification["known_until"] == 2024
    assert model.specification["priors"]["walk_sd"]["upper"] == Priors().walk_sd.upper
