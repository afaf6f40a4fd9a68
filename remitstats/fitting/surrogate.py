"""The Gaussian stand-in for a likelihood, and how its marginal density changes with theta.

Newton steps find the mode of the latent field; there, or on average over the field's law, each
cell's likelihood is replaced by a Gaussian pseudo-observation.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import qdldl
from numpy.typing import NDArray

from remitstats.errors import RemitstatsError
from remitstats.fitting.gaussian_system import (
    LEAST_WEIGHT,
    Conditional,
    GaussianSystem,
    Surrogate,
)

Array = NDArray[np.float64]


class FitError(RemitstatsError):
    """The engine could not start: the model and the data do not fit together."""


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
    values = system.model.constrain(theta)
    sd = likelihood.measurement_sd(values)
    eta = start
    spare: qdldl.Solver | None = None
    field: Array | None = None
    best = -math.inf

    def stand_in(eta: Array) -> Surrogate:
        weight = likelihood.curvature(eta, values)
        gradient = likelihood.gradient(eta, values)
        return Surrogate(eta + gradient / np.maximum(weight, LEAST_WEIGHT), weight, sd)

    for _ in range(iterations):
        conditional = system.condition(theta, stand_in(eta), spare)
        spare = conditional.solver
        target = conditional.mean
        step = 1.0
        while True:
            candidate = target if field is None else field + step * (target - field)
            candidate_eta = conditional.eta(candidate)
            density = float(likelihood.log_density(candidate_eta, values).sum()) - 0.5 * float(
                sum(np.sum(part**2) for part in system.whitened(conditional.whitening, candidate))
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
    surrogate = stand_in(eta)
    return surrogate, system.condition(theta, surrogate, spare), eta


def averaged_surrogate(
    system: GaussianSystem,
    theta: Array,
    surrogate: Surrogate,
    rng: np.random.Generator,
    *,
    rounds: int = 2,
) -> Surrogate:
    """Return the Gaussian stand-in that is right on average instead of right at the mode.

    Matches, cell by cell, the expectations of the likelihood's slope and curvature over the
    field's law: the variational Gaussian approximation (Opper and Archambeau 2009, Neural
    Computation 21: 786-792). Skewed cells (zero counts) make the mode a poor centre; this
    leaves the chains a smaller difference to correct.
    """
    likelihood = system.model.likelihood
    values = system.model.constrain(theta)
    sd_of_measurement = likelihood.measurement_sd(values)
    nodes, weights = np.polynomial.hermite_e.hermegauss(15)
    weights = weights / weights.sum()
    spare: qdldl.Solver | None = None
    for _ in range(rounds):
        conditional = system.condition(theta, surrogate, spare)
        spare = conditional.solver
        draws = np.array(
            [
                conditional.eta(conditional.field(rng.standard_normal(system.noise)))
                for _ in range(48)
            ]
        )
        mean, sd = conditional.eta(conditional.mean), draws.std(axis=0, ddof=1)
        slope, curvature = np.zeros_like(mean), np.zeros_like(mean)
        for node, weight in zip(nodes, weights, strict=True):
            slope += weight * likelihood.gradient(mean + node * sd, values)
            curvature += weight * likelihood.curvature(mean + node * sd, values)
        value = mean + slope / np.maximum(curvature, LEAST_WEIGHT)
        surrogate = Surrogate(value, curvature, sd_of_measurement)
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
    residual = conditional.value - model.offset
    center = conditional.mean
    gram = [np.zeros((f.layers, f.layers)) for f in system.fields]
    mean, square = system.loading @ center, np.zeros(model.cells)
    for row in noise:
        away = conditional.field(row) - center
        for field in (center + away, center - away):
            for place, part in enumerate(system.squares(field)):
                gram[place] += part
        square += mean**2 + (system.loading @ away) ** 2
    count = len(noise)
    measured = conditional.weight > LEAST_WEIGHT
    here = model.likelihood.measurement_sd(conditional.values)

    def log_joint(t: Array) -> float:
        values = model.constrain(t)
        total = 0.0
        for f, part in zip(system.fields, gram, strict=True):
            covariance = f.covariance(values)
            total -= 0.5 * f.structure.rank * float(np.linalg.slogdet(covariance)[1])
            total -= 0.25 * float(np.sum(np.linalg.inv(covariance) * part)) / count
        scale = model.cell_scale(values)
        ratio = np.broadcast_to(here / model.likelihood.measurement_sd(values), model.cells)
        misfit = residual**2 - 2.0 * scale * residual * mean + scale**2 * square / count
        total -= 0.5 * float(np.sum(conditional.weight * ratio**2 * misfit))
        return total + float(np.sum(np.log(ratio[measured])))

    return approx_gradient(log_joint, theta)
