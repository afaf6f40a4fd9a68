"""The model that every sampler of the comparison fits, as arrays and as a plain density.

For area i of state s(i), with effective counts y of n dwellings,

    log L   = sum_i  y_i eta_i - n_i log(1 + exp eta_i)
    eta_i   = mean + intercept_sd * a + state_sd * b_s(i)
              + sd * (sqrt(share) f_i + sqrt(1 - share) v_i)

    a, b, v  independent standard normals        state_sd ~ Exponential(state_rate)
    f        ICAR scaled to unit variance,       sd       ~ Exponential(sd_rate)
             summing to zero                     share    ~ Beta(share_alpha, share_beta)

It is the reliance model of `remitstats` on a panel of one wave. This file needs NumPy alone, so
that samplers living in other environments read the same data and are held to the same density.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

HYPER = ("state_sd", "municipality_sd", "municipality_share")


@dataclass(frozen=True)
class Bym2Data:
    """Everything the model needs to know.

    Parameters
    ----------
    receiving, effective : array, shape (area,)
        Effective counts y and n; real numbers, not whole ones.
    state_of : array of int, shape (area,)
        Position of each area's state, from 0.
    states : int
        Number of states.
    edges : array of int, shape (edge, 2)
        Neighbours, each pair once.
    scaling : float
        Typical variance of the plain ICAR on this map: precision of f is scaling * Laplacian.
    longitude, latitude : array, shape (area,)
        Centres of the areas, degrees: for samplers that know no neighbours.
    mean, intercept_sd, state_rate, sd_rate, share_alpha, share_beta : float
        Constants of the priors.
    """

    receiving: Array
    effective: Array
    state_of: Ints
    states: int
    edges: Ints
    scaling: float
    longitude: Array
    latitude: Array
    mean: float
    intercept_sd: float
    state_rate: float
    sd_rate: float
    share_alpha: float
    share_beta: float

    @property
    def areas(self) -> int:
        """Number of areas."""
        return len(self.receiving)

    def save(self, path: Path) -> None:
        """Write the data as NPZ."""
        arrays: dict[str, Any] = {f.name: np.asarray(getattr(self, f.name)) for f in fields(self)}
        np.savez(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> Bym2Data:
        """Read what `save` wrote."""
        with np.load(path) as file:
            values: dict[str, Any] = {
                name: file[name] if file[name].ndim else file[name].item() for name in file.files
            }
        return cls(**values)


@dataclass(frozen=True)
class Point:
    """A point of the parameter space, in the terms of the module's text; `f` sums to zero."""

    state_sd: float
    municipality_sd: float
    municipality_share: float
    a: float
    b: Array
    f: Array
    v: Array

    @classmethod
    def draw(cls, data: Bym2Data, rng: np.random.Generator) -> Point:
        """Draw any point; it need not be likely, only possible."""
        f = rng.standard_normal(data.areas)
        return cls(
            state_sd=float(rng.uniform(0.2, 1.0)),
            municipality_sd=float(rng.uniform(0.3, 1.5)),
            municipality_share=float(rng.uniform(0.2, 0.9)),
            a=float(rng.standard_normal()),
            b=rng.standard_normal(data.states),
            f=f - f.mean(),
            v=rng.standard_normal(data.areas),
        )

    @property
    def hyper(self) -> dict[str, float]:
        """The hyperparameters by name."""
        return {name: getattr(self, name) for name in HYPER}


def linear_predictor(data: Bym2Data, p: Point) -> Array:
    """Return eta at a point."""
    share = p.municipality_share
    space = np.sqrt(share) * p.f + np.sqrt(1.0 - share) * p.v
    state = p.state_sd * p.b[data.state_of]
    eta = data.mean + data.intercept_sd * p.a + state + p.municipality_sd * space
    return np.asarray(eta)


def log_density(data: Bym2Data, p: Point) -> float:
    """Return the log posterior density, up to a constant, with respect to the point's own numbers.

    The measure is the flat one on (hyperparameters, a, b, f, v): no logarithm or logit is taken
    of a hyperparameter, and effects stand in units of their standard deviations.
    """
    eta = linear_predictor(data, p)
    first, second = data.edges.T
    return float(
        np.sum(data.receiving * eta - data.effective * np.logaddexp(0.0, eta))
        - 0.5 * (p.a**2 + np.sum(p.b**2) + np.sum(p.v**2))
        - 0.5 * data.scaling * np.sum((p.f[first] - p.f[second]) ** 2)
        - data.state_rate * p.state_sd
        - data.sd_rate * p.municipality_sd
        + (data.share_alpha - 1.0) * np.log(p.municipality_share)
        + (data.share_beta - 1.0) * np.log1p(-p.municipality_share)
    )


@dataclass(frozen=True)
class RunSettings:
    """How long a sampler runs; the same number of chains and cores for all."""

    warmup: int
    draws: int
    chains: int
    cores: int
    seed: int


@dataclass
class Draws:
    """What a sampler returns.

    Parameters
    ----------
    hyper : mapping of str to array, shape (chain, draw)
        The hyperparameters it reports, by name.
    eta : array, shape (chain, draw, cell)
        The linear predictor of every area (and wave).
    divergences : int
        Divergent transitions after warm-up.
    sampling_seconds : float
        Wall seconds of warm-up and draws together: what grows with the length of the run.
    work : array, shape (chain, warmup + draw), optional
        Gradient evaluations of every iteration: says how those seconds are spread over it.
        None where all iterations cost the same.
    note : str
        Anything a reader must know.
    """

    hyper: Mapping[str, Array]
    eta: NDArray[np.floating[Any]]
    divergences: int
    sampling_seconds: float
    work: Array | None = None
    note: str = ""
