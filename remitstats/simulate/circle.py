"""Made-up measurements of the circle on a real geography, drawn from its model.

Municipalities, their states and blocks of neighbours, sampling variances and sizes, and what was
measured when, are those of real data (`models.circle_data`); the measurements follow the model of
`models.circle` with a known truth, in standard deviations. There are no made-up percentages
behind them: underdevelopment is a score of many components, which no simulated score could give
back.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remitstats.models.circle_data import CircleData
from remitstats.models.circle_form import noise_of
from remitstats.models.circle_measures import EARLIER_YEARS, VARIABLES
from remitstats.simulate.circle_truth import CircleTruth

Array = NDArray[np.float64]
STREAMS = ("links", "states", "lasting", "new", "unobserved", "noise", "earlier")


def simulate_circle(data: CircleData, truth: CircleTruth, *, seed: int) -> CircleData:
    """Return the same municipalities with measurements drawn from the model.

    Parameters
    ----------
    data : CircleData
        Gives geography, sampling variances, sizes and which cells were measured; the values of
        its measurements are not looked at.
    truth : CircleTruth
        What to draw from; see also `SCENARIOS`.
    seed : int
        Everything random follows from it, each part of the model from a stream of its own: two
        truths that differ in links alone share everything else.

    Returns
    -------
    CircleData
        To be fitted with `models.circle.model_of`. Cells without a measurement stay without.
    """
    stream = _streams(seed)
    links = true_links(data, truth, seed=seed)
    group = data.nested.tree.group_of
    units, waves, count = data.shape
    mean = truth.state_mean_sd * stream["states"].standard_normal((group.max() + 1, waves, count))
    lasting = _shared(data, stream["lasting"], truth.intercept_share, count)
    lasting = lasting @ _root(truth.intercept).T
    new = [
        _shared(data, stream["new"], truth.innovation_share, count) @ _root(covariance).T
        for covariance in truth.innovations(waves)
    ]
    cause = _unobserved(data, truth, stream["unobserved"])
    now, later = truth.confounded
    state = np.zeros((units, count))
    found = mean[group] + lasting[:, None] + _noise(data, truth, stream["noise"])
    for t in range(waves):
        carried = np.einsum("iab,ib->ia", links[group, t - 1], state) if t else 0.0
        state = carried + new[t] + cause[t + 1] * now + cause[t] * later
        if t == 0:
            before = _earlier(data, truth, lasting, state, stream["earlier"])
        found[:, t] += state
    return data.with_observed(
        np.where(np.isfinite(data.observed), found, np.nan),
        np.where(np.isfinite(data.earlier), before, np.nan),
    )


def _earlier(
    data: CircleData, truth: CircleTruth, lasting: Array, state: Array, rng: np.random.Generator
) -> Array:
    """Return what was measured before the first wave."""
    of, size = data.earlier_of, data.earlier.shape[1]
    scale, link, covariance = truth.earlier(of)
    mean = truth.state_mean_sd * rng.standard_normal((data.nested.tree.groups, size))
    rest = _shared(data, rng, truth.innovation_share, size) @ _root(covariance).T
    noise = rng.standard_normal((len(state), size)) * np.sqrt(
        noise_of(data).earlier * truth.noise_scale[of]
    )
    lasted = scale * lasting[:, of]
    return np.asarray(mean[data.nested.tree.group_of] + lasted + state @ link.T + rest + noise)


def true_links(data: CircleData, truth: CircleTruth, *, seed: int) -> Array:
    """Return the links that `simulate_circle` draws from with the same arguments.

    Returns
    -------
    array, shape (state, interval, to, from)
        Their mean over intervals, and over states weighted by municipalities, is exactly
        `truth.links`: the truth of the nation is what was asked for, not a draw around it. Links
        of zero are zero everywhere.
    """
    rng = _streams(seed)["links"]
    states, intervals = len(data.region_of_state), data.shape[1] - 1
    shape = truth.links.shape
    weight = np.bincount(data.nested.tree.group_of) / data.shape[0]
    by_interval = truth.interval_sd * rng.standard_normal((intervals, *shape))
    by_region = truth.region_sd * rng.standard_normal((data.region_of_state.max() + 1, *shape))
    by_state = truth.state_sd * rng.standard_normal((states, *shape))
    by_place = by_region[data.region_of_state] + by_state
    by_place -= np.einsum("s,sab->ab", weight, by_place)
    by_interval -= by_interval.mean(axis=0)
    moved = by_place[:, None] + by_interval
    return np.asarray(truth.links + np.where(truth.links == 0.0, 0.0, moved))


def _streams(seed: int) -> dict[str, np.random.Generator]:
    parts = np.random.SeedSequence(seed).spawn(len(STREAMS))
    return {name: np.random.default_rng(p) for name, p in zip(STREAMS, parts, strict=True)}


def _shared(data: CircleData, rng: np.random.Generator, share: float, width: int) -> Array:
    """Return standard normals of every municipality, a share of them common to its block."""
    tree = data.nested.tree
    own = rng.standard_normal((tree.units, width))
    common = rng.standard_normal((tree.blocks, width))[tree.block_of]
    return np.asarray(np.sqrt(1.0 - share) * own + np.sqrt(share) * common)


def _root(covariance: Array) -> Array:
    """Return a root that bears standard deviations of zero."""
    sd = np.sqrt(np.diag(covariance))
    scale = np.where(sd > 0, sd, 1.0)
    correlation = covariance / np.outer(scale, scale)
    np.fill_diagonal(correlation, 1.0)
    return np.asarray(sd[:, None] * np.linalg.cholesky(correlation))


def _unobserved(data: CircleData, truth: CircleTruth, rng: np.random.Generator) -> list[Array]:
    """Return the unobserved cause as columns: before the first wave, and in every wave."""
    kept, share = truth.confounder_persistence, truth.innovation_share
    found = [_shared(data, rng, share, 1)]
    for _ in range(data.shape[1]):
        fresh = _shared(data, rng, share, 1)
        found.append(kept * found[-1] + np.sqrt(1.0 - kept**2) * fresh)
    return found


def _noise(data: CircleData, truth: CircleTruth, rng: np.random.Generator) -> Array:
    """Return sampling errors of migration and reliance, correlated, and noise of the others."""
    unit = rng.standard_normal(data.shape)
    together = truth.sampling_correlation
    unit[..., 1] = together * unit[..., 0] + np.sqrt(1.0 - together**2) * unit[..., 1]
    return np.asarray(unit * np.sqrt(noise_of(data).relative * truth.noise_scale))


def circle_table(data: CircleData) -> pd.DataFrame:
    """Return measurements as a table: one row a municipality and wave, a column a variable.

    Parameters
    ----------
    data : CircleData
        Real or simulated.

    Returns
    -------
    DataFrame
        Columns cvegeo, wave and `VARIABLES`, in standard deviations within the wave. Measurements
        before the first wave are rows of their own, in which the other variables are missing.
    """
    codes, waves = data.coords["municipality"], data.coords["wave"]
    frames = []
    if len(data.earlier_of):
        before = np.full((len(codes), len(VARIABLES)), np.nan)
        before[:, data.earlier_of] = data.earlier
        frames.append((int(waves[0]) - EARLIER_YEARS, before))
    frames += [(int(wave), data.observed[:, t]) for t, wave in enumerate(waves)]
    return pd.concat(
        [
            pd.DataFrame(values, columns=list(VARIABLES)).assign(cvegeo=codes, wave=wave)
            for wave, values in frames
        ],
        ignore_index=True,
    )[["cvegeo", "wave", *VARIABLES]]
