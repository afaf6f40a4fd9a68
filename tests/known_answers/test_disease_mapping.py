"""BYM2 on Scottish lip cancer, against posteriors that others published.

The figures are those of Morris, "Spatial Models in Stan: Intrinsic Auto-Regressive Models for Areal
Data" (case study of the Stan project, section on BYM2 and the lip cancer data; method in Morris and
others 2019, Spatial and Spatio-temporal Epidemiology 31: 100301): means and standard deviations of
the draws, and INLA's of the same model. What was sampled there (the file
bym2_predictor_plus_offset.stan of the example models; the one printed in the text has tighter
priors),

    y ~ Poisson(E exp(beta0 + beta1 x / 10 + b)),   b ~ BYM2(sigma, rho),
    beta ~ Normal(0, 5),  sigma ~ half-normal(5),  rho ~ Beta(1/2, 1/2),

is built here of our parts and sampled by our engine. Bounds, set before the comparison: means
within 0.15 of the published standard deviations (both have Monte Carlo errors of about 0.03 of
them), standard deviations within 12%.

The data: Clayton and Kaldor (1987), "Empirical Bayes estimates of age-standardized relative risks
for use in disease mapping", Biometrics 43: 671-681, with the neighbours of Breslow and Clayton
(1993) in which no district is without one (264 pairs both ways, as in the classic BUGS examples,
volume 2, and in the case study). All were held against the files of the example models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy import special

from remitstats.fitting import laplace
from remitstats.parts import bym2
from remitstats.parts.icar import Graph
from remitstats.parts.latent_gaussian import Component, FixedSd, LatentGaussian, SharedSd
from remitstats.parts.priors import SharePrior
from remitstats.parts.structure import independent

Array = NDArray[np.float64]
CASES = np.array(
    [
        *(
            9,
            39,
            11,
            9,
            15,
            8,
            26,
            7,
            6,
            20,
            13,
            5,
            3,
            8,
            17,
            9,
            2,
            7,
            9,
            7,
            16,
            31,
            11,
            7,
            19,
            15,
            7,
        ),
        *(10, 16, 11, 5, 3, 7, 8, 11, 9, 11, 8, 6, 4, 10, 8, 2, 6, 19, 3, 2, 3, 28, 6, 1, 1, 1, 1),
        *(0, 0),
    ],
    dtype=float,
)
EXPECTED = np.array(
    [
        *(1.4, 8.7, 3.0, 2.5, 4.3, 2.4, 8.1, 2.3, 2.0, 6.6, 4.4, 1.8, 1.1, 3.3, 7.8, 4.6, 1.1, 4.2),
        *(5.5, 4.4, 10.5, 22.7, 8.8, 5.6, 15.5, 12.5, 6.0, 9.0, 14.4, 10.2, 4.8, 2.9, 7.0, 8.5),
        *(12.3, 10.1, 12.7, 9.4, 7.2, 5.3, 18.8, 15.8, 4.3, 14.6, 50.7, 8.2, 5.6, 9.3, 88.7, 19.6),
        *(3.4, 3.6, 5.7, 7.0, 4.2, 1.8),
    ]
)
OUTDOORS = np.array(  # % working in agriculture, fishing or forestry
    [
        *(
            16,
            16,
            10,
            24,
            10,
            24,
            10,
            7,
            7,
            16,
            7,
            16,
            10,
            24,
            7,
            16,
            10,
            7,
            7,
            10,
            7,
            16,
            10,
            7,
            1,
        ),
        *(1, 7, 7, 10, 10, 7, 24, 10, 7, 7, 0, 10, 1, 16, 0, 1, 16, 16, 0, 1, 7, 1, 1, 0, 1, 1, 0),
        *(1, 1, 16, 10),
    ],
    dtype=float,
)
# The neighbours of each district that come after it, districts counted from 1.
_LATER = {
    1: (5, 9, 11, 19),
    2: (7, 10),
    3: (6, 12),
    4: (18, 20, 28),
    5: (11, 12, 13, 19),
    6: (8,),
    7: (10, 13, 16, 17),
    9: (11, 17, 19, 23, 29),
    10: (16, 22),
    11: (12,),
    13: (17, 19),
    14: (31, 32, 35),
    15: (25, 29, 50),
    16: (17, 21, 22, 29),
    17: (19, 29),
    18: (20, 28, 33, 55, 56),
    20: (55,),
    21: (29, 50),
    23: (29, 34, 36, 37, 39),
    24: (27, 30, 31, 44, 47, 48, 55, 56),
    25: (26, 29),
    26: (29, 42, 43),
    27: (31, 32, 55),
    28: (33, 45),
    29: (34, 43, 50),
    30: (38, 42, 44, 45, 56),
    31: (32, 35, 46, 47),
    32: (35,),
    33: (45, 56),
    34: (39, 40, 42, 43, 51, 52, 54),
    35: (37, 46),
    36: (37, 39, 41),
    37: (41, 46),
    38: (42, 44, 49, 51, 54),
    39: (40, 41),
    40: (41, 49, 52),
    41: (46, 49, 53),
    42: (43, 51),
    44: (48, 49),
    45: (56,),
    46: (47, 53),
    47: (48, 49, 53),
    48: (49,),
    49: (52, 53, 54),
    51: (54,),
    52: (54,),
    55: (56,),
}
GRAPH = Graph(56, np.array([(a - 1, b - 1) for a, later in _LATER.items() for b in later]))

PUBLISHED = {  # mean and standard deviation
    "beta0": (-0.217, 0.129),
    "beta1": (0.365, 0.134),
    "sigma": (0.514, 0.0885),
    "rho": (0.878, 0.144),
    "mu5": (13.8, 3.13),
}
INLA = {"beta0": (-0.2216, 0.1265), "beta1": (0.3707, 0.1320)}
OF_SD, OF_SPREAD = 0.15, 0.12
PRIOR_SD = 5.0


@dataclass(frozen=True)
class HalfNormal:
    """Half-normal prior of a standard deviation, as the case study has it."""

    sd: float

    def constrain(self, t: float) -> float:
        return max(-self.sd * float(special.ndtri(0.5 * special.ndtr(-t))), 1e-300)

    def unconstrain(self, value: float) -> float:
        return -float(special.ndtri(2.0 * special.ndtr(-value / self.sd)))

    def to_pymc(self, name: str) -> Any:
        import pymc as pm

        return pm.HalfNormal(name, self.sd)

    def describe(self) -> dict[str, Any]:
        return {"prior": "half-normal", "sd": self.sd}


@dataclass(frozen=True)
class Poisson:
    """Counts with known logarithms of the expected ones in the linear predictor's offset."""

    counts: Array

    def measurement_sd(self, values: Mapping[str, float]) -> float:
        return 1.0

    def log_density(self, eta: Array, values: Mapping[str, float]) -> Array:
        return self.counts * eta - np.exp(eta) - special.gammaln(self.counts + 1.0)

    def gradient(self, eta: Array, values: Mapping[str, float]) -> Array:
        return np.asarray(self.counts - np.exp(eta))

    def curvature(self, eta: Array, values: Mapping[str, float]) -> Array:
        return np.asarray(np.exp(eta))

    def initial(self) -> Array:
        return np.log(self.counts + 0.5)


