"""Log densities of priors on unconstrained numbers, with their gradients.

Normals stand as they are; scales as their logarithms, or as normal scores under their prior (see
`parts.priors`), which give a scale near nought no long tail. Each `add` function adds its gradient
to `out`, an array like the whole vector of parameters, and returns the log density.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from remitstats.parts.priors import NormalPrior, ScalePrior

Array = NDArray[np.float64]
Layout = dict[str, tuple[slice, tuple[int, ...]]]
LOG_TWO_PI = math.log(2.0 * math.pi)


def layout_of(shapes: dict[str, tuple[int, ...]]) -> Layout:
    """Return where each variable stands in the vector of all, in the order given."""
    found, at = {}, 0
    for name, shape in shapes.items():
        size = math.prod(shape)
        found[name] = (slice(at, at + size), shape)
        at += size
    return found


def parts_of(x: Array, layout: Layout) -> dict[str, Array]:
    """Return the variables of a vector, or of many, each of shape (..., *its own)."""
    return {
        name: x[..., place].reshape((*x.shape[:-1], *shape))
        for name, (place, shape) in layout.items()
    }


def add_normal(x: Array, out: Array, place: slice, prior: NormalPrior) -> float:
    """Add a normal prior of x[place]."""
    z = (x[place] - prior.mean) / prior.sd
    out[place] -= z / prior.sd
    return float(np.sum(-0.5 * z**2 - math.log(prior.sd) - 0.5 * LOG_TWO_PI))


def add_scale(x: Array, out: Array, place: slice, prior: ScalePrior) -> float:
    """Add an exponential prior of exp(x[place]), as a density of x."""
    value: Any = np.exp(x[place])
    out[place] += 1.0 - prior.rate * value
    return float(np.sum(math.log(prior.rate) - prior.rate * value + x[place]))


def scale_of(t: Array, prior: ScalePrior) -> Array:
    """Return the scales of normal scores: `prior.constrain` of an array."""
    return np.asarray(-special.log_ndtr(-t) / prior.rate)


def log_scale_slope(t: Array, prior: ScalePrior) -> Array:
    """Return the derivative of the logarithm of `scale_of` in the normal scores."""
    log_tail = special.log_ndtr(-t)
    hazard = np.exp(-0.5 * (t**2 + LOG_TWO_PI) - log_tail)
    return np.asarray(hazard / (prior.rate * scale_of(t, prior)))
