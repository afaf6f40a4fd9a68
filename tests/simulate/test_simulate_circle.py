"""Simulated circles: the law of the model, a truth that is exact, and scenarios that are true."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import remitstats
from remitstats.errors import RemitstatsError
from remitstats.estimands.circle_loop import deepening, feedback, ordered_effects, regimes
from remitstats.models.circle_data import CircleData, prepare_data
from remitstats.models.circle_form import noise_of
from remitstats.parts.dynamic_panel import covariance, gradient
from remitstats.simulate import SCENARIOS, CircleTruth, simulate_circle, true_links

M, R, S, U, G = range(5)
SEEDS = range(120)
ALIKE = {"interval_sd": 0.0, "region_sd": 0.0, "state_sd": 0.0}


@pytest.fixture(scope="module")
def data() -> CircleData:
    return prepare_data(remitstats.load_mexico().select(["01", "06", "09", "18", "32"]))


@pytest.fixture(scope="module")
def full(data: CircleData) -> CircleData:
    """The same with everything measured."""
    return data.with_observed(np.zeros(data.shape), np.zeros(data.earlier.shape))


def earlier_of(data: CircleData, truth: CircleTruth) -> dict[str, np.ndarray]:
    names = ("earlier_scale", "earlier_link", "earlier_innovation")
    return dict(zip(names, truth.earlier(data.earlier_of), strict=True))


def scores(found: list[np.ndarray]) -> np.ndarray:
    """Return means over simulations in units of their standard errors."""
    draws = np.stack(found)
    spread = draws.std(axis=0, ddof=1)
    moves = spread > 1e-12
    return np.asarray((draws.mean(axis=0)[moves] * np.sqrt(len(draws))) / spread[moves])


def test_the_models_score_is_zero_on_average_at_the_truth(data: CircleData) -> None:
    """So it is for every part of the model at once only if the draws are from that model."""
    truth = replace(SCENARIOS["vicious"], state_mean_sd=data.nested.root_sd)
    found = []
    for seed in SEEDS:
        _, by = gradient(
            simulate_circle(data, truth, seed=seed).nested,
            noise_of(data),
            links=true_links(data, truth, seed=seed),
            intercept=truth.intercept,
            innovation=truth.innovations(data.shape[1]),
            intercept_share=truth.intercept_share,
            innovation_share=truth.innovation_share,
            noise_scale=truth.noise_scale,
            noise_correlation=truth.sampling_correlation,
            **earlier_of(data, truth),
        )
        found.append(np.concatenate([np.ravel(value) for value in by.values()]))
    z = scores(found)
    assert len(z) > 300
    assert np.abs(z).max() < 4.5
    assert np.mean(z**2) == pytest.approx(1.0, abs=0.35)


def test_moments_are_those_of_the_model(full: CircleData) -> None:
    truth = replace(SCENARIOS["vicious"], **ALIKE, state_mean_sd=0)
    links = np.stack([truth.links] * 2)[None]
    before = earlier_of(full, truth) | {"earlier_of": full.earlier_of}
    still = before | {"earlier_innovation": np.zeros((2, 2))}
    from_lasting = covariance(links, truth.intercept, np.zeros((3, 5, 5)), **still)[0]
    from_new = covariance(links, np.zeros((5, 5)), truth.innovations(3), **before)[0]
    noise = noise_of(full).flat * truth.noise_scale[noise_of(full).variable_of]
    own = from_lasting + from_new + np.diag(noise.mean(axis=0))
    for m, r in full.nested.pairs:
        own[m, r] += truth.sampling_correlation * np.sqrt(noise[:, m] * noise[:, r]).mean()
        own[r, m] = own[m, r]
    shared = truth.intercept_share * from_lasting + truth.innovation_share * from_new
    block = full.nested.tree.block_of
    size = np.bincount(block)
    pairs = (size * (size - 1)).sum()
    of_own, of_neighbours = [], []
    for seed in SEEDS:
        y = simulate_circle(full, truth, seed=seed).nested.observed
        total = np.zeros((len(size), y.shape[1]))
        np.add.at(total, block, y)
        of_own.append(y.T @ y / len(y) - own)
        of_neighbours.append((total.T @ total - y.T @ y) / pairs - shared)
    assert np.abs(scores(of_own)).max() < 4.5
    assert np.abs(scores(of_neighbours)).max() < 4.5


def test_states_have_means_of_their_own(full: CircleData) -> None:
    truth = replace(CircleTruth(), state_mean_sd=3.0)
    calm = replace(truth, state_mean_sd=0.0)
    group = full.nested.tree.group_of
    means = []
    for seed in range(40):
        moved, still = (simulate_circle(full, t, seed=seed).observed for t in (truth, calm))
        more = moved - still
        means.append([more[group == g][0] for g in range(group.max() + 1)])
        np.testing.assert_allclose(more, np.array(means[-1])[group], atol=1e-12)
    assert np.std(means) == pytest.approx(3.0, rel=0.05)


def test_what_was_not_measured_stays_so_and_the_rest_of_the_data_is_kept(data: CircleData) -> None:
    drawn = simulate_circle(data, CircleTruth(), seed=1)
    assert not np.isfinite(data.observed).all()
    assert (np.isfinite(drawn.observed) == np.isfinite(data.observed)).all()
    assert (drawn.nested.known == data.nested.known).all()
    assert drawn.sampling is data.sampling
    assert drawn.nested.tree is data.nested.tree


def test_same_seed_same_data_whatever_was_measured_before(
    data: CircleData, full: CircleData
) -> None:
    first, again, other = (simulate_circle(data, CircleTruth(), seed=s).observed for s in (4, 4, 5))
    np.testing.assert_array_equal(first, again)
    assert np.nanmax(np.abs(first - other)) > 1
    whole = simulate_circle(full, CircleTruth(), seed=4).observed
    np.testing.assert_array_equal(first[np.isfinite(first)], whole[np.isfinite(first)])


def test_truths_that_differ_in_links_alone_share_everything_else(data: CircleData) -> None:
    one, other = (
        simulate_circle(data, SCENARIOS[name], seed=3).observed
        for name in ("vicious", "one link reversed")
    )
    np.testing.assert_allclose(one[:, 0], other[:, 0])
    assert np.nanmax(np.abs(one[:, 1, M] - other[:, 1, M])) > 0.05
    np.testing.assert_allclose(one[:, 1, U], other[:, 1, U])


def test_national_link_is_exactly_what_was_asked_for(data: CircleData) -> None:
    truth = SCENARIOS["vicious"]
    found = true_links(data, truth, seed=2)
    weight = np.bincount(data.nested.tree.group_of) / data.shape[0]
    np.testing.assert_allclose(np.einsum("s,stab->ab", weight, found) / 2, truth.links, atol=1e-12)
    assert (found[..., truth.links == 0] == 0).all()
    assert found.std(axis=0)[..., truth.links != 0].min() > 0.01


def test_links_differ_as_far_as_the_truth_says(data: CircleData) -> None:
    alike = CircleTruth(**ALIKE)
    assert (true_links(data, alike, seed=1) == alike.links).all()

    def spread(name: str, axis: int) -> float:
        truth = replace(alike, **{name: 0.05})
        moved = [true_links(data, truth, seed=s)[..., U, U] for s in range(400)]
        return float(np.mean(np.var(moved, axis=1 + axis, ddof=1)) ** 0.5)

    assert spread("interval_sd", 1) == pytest.approx(0.05, rel=0.1)
    assert spread("state_sd", 0) == pytest.approx(0.05, rel=0.1)
    by_region = true_links(data, replace(alike, region_sd=0.05), seed=1)[:, 0, U, U]
    assert len(np.unique(by_region.round(12))) == data.region_of_state.max() + 1 > 1


@pytest.mark.parametrize(
    ("name", "regime", "deepened", "fed_back"),
    [
        ("vicious", "vicious", 0.25, 0.45),
        ("virtuous", "virtuous", -0.25, 0.45),
        ("weakly vicious", "vicious", 0.2, 0.2),
        ("no loop", "none", 0.0, 0.0),
        ("one link reversed", "none", 0.25, -0.45),
        ("fixed differences", "none", 0.0, 0.0),
        ("confounded", "none", 0.0, 0.0),
    ],
)
def test_scenarios_are_what_they_are_called(
    name: str, regime: str, deepened: float, fed_back: float
) -> None:
    truth = SCENARIOS[name]
    assert deepening(truth.links) == pytest.approx(deepened, abs=0.05)
    assert feedback(truth.links) == pytest.approx(fed_back, abs=0.05)
    total, within = ordered_effects(truth.links, truth.innovations(2)[1])
    for halves in (
        (deepening(truth.links), feedback(truth.links)),
        (deepening(total, within), feedback(total, within)),
    ):
        assert regimes(*halves)[regime]


def test_fixed_differences_fool_a_regression_on_the_wave_before() -> None:
    country = prepare_data(remitstats.load_mexico())
    country = country.with_observed(np.zeros(country.shape))
    truth = SCENARIOS["fixed differences"]
    assert (truth.links[~np.eye(5, dtype=bool)] == 0).all()
    states = np.eye(len(country.region_of_state))[country.nested.tree.group_of]
    found = []
    for seed in range(8):
        y = simulate_circle(country, truth, seed=seed).observed
        fitted, *_ = np.linalg.lstsq(np.hstack([y[:, 1], states]), y[:, 2], rcond=None)
        found.append([fitted[M, R], fitted[U, M], fitted[R, U]])
    # migration to reliance, underdevelopment to migration, reliance to underdevelopment
    mean, sd = np.mean(found, axis=0), np.std(found, axis=0, ddof=1)
    assert (mean > 0.03).all()
    assert (mean > 2 * sd).all()  # in a panel of this size, not on average alone


def test_confounder_makes_what_looks_like_deepening(full: CircleData) -> None:
    truth = SCENARIOS["confounded"]
    still = replace(truth, confounding=(), confounding_later=())
    excess = []
    for seed in range(100):
        moved, calm = (simulate_circle(full, t, seed=seed).observed for t in (truth, still))
        more = moved - calm  # what the unobserved cause alone has added
        excess.append(np.mean(more[:, 1, U] * more[:, 0, M]))
    # migration has the cause of the first wave; underdevelopment that of the first wave, a wave
    # later, and, carried on by itself (0.5), that of the wave before (correlation 0.5)
    expected = 0.15 * 0.08 * (1 + 0.5 * 0.5)
    error = np.std(excess, ddof=1) / np.sqrt(len(excess))
    assert error < expected / 20
    assert np.mean(excess) == pytest.approx(expected, abs=4 * error)


def test_a_truth_without_chance_is_carried_on_by_its_links(full: CircleData) -> None:
    none = CircleTruth(
        **ALIKE, intercept_sd=(0.0,) * 5, innovation_sd=(0.0,) * 5, size_noise_sd=(0.0,) * 3,
        sampling_ratio=(0.0, 0.0), state_mean_sd=0.0, cross_links=(("stability", "growth", 0.2),),
    )  # fmt: skip
    y = simulate_circle(full, none, seed=1).observed
    assert y[:, 0].std(axis=0) == pytest.approx(none.initial_sd, rel=0.25)
    for t in (1, 2):
        np.testing.assert_allclose(y[:, t], y[:, t - 1] @ none.links.T, atol=1e-12)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"cross_links": (("migration", "remittances", 0.1),)}, "no variable of the circle"),
        ({"cross_links": (("growth", "growth", 0.1),)}, "see 'own_links'"),
        ({"cross_links": (("growth", "migration", np.nan),)}, "finite"),
        ({"own_links": (0.3, 0.4)}, "5 numbers"),
        ({"innovation_sd": (0.1, 0.1, -0.1, 0.1, 0.1)}, "below 0"),
        ({"intercept_share": 1.2}, "share between 0 and 1"),
        ({"sampling_correlation": 1.0}, "between -1 and 1"),
        ({"state_sd": -0.1}, "at least 0"),
        ({"intercept_correlation": (("migration", "reliance", 1.0),)}, "positive definite"),
        ({"confounding": (("wages", 0.1),)}, "no variable of the circle"),
        ({"confounding_later": (("growth", np.inf),)}, "finite"),
    ],
)
def test_truths_that_can_not_be_are_refused(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(RemitstatsError, match=says):
        CircleTruth(**wrong)


def test_described_truth_says_which_links_it_has() -> None:
    described = SCENARIOS["vicious"].describe()
    assert ("migration", "underdevelopment", 0.25) in described["cross_links"]
    assert CircleTruth(**described) == SCENARIOS["vicious"]
