"""The dynamic panel on others' panels, against published estimates.

Two data sets, one shipped by statsmodels and one typed.

**Grunfeld's investment data** (ten firms, 1935 to 1954; `statsmodels.datasets.grunfeld` has an
eleventh, American Steel, left out as usual; both have US Steel's capital of 1946 as 132.6, which
some editions correct to 232.6). Stata's manual, entry xtregar, regresses investment on
market value and capital stock with firm effects and disturbances that follow a first-order
autoregression (method of Baltagi and Wu 1999, Econometric Theory 15: 814-823); the
random-effects form reports

    rho 0.67210608, sigma_u 74.517098, sigma_e 41.482494,
    market value 0.0949215 (0.0082168), capital 0.3196589 (0.0258618), constant -44.38124.

With these variances our panel, one variable whose links are rho, whose intercept has variance
sigma_u^2 and whose innovations have sigma_e^2 (the first wave stationary), must give the same
coefficients, since both are generalised least squares: to six digits. Standard errors agree only as
far as the scale does that was estimated beside them: within 0.5%.

**Potthoff and Roy's dental measurements** (1964, Biometrika 51: 313-326; 16 boys and 11 girls at
ages 8, 10, 12, 14). Jennrich and Schluchter (1986, Biometrics 42: 805-820; also tabulated by
Verbeke and Molenberghs 2000, Linear Mixed Models for Longitudinal Data) fit a line of age for each
sex with several covariances by maximum likelihood: minus twice the log likelihood is 440.681 for a
first-order autoregression (rho 0.6071), 428.639 for a random intercept (variance 3.0306, the rest
1.8746), 478.242 for neither. The panel must reach the same maxima: within 0.001.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import optimize, stats

from remitstats.parts import dynamic_panel
from remitstats.parts.nested_normal import NestedData, Tree

Array = NDArray[np.float64]
RHO, SIGMA_U, SIGMA_E = 0.67210608, 74.517098, 41.482494
COEFFICIENTS = np.array([0.0949215, 0.3196589, -44.38124])
ERRORS = np.array([0.0082168, 0.0258618])
AGES = np.array([8.0, 10.0, 12.0, 14.0])
GIRLS = np.array(
    [
        *([21, 20, 21.5, 23], [21, 21.5, 24, 25.5], [20.5, 24, 24.5, 26], [23.5, 24.5, 25, 26.5]),
        *([21.5, 23, 22.5, 23.5], [20, 21, 21, 22.5], [21.5, 22.5, 23, 25], [23, 23, 23.5, 24]),
        *([20, 21, 22, 21.5], [16.5, 19, 19, 19.5], [24.5, 25, 28, 28]),
    ]
)
BOYS = np.array(
    [
        *([26, 25, 29, 31], [21.5, 22.5, 23, 26.5], [23, 22.5, 24, 27.5], [25.5, 27.5, 26.5, 27]),
        *(
            [20, 23.5, 22.5, 26],
            [24.5, 25.5, 27, 28.5],
            [22, 22, 24.5, 26.5],
            [24, 21.5, 24.5, 25.5],
        ),
        *([23, 20.5, 31, 26], [27.5, 28, 31, 31.5], [23, 23, 23.5, 25], [21.5, 23.5, 24, 28]),
        *([17, 24.5, 26, 29.5], [22.5, 25.5, 25.5, 26], [23, 24.5, 26, 30], [22, 21.5, 23.5, 25]),
    ]
)


def stationary(rho: float, variance: float, waves: int) -> dict[str, Array]:
    """Return links and innovations of one stationary variable whose innovations have a variance."""
    innovation = np.full((waves, 1, 1), variance)
    innovation[0] = variance / (1.0 - rho**2)
    return {"links": np.full((1, waves - 1, 1, 1), rho), "innovation": innovation}


def covariance(rho: float, variance: float, intercept: float, waves: int) -> Array:
    path = stationary(rho, variance, waves)
    return dynamic_panel.covariance(path["links"], np.array([[intercept]]), path["innovation"])[0]


@pytest.fixture(scope="module")
def firms() -> tuple[Array, Array]:
    """Return investment (firm, year), and market value, capital and 1 (firm, year, 3)."""
    from statsmodels.datasets import grunfeld

    table = grunfeld.load_pandas().data
    table = table[table["firm"] != "American Steel"].sort_values(["firm", "year"])
    shape = (10, 20)
    columns = [table[name].to_numpy(float).reshape(shape) for name in ("value", "capital")]
    invested = table["invest"].to_numpy(float).reshape(shape)
    return invested, np.stack([*columns, np.ones(shape)], axis=2)


def test_grunfelds_coefficients_are_those_of_stata(firms: tuple[Array, Array]) -> None:
    invested, given = firms
    weight = np.linalg.inv(covariance(RHO, SIGMA_E**2, SIGMA_U**2, 20))
    information = np.einsum("itk,ts,isl->kl", given, weight, given)
    found = np.linalg.solve(information, np.einsum("itk,ts,is->k", given, weight, invested))
    assert found == pytest.approx(COEFFICIENTS, rel=1e-6)
    errors = np.sqrt(np.diag(np.linalg.inv(information)))[:2]
    assert errors == pytest.approx(ERRORS, rel=0.005)


def test_the_collapsed_density_has_its_maximum_there(firms: tuple[Array, Array]) -> None:
    """The density that models sample is quadratic in the coefficients: three steps find its top."""
    invested, given = firms
    each = Tree(np.arange(10), np.zeros(10, dtype=np.int64))
    none = np.empty((0, 2), dtype=np.int64)
    noise = dynamic_panel.PanelNoise(
        np.full((10, 20, 1), 1e-9), np.empty((10, 0)), np.empty(0, dtype=np.int64)
    )

    def density(coefficients: Array) -> float:
        data = NestedData(each, invested - given @ coefficients, none, 1e-4)
        return dynamic_panel.log_density(
            data,
            noise,
            **stationary(RHO, SIGMA_E**2, 20),
            intercept=np.array([[SIGMA_U**2]]),
            intercept_share=0.0,
            innovation_share=0.0,
            noise_scale=np.ones(1),
            noise_correlation=0.0,
        )

    step = np.diag([0.05, 0.2, 100.0])  # of the size of the coefficients: no digits are lost
    middle = density(np.zeros(3))
    up, down = ([density(sign * one) for one in step] for sign in (1, -1))
    slope = (np.array(up) - down) / 2.0
    bend = np.array([[density(a + b) - density(a - b) for b in step] for a in step])
    both = np.array([[density(b - a) - density(-a - b) for b in step] for a in step])
    curvature = (bend - both) / 4.0
    np.fill_diagonal(curvature, np.array(up) + down - 2.0 * middle)
    found = -np.linalg.solve(curvature, slope) * np.diag(step)
    assert found == pytest.approx(COEFFICIENTS, rel=1e-4)


def deviance(rho: float, variance: float, intercept: float) -> float:
    """Return minus twice the log likelihood of the dental data at its best lines."""
    total = covariance(rho, variance, intercept, 4)
    line = np.stack([np.ones(4), AGES], axis=1)
    weight = np.linalg.inv(total)
    value = 0.0
    for children in (GIRLS, BOYS):
        mean = line @ np.linalg.solve(line.T @ weight @ line, line.T @ weight @ children.mean(0))
        value -= 2.0 * stats.multivariate_normal(mean, total).logpdf(children).sum()
    return float(value)


def smallest(free: dict[str, float]) -> tuple[float, dict[str, float]]:
    """Return the smallest deviance over parameters, logs of variances and atanh of rho."""
    names = list(free)

    def values(x: Array) -> dict[str, float]:
        given = {"rho": 0.0, "variance": 1.0, "intercept": 0.0}
        for name, number in zip(names, x, strict=True):
            given[name] = math.tanh(number) if name == "rho" else math.exp(number)
        return given

    start = np.array(list(free.values()))
    options = {"xatol": 1e-8, "fatol": 1e-10, "maxiter": 4000}
    found = optimize.minimize(
        lambda x: deviance(**values(x)), start, method="Nelder-Mead", options=options
    )
    return float(found.fun), values(found.x)


def test_dental_growth_with_dynamics_alone() -> None:
    value, found = smallest({"rho": 0.5, "variance": 0.5})
    assert value == pytest.approx(440.681, abs=1e-3)
    assert found["rho"] == pytest.approx(0.6071, abs=1e-4)


def test_dental_growth_with_lasting_differences_alone() -> None:
    value, found = smallest({"variance": 0.5, "intercept": 1.0})
    assert value == pytest.approx(428.639, abs=1e-3)
    assert found["intercept"] == pytest.approx(3.0306, abs=1e-3)
    assert found["variance"] == pytest.approx(1.8746, abs=1e-3)


def test_dental_growth_with_neither() -> None:
    assert smallest({"variance": 0.5})[0] == pytest.approx(478.242, abs=1e-3)
