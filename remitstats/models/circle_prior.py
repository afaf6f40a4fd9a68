"""Log prior density of the circle model on unconstrained parameters, with its gradient."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from remitstats.models.circle_form import Priors
from remitstats.models.circle_measures import SAMPLED, VARIABLES
from remitstats.parts.collapsed_density import GroupMeans
from remitstats.parts.correlation import beta_shape
from remitstats.parts.priors import ScalePrior, SharePrior

Array = NDArray[np.float64]
Layout = dict[str, tuple[slice, tuple[int, ...]]]
LOG_TWO_PI = math.log(2.0 * math.pi)


def link_prior(priors: Priors, count: int) -> tuple[Array, Array]:
    """Return means and standard deviations of the links, shape (count, count) each."""
    eye, own, cross = np.eye(count), priors.own_link, priors.cross_link
    return eye * own.mean + (1 - eye) * cross.mean, eye * own.sd + (1 - eye) * cross.sd


def scale_prior(name: str, priors: Priors) -> ScalePrior | None:
    """Return the prior under which a standard deviation is a normal score, or None for all else.

    As a logarithm it would have a long tail wherever the data say no more than that it is small;
    with it go links (what lasts and what is carried on look alike), and chains mix slowly.
    """
    if name == "intercept_sd":
        return priors.intercept_sd
    if name in ("initial_sd", "innovation_sd", "earlier_sd"):
        return priors.innovation_sd
    return priors.size_noise_sd if name.startswith("size_noise_sd") else None


def log_prior(
    x: Array, layout: Layout, priors: Priors, out: Array, means: GroupMeans | None = None
) -> float:
    """Add the gradient of the log prior density to `out` and return the density.

    Parameters
    ----------
    x : array, shape (parameter,)
        Unconstrained parameters: normals as they are; ratios, and scales of pooled links, as
        logarithms; other scales as normal scores (`scale_prior`); shares and partial correlations
        as logits.
    layout : mapping of str to (slice, shape)
        Where each variable stands in `x`.
    priors : Priors
        The priors.
    out : array, shape (parameter,)
        The gradient is added to it.
    means : GroupMeans, optional
        Of regions, if regions and their states may differ.
    """
    place, (count, _) = layout["link"]
    mean, sd = link_prior(priors, count)
    value = _normal(x, out, place, sd.ravel(), mean.ravel())
    for level in ("interval", "region", "state"):
        if f"link_{level}_sd" in layout:
            scale_at = layout[f"link_{level}_sd"][0]
            value += _scale(x, out, scale_at, getattr(priors, f"{level}_sd"))
            if level == "region" and means is not None:
                value += means.pull(x, out)
            elif f"link_{level}" in layout:  # centred
                value += _pooled(x, out, layout[f"link_{level}"][0], scale_at)
            else:
                value += _normal(x, out, layout[f"link_{level}_unit"][0], 1.0)
    for name in ("intercept", "initial", "innovation", "earlier"):
        if f"{name}_sd" in layout:
            size = layout[f"{name}_sd"][1][0]
            shape = beta_shape(size, priors.correlation)
            value += _normal(x, out, layout[f"{name}_sd"][0], 1.0)
            value += _share(x, out, layout[f"{name}_partial"][0], shape, shape)
    if "innovation_ratio" in layout:
        value += _normal(x, out, layout["innovation_ratio"][0], priors.innovation_ratio.log_sd)
    for v in SAMPLED:
        value += _normal(x, out, layout[f"sampling_ratio_{v}"][0], priors.sampling_ratio.log_sd)
    for v in VARIABLES[len(SAMPLED) :]:
        value += _normal(x, out, layout[f"size_noise_sd_{v}"][0], 1.0)
    raw = priors.sampling_correlation
    value += _normal(x, out, layout["sampling_correlation_raw"][0], raw.sd, raw.mean)
    for name in ("intercept_share", "innovation_share"):
        beta: SharePrior = getattr(priors, name)
        value += _share(x, out, layout[name][0], beta.alpha, beta.beta)
    if "earlier_scale" in layout:
        value += _normal(x, out, layout["earlier_scale"][0], priors.earlier_scale.log_sd)
        before = priors.earlier_link
        value += _normal(x, out, layout["earlier_link"][0], before.sd, before.mean)
    return value


def _normal(x: Array, out: Array, place: slice, sd: Any, mean: Any = 0.0) -> float:
    z = (x[place] - mean) / sd
    out[place] += -z / sd
    log_sd = np.broadcast_to(np.log(sd), z.shape)
    return float(np.sum(-0.5 * z**2 - log_sd - 0.5 * LOG_TWO_PI))


def _pooled(x: Array, out: Array, place: slice, scale: slice) -> float:
    """Apply the normal prior whose standard deviation is the exponential of another x."""
    log_sd = float(x[scale][0])
    z = x[place] * math.exp(-log_sd)
    out[place] += -z * math.exp(-log_sd)
    out[scale] += float(z @ z) - len(z)
    return float(-0.5 * (z @ z) - len(z) * (log_sd + 0.5 * LOG_TWO_PI))


def _scale(x: Array, out: Array, place: slice, prior: ScalePrior) -> float:
    """Exponential prior of exp(x)."""
    value = np.exp(x[place])
    out[place] += 1.0 - prior.rate * value
    return float(np.sum(math.log(prior.rate) - prior.rate * value + x[place]))


def _share(x: Array, out: Array, place: slice, alpha: Any, beta: Any) -> float:
    """Beta prior of the inverse logit of x."""
    y = x[place]
    share = special.expit(y)
    out[place] += alpha * (1.0 - share) - beta * share
    log_density = alpha * special.log_expit(y) + beta * special.log_expit(-y)
    return float(np.sum(log_density - special.betaln(alpha, beta)))