def model() -> LatentGaussian:
    size = GRAPH.size
    once, itself = np.ones((1, 1)), sp.csr_array(sp.eye_array(size))
    spatial, unstructured = bym2.structures(GRAPH)
    columns = {"beta0": np.ones((size, 1)), "beta1": OUTDOORS[:, None] / 10.0}
    components = [
        Component(name, independent(1), once, sp.csr_array(column), FixedSd(PRIOR_SD))
        for name, column in columns.items()
    ]
    for name, structure in (("spatial", spatial), ("unstructured", unstructured)):
        sd = SharedSd("sigma", "rho", spatial=name == "spatial")
        components.append(Component(name, structure, once, itself, sd))
    return LatentGaussian(
        name="lip cancer",
        hyperparameters={"sigma": HalfNormal(PRIOR_SD), "rho": SharePrior(0.5, 0.5)},
        components=tuple(components),
        likelihood=Poisson(CASES),
        dims=("row", "district"),
        coords={"row": [0], "district": range(size)},
        offset=np.log(EXPECTED),
        reported={name: ((name,), ("row",)) for name in columns},
    )


@pytest.fixture(scope="module")
def posterior() -> dict[str, Array]:
    blocks = model()
    first, *seeds = np.random.SeedSequence(1).spawn(3)
    preparation = laplace.prepare(blocks, np.random.default_rng(first))
    found: dict[str, list[Array]] = {}
    for seed in seeds:
        chain = laplace.Chain(preparation, seed)
        chain.tune(300)
        draws = chain.draw(2500)
        values = [blocks.constrain(theta) for theta in draws.theta]
        kept = {name: np.array([value[name] for value in values]) for name in ("sigma", "rho")}
        kept |= {name: draws.reported[name][:, 0] for name in ("beta0", "beta1")}
        kept["mu5"] = np.exp(draws.eta[:, 4].astype(float))
        for name, array in kept.items():
            found.setdefault(name, []).append(array)
    return {name: np.concatenate(arrays) for name, arrays in found.items()}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_posterior_is_the_published_one(name: str, posterior: dict[str, Array]) -> None:
    mean, sd = PUBLISHED[name]
    assert posterior[name].mean() == pytest.approx(mean, abs=OF_SD * sd)
    assert posterior[name].std() == pytest.approx(sd, rel=OF_SPREAD)


@pytest.mark.parametrize("name", INLA)
def test_it_is_also_that_of_inla(name: str, posterior: dict[str, Array]) -> None:
    mean, sd = INLA[name]
    assert posterior[name].mean() == pytest.approx(mean, abs=OF_SD * sd)
    assert posterior[name].std() == pytest.approx(sd, rel=OF_SPREAD)


@pytest.mark.slow
def test_nuts_on_the_pymc_form_finds_it_too() -> None:
    import pymc as pm

    with pm.Model(coords={"district": range(GRAPH.size)}) as built:
        beta0, beta1 = (pm.Normal(name, 0.0, PRIOR_SD) for name in INLA)
        sigma, rho = HalfNormal(PRIOR_SD).to_pymc("sigma"), SharePrior(0.5, 0.5).to_pymc("rho")
        effect = bym2.to_pymc("b", GRAPH, sigma, rho, "district")
        eta = np.log(EXPECTED) + beta0 + beta1 * OUTDOORS / 10.0 + effect
        pm.Deterministic("mu5", pm.math.exp(eta[4]))
        pm.Poisson("y", pm.math.exp(eta), observed=CASES)
    drawn = pm.sample(
        draws=3000,
        tune=1500,
        chains=2,
        cores=1,
        model=built,
        random_seed=1,
        nuts_sampler="nutpie",
        target_accept=0.95,
        progressbar=False,
    )["posterior"]
    for name, (mean, sd) in PUBLISHED.items():
        assert float(drawn[name].mean()) == pytest.approx(mean, abs=OF_SD * sd), name
        assert float(drawn[name].std()) == pytest.approx(sd, rel=OF_SPREAD), name
