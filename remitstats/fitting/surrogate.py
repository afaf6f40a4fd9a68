"""The Gaussian stand-in for a likelihood, and how its marginal density changes with theta.

Newton steps find the mode of the latent field; there, or on average over the field's law, each
cell's likelihood is replaced by a Gaussian pseudo-observation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import qdldl
from numpy.typing import NDArray

from remitstats.errors import RemitstatsError
from remitstats.fitting.gaussian_system import Conditional, GaussianSystem, log_density_of_pseudo
from remitstats.parts.latent_gaussian import Likelihood

Array = NDArray[np.float64]


class FitError(RemitstatsError):
    """The engine could not start: the model and the data do not fit together."""


@dataclass(frozen=True)
class Surrogate:
    """Gaussian stand-in for the likelihood: pseudo-observations `value` with precision `weight`."""

    value: Array
    weight: Array


def newton_mode(
    system: GaussianSystem, theta: Array, start: Array, *, iterations: int = 50
) -> tuple[Surrogate, Conditional, Array]:
    """Return the surrogate at the mode of the field given theta, its law and the mode of eta.

    Newton steps with halving on the log joint density; starts from `start`, a data-based eta.

    Raises
    ------
    FitError
        If no step improves the density before convergence.
    """
    likelihood = system.model.likelihood
    eta = start
    spare: qdldl.Solver | None = None
    field: Array | None = None
    best = -math.inf
    for _ in range(iterations):
        weight = np.maximum(likelihood.curvature(eta), 1e-6)
        value = eta + likelihood.gradient(eta) / weight
        conditional = system.condition(theta, value, weight, spare)
        spare = conditional.solver
        target = conditional.mean
        step = 1.0
        while True:
            candidate = target if field is None else field + step * (target - field)
            candidate_eta = conditional.eta(candidate)
            density = float(likelihood.log_density(candidate_eta).sum()) - 0.5 * float(
                np.sum(
                    (np.repeat(conditional.precision, system.root_rows) * (system.root @ candidate))
                    ** 2
                )
            )
            if field is None or density >= best - 1e-9 * abs(best):
                break
            step *= 0.5
            if step < 1e-6:
                raise FitError(
                    "The mode of the latent field was not found: no step improves the posterior "
                    "density. Check the data for impossible counts, or use engine='nuts'."
                )
        change = float(np.max(np.abs(candidate_eta - eta)))
        field, eta, best = candidate, candidate_eta, density
        if change < 1e-6:
            break
    weight = np.maximum(likelihood.curvature(eta), 1e-6)
    surrogate = Surrogate(eta + likelihood.gradient(eta) / weight, weight)
    return surrogate, system.condition(theta, surrogate.value, surrogate.weight, spare), eta


def difference(likelihood: Likelihood, surrogate: Surrogate, eta: Array) -> float:
    """Return log likelihood minus log surrogate at eta, summed over the cells."""
    pseudo = log_density_of_pseudo(eta, surrogate.value, surrogate.weight)
    return float((likelihood.log_density(eta) - pseudo).sum())


def averaged_surrogate(
    system: GaussianSystem, theta: Array, surrogate: Surrogate, rng: np.random.Generator
) -> Surrogate:
    """Return the Gaussian stand-in that is right on average instead of right at the mode.

    Matches, cell by cell, the expectations of the likelihood's slope and curvature over the
    field's law: the variational Gaussian approximation (Opper and Archambeau 2009, Neural
    Computation 21: 786-792). Skewed cells (zero counts) make the mode a poor centre; this
    leaves the chains a smaller difference to correct.
    """
    likelihood = system.model.likelihood
    nodes, weights = np.polynomial.hermite_e.hermegauss(15)
    weights = weights / weights.sum()
    for _ in range(3):
        conditional = system.condition(theta, surrogate.value, surrogate.weight)
        draws = np.array(
            [
                conditional.eta(conditional.field(rng.standard_normal(system.noise)))
                for _ in range(64)
            ]
        )
        mean, sd = conditional.eta(conditional.mean), draws.std(axis=0, ddof=1)
        slope, curvature = np.zeros_like(mean), np.zeros_like(mean)
        for node, weight in zip(nodes, weights, strict=True):
            slope += weight * likelihood.gradient(mean + node * sd)
            curvature += weight * likelihood.curvature(mean + node * sd)
        curvature = np.maximum(curvature, 1e-6)
        surrogate = Surrogate(mean + slope / curvature, curvature)
    return surrogate


def approx_gradient(function: Callable[[Array], float], t: Array, step: float = 1e-5) -> Array:
    """Return the central-difference gradient of a cheap function."""
    shift = step * np.eye(len(t))
    return np.array([(function(t + h) - function(t - h)) / (2.0 * step) for h in shift])


def log_marginal_gradient(conditional: Conditional, theta: Array, noise: Array) -> Array:
    """Return the gradient of the surrogate's log marginal density by Fisher's identity.

    The gradient of a log marginal is the posterior mean of the gradient of the log joint, here
    averaged over draws of the field made from common `noise`; every theta enters the joint
    only through a few quadratic forms, so the joint's own gradient is nearly free.

    Parameters
    ----------
    conditional : Conditional
        The field's law at `theta`.
    theta : array, shape (hyperparameter,)
        Unconstrained hyperparameters.
    noise : array, shape (draw, noise)
        Standard normals; used with both signs (antithetic).
    """
    system = conditional.system
    model = system.model
    groups = len(model.scale_name)
    group = np.zeros(model.cells, dtype=int) if model.scale_group is None else model.scale_group
    bounds = np.concatenate([[0], np.cumsum(system.root_rows)])[:-1]
    residual = conditional.value - model.offset
    quadratic, square, cross = np.zeros(len(system.size)), np.zeros(groups), np.zeros(groups)
    center = conditional.mean
    for row in noise:
        away = conditional.field(row) - center
        for field in (center + away, center - away):
            quadratic += np.add.reduceat((system.root @ field) ** 2, bounds)
            effect = system.loading @ field
            square += np.bincount(group, conditional.weight * effect**2, groups)
            cross += np.bincount(group, conditional.weight * effect * residual, groups)
    count = 2 * len(noise)
    quadratic, square, cross = quadratic / count, square / count, cross / count

    def log_joint(t: Array) -> float:
        values = model.constrain(t)
        log_sd = np.array([c.log_sd(values) for c in model.components])
        scale = np.array([1.0 if name is None else values[name] for name in model.scale_name])
        return float(
            -system.rank @ log_sd
            - 0.5 * quadratic @ np.exp(-2.0 * log_sd)
            - 0.5 * square @ scale**2
            + cross @ scale
        )

    return approx_gradient(log_joint, theta)
