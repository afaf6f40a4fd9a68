"""The model of pay-outs: its data by hand, its density against NumPy, its forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import remitstats
from remitstats.errors import PanelError, RemitstatsError
from remitstats.models import paid_out
from remitstats.models.paid_out import (
    KEPT,
    Noise,
    Priors,
    log_predictive,
    log_rate,
    noise_scale,
    own_scale,
)
from remitstats.models.paid_out_data import (
    FLOOR,
    constant_dollars,
    kilometres,
    prepare_data,
    share_scores,
)
from remitstats.panel.panel import Panel


@pytest.fixture(scope="module")
def panel() -> Panel:
    return remitstats.load_mexico().select(["01", "06"])


def test_dollars_are_made_comparable_before_they_are_added() -> None:
    month = pd.DataFrame(
        {"mxn_per_usd": [20.0, 25.0], "consumer_price_index": [100.0, 110.0]},
        index=["2020Q1", "2020Q2"],
    )
    quarter = pd.DataFrame(
        {"cvegeo": "01001", "quarter": ["2020Q1", "2020Q2"], "dollars": [1000.0, 2000.0]}
    )
    # pesos of the mean price level 105, then dollars at the mean rate 22.5, twice a half-year
    pesos = 1000 * 20 * 105 / 100 + 2000 * 25 * 105 / 110
    found = constant_dollars(quarter, month, ("2020Q1", "2020Q2"))
    assert found["01001"] == pytest.approx(2 * pesos / 22.5)


def test_steady_prices_and_rate_leave_dollars_as_they_are() -> None:
    names = [f"2020Q{q}" for q in (1, 2, 3, 4)]
    month = pd.DataFrame({"mxn_per_usd": 20.0, "consumer_price_index": 100.0}, index=names)
    quarter = pd.DataFrame({"cvegeo": "01001", "quarter": names, "dollars": [1.0, 2.0, 3.0, 4.0]})
    assert constant_dollars(quarter, month, names)["01001"] == pytest.approx(10.0)


def test_quarter_without_dollars_is_named() -> None:
    month = pd.DataFrame({"mxn_per_usd": 20.0, "consumer_price_index": 100.0}, index=["2020Q1"])
    quarter = pd.DataFrame({"cvegeo": "01001", "quarter": ["2020Q2"], "dollars": 1.0})
    with pytest.raises(PanelError, match="2020Q1"):
        constant_dollars(quarter, month, ["2020Q1"])


def test_distance_of_one_degree_of_latitude() -> None:
    a, b = np.array([0]), np.array([1])
    found = kilometres(np.array([-99.0, -99.0]), np.array([20.0, 21.0]), a, b)
    assert found == pytest.approx([6371.0 * np.pi / 180.0])


def test_every_municipality_reaches_itself_and_its_neighbours_both_ways(panel: Panel) -> None:
    data = prepare_data(panel)
    assert np.array_equal(data.home[: data.size], data.place[: data.size])
    assert (data.distance[: data.size] == 0).all()
    pairs = set(zip(data.home.tolist(), data.place.tolist(), strict=True))
    assert all((b, a) in pairs for a, b in pairs)
    assert len(pairs) == len(data.home)


def test_held_out_municipality_says_nothing_of_its_dollars(panel: Panel) -> None:
    data = prepare_data(panel)
    held = data.hold_out(["01001"])
    assert np.isnan(held.dollars[0])
    assert not held.paid[0]
    assert not held.unpaid[0]
    assert np.array_equal(held.receiving, data.receiving)


def test_raw_correlation_of_the_whole_country_is_the_known_one() -> None:
    from remitstats.estimands.paid_out import raw_correlation

    assert raw_correlation(prepare_data(remitstats.load_mexico())) == pytest.approx(0.472, abs=5e-4)


def test_panel_without_dollars_is_refused_with_what_to_add(panel: Panel) -> None:
    tables = {n: panel.table(n) for n in ("municipality", "municipality_wave", "adjacency")}
    with pytest.raises(PanelError, match="remittances_usd_million"):
        prepare_data(Panel(tables))


def test_unknown_form_is_refused(panel: Panel) -> None:
    with pytest.raises(RemitstatsError, match="Did you mean 'gravity'"):
        paid_out.build(panel, form="gravety")


def test_share_scores_find_the_mode_of_a_well_measured_share(panel: Panel) -> None:
    data = prepare_data(panel)
    center, spread = share_scores(data)
    large = int(np.argmax(data.effective))
    assert special.expit(center[large]) == pytest.approx(data.percent[large] / 100.0, rel=0.01)
    assert spread[large] < spread.max()


@pytest.mark.parametrize("form", ["gravity", "neighbours"])
def test_density_is_that_of_plain_numpy(panel: Panel, form: str, partly_centred_of: Any) -> None:
    model = paid_out.build(panel, form=form)
    data = model.data
    point = model.initial_point()
    rng = np.random.default_rng(1)
    point = {name: value + 0.1 * rng.normal(size=np.shape(value)) for name, value in point.items()}
    own = {
        name.removesuffix("_log__"): np.exp(v) if name.endswith("_log__") else v
        for name, v in point.items()
    }
    fixed = Noise() if form == "gravity" else Noise(own["noise"], own["noise_slope"])
    whole = 0.0
    for name, (mean, sd, precision, known) in partly_centred_of(own, data, fixed).items():
        left = 1.0 / np.sqrt(sd**-2 + precision)
        own[name] = mean - precision * left**2 * (mean - known) + left * own[f"{name}_unit"]
        # the density of what is sampled is that of the effect, times the Jacobian
        whole += float(np.sum(stats.norm.logpdf(own[name], mean, sd) + np.log(left)))
    values = {name: np.asarray(value)[None] for name, value in own.items()}
    if form == "gravity":
        values |= {"noise": np.array([Noise().sd]), "noise_slope": np.array([Noise().slope])}
        prior = own_scale(values, data)[0]
        left = 1.0 / np.sqrt(prior**-2 + (KEPT / noise_scale(values, data)[0]) ** 2)
        values["own_pull"] = (left * own["own_pull_unit"])[None]
    if form == "gravity":
        from remitstats.estimands.paid_out_flows import expected

        center = np.log(expected(values, data)["paid"])[0]
    else:
        center = paid_out.center_without_flows(values, data, form)[0]
    scale = noise_scale(values, data)[0]
    whole += float(np.sum(log_predictive(data.dollars, center, scale)))
    logit = own["share_logit"]
    share = special.expit(logit)
    counts = data.receiving * np.log(share) + (data.effective - data.receiving) * np.log1p(-share)
    whole += float(np.sum(counts))
    priors = Priors()
    kinds = {
        "state_share": priors.share,
        "neighbour_receiving": priors.neighbour,
        "neighbour_persons": priors.neighbour,
    }
    for name, value in own.items():
        if name.startswith(("share_logit", "state_rate")):
            continue
        if name == "own_pull_unit":
            whole += stats.norm.logpdf(value, scale=prior / left).sum()
            continue
        if name == "block_unit":
            whole += stats.norm.logpdf(value).sum()
            continue
        kind = kinds.get(name) or getattr(priors, name)
        if hasattr(kind, "rate"):  # a scale: exponential, and its logarithm's Jacobian
            whole += float(np.log(kind.rate) - kind.rate * value + np.log(value))
        else:
            whole += float(np.sum(stats.norm.logpdf(value, kind.mean, kind.sd)))
    assert float(model.compile_logp(mode="FAST_COMPILE")(point)) == pytest.approx(whole, rel=1e-9)


def test_amount_below_the_floor_counts_as_less_than_the_floor() -> None:
    found = log_predictive(np.array([0.0, 1e4]), np.log([FLOOR, 1e4]), np.array([1.0, 0.5]))
    assert found == pytest.approx([np.log(0.5), stats.norm.logpdf(0, scale=0.5)])


def test_rate_is_that_of_state_and_block(panel: Panel) -> None:
    data = prepare_data(panel)
    blocks = len(data.coords["block"])
    values = {
        "state_rate": np.array([[1.0, 2.0]]),
        "block_sd": np.array([0.5]),
        "block_unit": np.arange(blocks, dtype=float)[None],
    }
    found = log_rate(values, data)[0]
    expected = np.array([1.0, 2.0])[data.state_of] + 0.5 * data.block_of
    assert found == pytest.approx(expected)
