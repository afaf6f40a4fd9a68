r"""Paths of many units that wander, observed with noise and single events: Gaussian given a scale.

Of a unit with yearly path m, observations y are

    y = A (m + X b) + e + u d            A: which years an observation averages
    m_t = m_t-1 + S w_t                  w ~ Normal(0, 1): lasting changes
    e   = S noise ratio Normal(0, 1)     what passes
    d   ~ Normal(0, (S event ratio)^2)   one event at most: an outlier (u one observation) or a jump
                                         (u every year from one on), each as likely as the others

The start of the path and the effects b of known breaks (columns of X) have flat priors: only
contrasts free of them, N'y with N'AX = 0, tell anything. Known breaks therefore can't become
changes of the path. The scale S of a unit has S^2 ~ inverse gamma(nu/2, nu s^2/2), so that a unit's
contrasts are a mixture, over where its event is, of multivariate t: S and the event are summed out
exactly. In the basis where the walk's covariance is diagonal, so is noise plus walk, and a jump or
an outlier is an update of rank one: the likelihood costs two products of a matrix by a vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, special

Array = NDArray[np.float64]

TOLERANCE = 1e-9
PARAMETERS = ("log_scale", "log_noise", "log_spread", "logit_event", "log_size")
"""Logarithms of s, of the noise ratio, of nu, logit of the probability of an event, logarithm of
the event ratio."""


@dataclass(frozen=True)
class Series:
    """A unit's observations in contrasts, in the basis where the walk is diagonal.

    Parameters
    ----------
    observed : array, shape (observation,)
        y.
    weights : array, shape (observation, year)
        A.
    regressors : array, shape (year, regressor)
        X without columns that the observations can't tell from others.
    basis : array, shape (observation, contrast)
        N times the rotation.
    walk : array, shape (contrast,)
        Variances of the walk with S = 1.
    event : array, shape (event, observation)
        u of each possible event: outliers first, then jumps.
    jump_year : array of int, shape (event,)
        Place of the first year after a jump; -1 for outliers.
    log_prior : array, shape (event,)
        Logarithm of the prior share of each among events.
    """

    observed: Array
    weights: Array
    regressors: Array
    basis: Array
    walk: Array
    event: Array
    jump_year: NDArray[np.int64]
    log_prior: Array

    @cached_property
    def contrast(self) -> Array:
        """Observations in contrasts, shape (contrast,)."""
        return np.asarray(self.basis.T @ self.observed)

    @cached_property
    def event_contrast(self) -> Array:
        """Events in contrasts, shape (event, contrast)."""
        return np.asarray(self.event @ self.basis)


def in_contrasts(observed: Array, weights: Array, regressors: Array, *, events: bool) -> Series:
    """Return a unit's observations in contrasts.

    Parameters
    ----------
    observed : array, shape (observation,)
        y.
    weights : array, shape (observation, year)
        A; rows add up to one.
    regressors : array, shape (year, regressor)
        X; its first column is one everywhere. Columns that the observations can't see are dropped.
    events : bool
        Whether single events are possible.
    """
    seen = weights @ regressors
    kept = [0]
    for j in range(1, seen.shape[1]):
        if np.linalg.matrix_rank(seen[:, [*kept, j]], tol=1e-8) > len(kept):
            kept.append(j)
    seen, regressors = seen[:, kept], regressors[:, kept]
    null = linalg.null_space(seen.T)
    years = np.arange(weights.shape[1])
    walked = weights @ np.minimum.outer(years, years) @ weights.T
    variances, rotation = linalg.eigh(null.T @ walked @ null)
    basis = null @ rotation
    first = int(np.flatnonzero(weights.any(axis=0))[0])
    last = int(np.flatnonzero(weights.any(axis=0))[-1])
    candidates: list[tuple[Array, int, float]] = []
    if events:
        count = len(observed)
        candidates += [(row, -1, 1.0 / count) for row in np.eye(count)]
        candidates += [
            (weights[:, year:].sum(axis=1), year, 1.0 / (last - first))
            for year in range(first + 1, last + 1)
        ]
        # what a break of the reporting already explains is no event
        candidates = [c for c in candidates if np.abs(c[0] @ basis).max() > TOLERANCE]
    share = np.array([c[2] for c in candidates])
    return Series(
        observed,
        weights,
        regressors,
        basis,
        np.maximum(variances, 0.0),
        np.array([c[0] for c in candidates]).reshape(len(candidates), len(observed)),
        np.array([c[1] for c in candidates], dtype=np.int64),
        np.log(share / share.sum()) if candidates else share,
    )


@dataclass(frozen=True)
class Parts:
    """Quadratic forms of units, over what can have happened (nothing first, then each event).

    Parameters
    ----------
    q, log_det : array, shape (..., 1 + event)
        y'V^-1 y and log |V|.
    slope_q, slope_det : array, shape (2, ..., 1 + event)
        Their derivatives in the logarithms of the noise ratio and of the event ratio.
    """

    q: Array
    log_det: Array
    slope_q: Array
    slope_det: Array


@dataclass(frozen=True)
class LocalLevels:
    """The likelihood of many units with the same five parameters (`PARAMETERS`).

    Parameters
    ----------
    units : sequence of Series
        The units.
    """

    units: Sequence[Series]

    @cached_property
    def padded(self) -> dict[str, Array]:
        """Arrays of all units, filled up: with zeros, and events of no weight."""
        count = len(self.units)
        contrasts = max(len(u.walk) for u in self.units)
        events = max(len(u.jump_year) for u in self.units)
        walk, y = np.zeros((2, count, contrasts))
        there = np.zeros((count, contrasts))
        event = np.zeros((count, events, contrasts))
        prior = np.full((count, events), -np.inf)
        for i, u in enumerate(self.units):
            n, e = len(u.walk), len(u.jump_year)
            walk[i, :n], y[i, :n], there[i, :n] = u.walk, u.contrast, 1.0
            event[i, :e, :n], prior[i, :e] = u.event_contrast, u.log_prior
        return {
            "walk": walk, "y": y, "there": there, "event": event, "square": event**2,
            "prior": prior, "count": there.sum(axis=1),
        }  # fmt: skip

    def parts(self, noise: float, size: float) -> Parts:
        """Return quadratic forms and determinants of all units with S = 1.

        Parameters
        ----------
        noise, size : float
            Variances of noise and of events.
        """
        p = self.padded
        # in places that only fill up, variances of nought are no fault
        weight = np.divide(
            p["there"], p["walk"] + noise, out=np.zeros_like(p["walk"]), where=p["there"] > 0
        )
        weighted = weight * p["y"]
        q0 = (weighted * p["y"]).sum(axis=1)
        det0 = np.log(np.where(p["there"] > 0, p["walk"] + noise, 1.0)).sum(axis=1)
        slope_q0 = -2 * noise * (weighted**2).sum(axis=1)
        slope_det0 = 2 * noise * weight.sum(axis=1)
        both = np.stack([weight, weight**2], axis=2)
        a, a2 = np.ascontiguousarray(np.moveaxis(p["square"] @ both, 2, 0))
        both = np.stack([weighted, weight * weighted], axis=2)
        b, b2 = np.ascontiguousarray(np.moveaxis(p["event"] @ both, 2, 0))
        # with g = 1 + size a: q falls by size b^2 / g, and its slopes are those of that quotient
        inverse = 1.0 / (1.0 + size * a)
        shrunk = size * b * inverse
        q = q0[:, None] - shrunk * b
        slope_noise = slope_q0[:, None] + 2 * noise * shrunk * (2 * b2 - shrunk * a2)
        slope_size = -2 * shrunk * b * inverse
        det = det0[:, None] - np.log(inverse)
        moved = size * inverse
        zero = np.zeros((len(q0), 1))

        def joined(first: Array, others: Array) -> Array:
            return np.concatenate([first[:, None], others], axis=1)

        return Parts(
            joined(q0, q),
            joined(det0, det),
            np.stack([joined(slope_q0, slope_noise), np.concatenate([zero, slope_size], axis=1)]),
            np.stack(
                [
                    joined(slope_det0, slope_det0[:, None] - 2 * noise * moved * a2),
                    np.concatenate([zero, 2 * moved * a], axis=1),
                ]
            ),
        )

    def gradient(self, x: Array) -> tuple[float, Array]:
        """Return log likelihood and gradient in the five parameters of `PARAMETERS`."""
        scale, noise, nu, size = np.exp(x[[0, 1, 2, 4]])
        chance = special.expit(x[3])
        parts, count = self.parts(noise**2, size**2), self.padded["count"][:, None]
        base = nu * scale**2
        ratio = parts.q / base
        half = 0.5 * (nu + count)
        each = special.gammaln(half) - special.gammaln(0.5 * nu)
        each = each - 0.5 * count * np.log(np.pi * base)
        each = each - 0.5 * parts.log_det - half * np.log1p(ratio)
        no_event = -np.inf if self.padded["prior"].shape[1] == 0 else np.log1p(-chance)
        if not np.isfinite(no_event):
            no_event = 0.0  # nothing can happen: the probability of an event means nothing
        prior = np.concatenate(
            [np.full((len(count), 1), no_event), self.padded["prior"] + np.log(chance)], axis=1
        )
        joint = each + prior
        top = joint.max(axis=1, keepdims=True)
        mass = np.exp(joint - top)
        total = mass.sum(axis=1, keepdims=True)
        weight = mass / total
        value = float((top + np.log(total)).sum())
        pull = half / (base + parts.q)
        slopes = -0.5 * parts.slope_det - pull * parts.slope_q
        by_scale = -count + 2 * pull * parts.q
        by_nu = nu * (
            0.5 * special.digamma(half)
            - 0.5 * special.digamma(0.5 * nu)
            - 0.5 * count / nu
            - 0.5 * np.log1p(ratio)
            + pull * parts.q / nu
        )
        happened = 1.0 - weight[:, 0]
        by_event = float((happened - chance).sum()) if prior.shape[1] > 1 else 0.0
        gradient = [
            float((weight * by_scale).sum()),
            float((weight * slopes[0]).sum()),
            float((weight * by_nu).sum()),
            by_event,
            float((weight * slopes[1]).sum()),
        ]
        return value, np.array(gradient)
