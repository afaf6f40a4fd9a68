"""Series around shared paths: against the whole normal density, and draws against its moments."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from remitstats.parts.shared_path import (
    draw_beyond,
    draw_noise,
    draw_paths,
    draw_whole,
    nested,
    path_density,
)

UNITS, TIMES, GROUPS = 5, 4, 2
GROUP_OF = np.array([0, 1, 0, 1, 1])


def positive(rng: np.random.Generator, *shape: int) -> np.ndarray:
    root = rng.normal(size=shape)
    return root @ np.swapaxes(root, -1, -2) + np.eye(shape[-1])


@pytest.fixture
def case() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    whole, own = positive(rng, TIMES, TIMES), positive(rng, TIMES, TIMES)
    return {
        "series": rng.normal(size=(UNITS, TIMES)),
        "covariance": positive(rng, UNITS, TIMES, TIMES),
        "mean": rng.normal(size=TIMES),
        "whole": whole,
        "own": own,
        "common": nested(whole, own, GROUPS),
    }


def dense(case: dict[str, np.ndarray]) -> np.ndarray:
    """Return the covariance of all series, written out."""
    out = np.zeros((UNITS, TIMES, UNITS, TIMES))
    common = case["common"].reshape(GROUPS, TIMES, GROUPS, TIMES)
    for i in range(UNITS):
        for j in range(UNITS):
            out[i, :, j] = common[GROUP_OF[i], :, GROUP_OF[j]]
        out[i, :, i] += case["covariance"][i]
    return out.reshape(UNITS * TIMES, UNITS * TIMES)


def density(case: dict[str, np.ndarray]) -> float:
    return path_density(
        case["series"], case["covariance"], case["mean"], case["common"], GROUP_OF
    ).value


def test_density_is_that_of_the_whole_normal(case: dict[str, np.ndarray]) -> None:
    mean = np.tile(case["mean"], UNITS)
    whole = stats.multivariate_normal(mean, dense(case)).logpdf(case["series"].ravel())
    assert density(case) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("name", ["covariance", "common"])
def test_gradient_is_that_of_differences(case: dict[str, np.ndarray], name: str) -> None:
    found = path_density(case["series"], case["covariance"], case["mean"], case["common"], GROUP_OF)
    gradient = found.by_covariance if name == "covariance" else found.by_common
    direction = positive(np.random.default_rng(4), *case[name].shape)
    values = []
    for step in (1e-5, -1e-5):
        values.append(density({**case, name: case[name] + step * direction}))
    slope = float(np.sum(gradient.reshape(direction.shape) * direction))
    assert slope == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-6)


def test_paths_are_drawn_from_their_conditional_law(case: dict[str, np.ndarray]) -> None:
    known, count = 3, 40_000
    rng = np.random.default_rng(5)
    precision = np.linalg.inv(case["covariance"][:, :known, :known])
    shape = (count, UNITS, known)
    drawn = draw_paths(
        np.broadcast_to(case["series"][:, :known], shape),
        np.broadcast_to(precision, (count, *precision.shape)),
        case["mean"],
        np.broadcast_to(case["common"], (count, *case["common"].shape)),
        GROUP_OF,
        rng,
    ).reshape(count, -1)
    # the series are linear in the paths: condition the joint normal
    loading = np.zeros((UNITS, known, GROUPS, TIMES))
    for i in range(UNITS):
        loading[i, :, GROUP_OF[i], :known] = np.eye(known)
    loading = loading.reshape(UNITS * known, -1)
    noise = np.zeros((UNITS, known, UNITS, known))
    for i in range(UNITS):
        noise[i, :, i] = case["covariance"][i, :known, :known]
    seen = loading @ case["common"] @ loading.T + noise.reshape(UNITS * known, -1)
    gain = case["common"] @ loading.T @ np.linalg.inv(seen)
    prior = np.tile(case["mean"], GROUPS)
    away = case["series"][:, :known].ravel() - loading @ prior
    assert drawn.mean(axis=0) == pytest.approx(prior + gain @ away, abs=0.03)
    spread = case["common"] - gain @ loading @ case["common"]
    assert np.cov(drawn.T) == pytest.approx(spread, abs=0.06)


def test_whole_path_is_drawn_given_those_of_the_groups(case: dict[str, np.ndarray]) -> None:
    count, rng = 40_000, np.random.default_rng(6)
    paths = np.random.default_rng(7).normal(size=(GROUPS, TIMES))
    drawn = draw_whole(
        np.broadcast_to(paths, (count, GROUPS, TIMES)),
        case["mean"],
        case["whole"],
        case["own"],
        rng,
    )
    loading = np.tile(np.eye(TIMES), (GROUPS, 1))
    gain = case["whole"] @ loading.T @ np.linalg.inv(case["common"])
    away = paths.ravel() - np.tile(case["mean"], GROUPS)
    assert drawn.mean(axis=0) == pytest.approx(case["mean"] + gain @ away, abs=0.03)
    assert np.cov(drawn.T) == pytest.approx(
        case["whole"] - gain @ loading @ case["whole"], abs=0.06
    )


def test_later_times_are_drawn_given_the_known_ones(case: dict[str, np.ndarray]) -> None:
    count, known, rng = 40_000, 2, np.random.default_rng(8)
    covariance, away = case["covariance"], case["series"][:, :known]
    drawn = draw_beyond(
        np.broadcast_to(away, (count, *away.shape)),
        np.broadcast_to(covariance, (count, *covariance.shape)),
        rng,
    )
    for i in range(UNITS):
        here, cross = covariance[i, :known, :known], covariance[i, known:, :known]
        gain = cross @ np.linalg.inv(here)
        assert drawn[:, i].mean(axis=0) == pytest.approx(gain @ away[i], abs=0.06)
        rest = covariance[i, known:, known:] - gain @ cross.T
        assert np.cov(drawn[:, i].T) == pytest.approx(rest, rel=0.1, abs=0.06)


def test_noise_is_drawn_given_what_it_is_part_of(case: dict[str, np.ndarray]) -> None:
    count, rng = 40_000, np.random.default_rng(9)
    variance = np.full((count, UNITS), 0.5)
    covariance = case["covariance"] + 0.5 * np.eye(TIMES)
    precision = np.linalg.inv(covariance)
    drawn = draw_noise(
        np.broadcast_to(case["series"], (count, UNITS, TIMES)),
        np.broadcast_to(precision, (count, *precision.shape)),
        variance,
        rng,
    )
    for i in range(UNITS):
        center = 0.5 * precision[i] @ case["series"][i]
        assert drawn[:, i].mean(axis=0) == pytest.approx(center, abs=0.03)
        assert np.cov(drawn[:, i].T) == pytest.approx(
            0.5 * np.eye(TIMES) - 0.25 * precision[i], abs=0.03
        )
