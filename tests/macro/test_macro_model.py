"""The macro model: its density against a dense oracle, its gradient, its data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import remitstats
from remitstats.errors import PanelError
from remitstats.models import macro
from remitstats.models.macro import MacroDensity, Priors
from remitstats.models.macro_data import PANDEMIC, check, prepare_data
from remitstats.parts.priors import NormalPrior


@pytest.fixture(scope="module")
def density(series):
    return MacroDensity(prepare_data(series))


def oracle(density: MacroDensity, scales: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the known growths, put together term by term from the definition."""
    data, priors = density.data, density.priors
    year, source = np.nonzero(np.isfinite(data.growth))
    count, size = len(data.coords["source"]), len(year)
    mean, covariance = np.full(size, priors.drift.mean), np.zeros((size, size))
    for a in range(size):
        covered = data.coords["source"][source[a]] == "remittances" and (
            data.coords["year"][year[a]] in (2001, 2002, 2003)
        )
        mean[a] += priors.coverage.mean if covered else 0.0
        for b in range(size):
            if source[a] != source[b]:
                continue
            walked = min(year[a], year[b])  # changes of drift since the first growth
            covariance[a, b] = priors.drift.sd**2 + scales[count + source[a]] ** 2 * walked
            if a == b:
                covariance[a, b] += scales[source[a]] ** 2
                covariance[a, b] += priors.coverage.sd**2 if covered else 0.0
    return mean, covariance


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_density_is_that_of_the_definition(density, seed):
    x = np.random.default_rng(seed).standard_normal(density.size)
    scales = density.scales(x)
    mean, covariance = oracle(density, scales)
    growth = density.data.growth[density.data.known]
    expected = stats.multivariate_normal(mean, covariance).logpdf(growth)
    expected += stats.norm.logpdf(x).sum()
    assert density.gradient(x)[0] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_gradient_is_the_slope_of_the_density(density, seed):
    x = np.random.default_rng(seed).standard_normal(density.size)
    _, gradient = density.gradient(x)
    step = 1e-5
    for i in range(density.size):
        up, down = x.copy(), x.copy()
        up[i] += step
        down[i] -= step
        slope = (density.gradient(up)[0] - density.gradient(down)[0]) / (2 * step)
        assert gradient[i] == pytest.approx(slope, rel=1e-5, abs=1e-6)


def test_scales_of_normal_scores_are_those_of_the_priors(density):
    x = np.linspace(-3, 3, density.size)
    scales, count = density.scales(x), density.sources
    priors = [density.priors.shock_sd] * count + [density.priors.drift_sd] * count
    assert scales == pytest.approx([p.constrain(t) for p, t in zip(priors, x, strict=True)])


def test_the_pymc_model_is_the_same(series, density):
    model = macro.build(series)
    x = np.random.default_rng(4).standard_normal(density.size)
    scales, count = density.scales(x), density.sources
    point = {"shock_sd_log__": np.log(scales[:count]), "drift_sd_log__": np.log(scales[count:])}
    growth = next(rv for rv in model.observed_RVs if rv.name == "growth")
    found = model.compile_logp(vars=[growth])(point)
    mean, covariance = oracle(density, scales)
    known = density.data.growth[density.data.known]
    assert found == pytest.approx(stats.multivariate_normal(mean, covariance).logpdf(known))


def test_what_is_integrated_out_has_the_moments_of_the_definition(density):
    scales = density.scales(np.full(density.size, 0.3))
    latent, cross = density.latent(scales)
    noise = np.diag(scales[: density.sources][density.cells[1]] ** 2)
    known = density.adds.T @ latent.covariance @ density.adds + noise
    assert known == pytest.approx(density.covariance(scales))
    assert density.adds.T @ latent.mean == pytest.approx(oracle(density, scales)[0])
    assert cross == pytest.approx(latent.covariance @ density.adds)


def test_a_density_that_is_none_is_minus_infinity(density):
    value, _ = density.gradient(np.full(density.size, np.nan))
    assert value == -np.inf


def test_growth_of_the_pandemic_and_of_years_without_figures_is_not_used(simulate_series):
    panel = simulate_series(last=2024)
    table = panel.table("national_year")
    table["oil_exports_usd_million"] = table["oil_exports_usd_million"].mask(table["year"] > 2018)
    data = prepare_data(panel.with_table("national_year", table))
    years = data.coords["year"]
    assert not data.known[np.isin(years, PANDEMIC)].any()
    assert data.known[years == 2022, 0].all()
    assert not data.known[years > 2018, 1].any()
    assert (data.covered.sum(), data.covered[:, 0].sum()) == (3, 3)


def test_the_shipped_series_can_be_used():
    panel = remitstats.load_mexico()
    assert check(panel) == []
    data = prepare_data(panel)
    assert data.coords["year"][0] == 1996
    assert data.known.sum(axis=0).min() >= 24


def test_a_panel_without_the_series_is_refused_with_what_is_missing(series):
    table = series.table("national_year")
    for changed, said in (
        (table.drop(columns="oil_exports_usd_million"), "no such column"),
        (table.assign(oil_exports_usd_million=0.0), "0 years from 1995 on with a figure above 0"),
        (table.iloc[:8], "more than 10 such years"),
    ):
        panel = series.with_table("national_year", changed)
        with pytest.raises(PanelError, match=said):
            macro.build(panel)
    bare = type(series)({"municipality_wave": pd.DataFrame({"cvegeo": ["01001"]})}, {})
    with pytest.raises(PanelError, match="no such table"):
        macro.build(bare)


def of_another_country(panel, **changes):
    """Return the series as those of another country, some columns changed."""
    table = panel.table("national_year").assign(**changes)
    about = {"country": "Ruritania", "codes": {"municipality": "9999"}}
    return type(panel)({"national_year": table}, about)


def test_another_country_has_the_sources_and_windows_of_which_every_year_is_known(simulate_series):
    series = simulate_series(last=2023)
    years = series.table("national_year")["year"]
    whole = prepare_data(of_another_country(series))
    assert list(whole.windows) == ["1995-2005", "2005-2019"]
    assert not whole.covered.any()
    late = series.table("national_year")["tourism_receipts_usd_million"].mask(years < 2002)
    no_oil = of_another_country(
        series, oil_exports_usd_million=np.nan, tourism_receipts_usd_million=late
    )
    data = prepare_data(no_oil)
    assert list(data.coords["source"]) == ["remittances", "other_exports", "tourism"]
    assert list(data.windows) == ["2005-2019"]
    assert (data.coords["year"][0], data.coords["year"][-1]) == (1996, 2023)


def test_another_country_without_two_such_sources_is_refused(series):
    at_2010 = series.table("national_year")["year"] == 2010
    gap = series.table("national_year")["remittances_usd_million"].mask(at_2010)
    nothing = dict.fromkeys(
        [f"{name}_usd_million" for name in ("oil_exports", "other_exports", "tourism_receipts")],
        0.0,
    )
    for changes, column, found in (
        ({"remittances_usd_million": gap}, "remittances_usd_million", "not a figure above 0"),
        (nothing, "-", "no other source with a figure above 0 in every year from 2005 to 2019"),
    ):
        (problem,) = check(of_another_country(series, **changes))
        assert problem.column == column
        assert problem.found.startswith(found)


def test_series_with_gaps_in_every_window_are_refused(series):
    """Growth of the windows is what is reported: years in which a source is missing have none."""
    table = series.table("national_year")
    table["tourism_receipts_usd_million"] = table["tourism_receipts_usd_million"].mask(
        table["year"].isin([2000, 2010])
    )
    (problem,) = check(series.with_table("national_year", table))
    assert problem.found == "a gap both in 1995-2005 and in 2005-2019"


def test_priors_say_what_they_are(series):
    priors = Priors(coverage=NormalPrior(mean=0.1, sd=0.05))
    model = macro.build(series, priors)
    assert model.specification["priors"]["coverage"] == {"prior": "normal", "mean": 0.1, "sd": 0.05}
    assert model.specification["model"] == "macro"
