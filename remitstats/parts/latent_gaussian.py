"""One definition of a latent Gaussian model that both engines read.

    eta = offset + scale(theta) * (A_1 x_1 + A_2 x_2 + …),   x_k ~ Normal(0, sd_k(theta)^2 R_k^-1),

with few hyperparameters theta, sparse structures R_k (see `icar.Structure`), sparse loadings A_k
and a likelihood that factors over the cells of eta. A model function builds this beside its
`pm.Model`; a test holds the two to the same log density.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from remitstats.parts.icar import Structure
from remitstats.parts.priors import HyperPrior

Values = Mapping[str, float]


class Likelihood(Protocol):
    """A log likelihood that factors over cells (see `sampling_error.EffectiveBinomial`)."""

    def log_density(self, eta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log density of every cell."""

    def gradient(self, eta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return its derivative with respect to eta."""

    def curvature(self, eta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return minus its second derivative, at least zero."""

    def initial(self) -> NDArray[np.float64]:
        """Return a data-based start for eta."""


class LogSd(Protocol):
    """Logarithm of a component's standard deviation as a function of the hyperparameters."""

    def __call__(self, values: Values) -> float:
        """Return the log standard deviation at `values`."""


@dataclass(frozen=True)
class FixedSd:
    """A standard deviation set in advance."""

    sd: float

    def __call__(self, values: Values) -> float:  # noqa: ARG002 - the protocol passes them
        """Return the logarithm of the fixed standard deviation."""
        return math.log(self.sd)


@dataclass(frozen=True)
class FreeSd:
    """A standard deviation that is itself a hyperparameter."""

    sd: str

    def __call__(self, values: Values) -> float:
        """Return the logarithm of the hyperparameter."""
        return math.log(values[self.sd])


@dataclass(frozen=True)
class SharedSd:
    """One part of a BYM2 effect: sd times the root of its share of the variance.

    Parameters
    ----------
    sd, share : str
        Names of the effect's standard deviation and of the spatial share.
    spatial : bool
        True for the spatial part (share), False for the unstructured one (1 - share).
    """

    sd: str
    share: str
    spatial: bool

    def __call__(self, values: Values) -> float:
        """Return log(sd) plus half the logarithm of the part's share."""
        share = values[self.share] if self.spatial else 1.0 - values[self.share]
        return math.log(values[self.sd]) + 0.5 * math.log(max(share, 1e-12))


@dataclass(frozen=True)
class Component:
    """One Gaussian effect of the model.

    Parameters
    ----------
    name : str
        What it is called in the posterior.
    structure : Structure
        Unit-scale structure of the effect.
    loading : sparse array, shape (cell, structure.size)
        How it enters the linear predictor.
    log_sd : callable
        Log standard deviation as a function of the hyperparameters.
    """

    name: str
    structure: Structure
    loading: sp.csr_array
    log_sd: LogSd


@dataclass(frozen=True)
class LatentGaussian:
    """A latent Gaussian model with its data.

    Parameters
    ----------
    name : str
        Name of the model.
    hyperparameters : mapping of str to prior
        Priors of the hyperparameters, by name.
    components : tuple of Component
        The Gaussian effects.
    likelihood : Likelihood
        Log likelihood of the cells.
    dims : tuple of str
        Named dims of the linear predictor; its cells are their product in C order.
    coords : mapping of str to array
        Coordinates of every dim used.
    offset : array, shape (cell,)
        Known part of the linear predictor.
    scale_name : tuple of str or None, one per cell group
        Hyperparameter that multiplies the effects of each group of cells; None for 1.
    scale_group : array of int, shape (cell,)
        Group of each cell, an index into `scale_name`.
    reported : mapping of str to (component names, dims)
        Sums of components stored in the posterior besides the linear predictor.
    variable_names : frozenset of str
        Variables of the PyMC model built beside it; an engine refuses a model that was changed.
    """

    name: str
    hyperparameters: Mapping[str, HyperPrior]
    components: tuple[Component, ...]
    likelihood: Likelihood
    dims: tuple[str, ...]
    coords: Mapping[str, Any]
    offset: NDArray[np.float64]
    scale_name: tuple[str | None, ...] = (None,)
    scale_group: NDArray[np.int64] | None = None
    reported: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    variable_names: frozenset[str] = frozenset()

    @property
    def cells(self) -> int:
        """Number of cells of the linear predictor."""
        return len(self.offset)

    def constrain(self, theta: NDArray[np.float64]) -> dict[str, float]:
        """Return the hyperparameters on their own scales."""
        return {
            name: prior.constrain(float(t))
            for (name, prior), t in zip(self.hyperparameters.items(), theta, strict=True)
        }

    def log_prior(self, theta: NDArray[np.float64]) -> float:
        """Return the log prior density of theta, standard normal by construction."""
        return -0.5 * float(theta @ theta)

    def initial(self) -> NDArray[np.float64]:
        """Return a start for theta: the prior medians."""
        return np.zeros(len(self.hyperparameters))

    def cell_scale(self, values: Values) -> NDArray[np.float64]:
        """Return the factor that multiplies the effects in each cell."""
        factor = np.array([1.0 if name is None else values[name] for name in self.scale_name])
        if self.scale_group is None:
            return np.full(self.cells, factor[0])
        return np.asarray(factor[self.scale_group])

    def log_joint(
        self, theta: NDArray[np.float64], effects: Mapping[str, NDArray[np.float64]]
    ) -> float:
        """Return the joint log density of theta, the effects and the data, up to a constant.

        The plain, slow statement of the model: what engines and PyMC are checked against.
        """
        values = self.constrain(theta)
        eta = self.linear_predictor(values, effects)
        total = self.log_prior(theta) + float(self.likelihood.log_density(eta).sum())
        for component in self.components:
            x, log_sd = effects[component.name], component.log_sd(values)
            quadratic = float(np.sum((component.structure.root @ x) ** 2))
            total += -component.structure.rank * log_sd - 0.5 * quadratic * math.exp(-2 * log_sd)
        return total

    def linear_predictor(
        self, values: Values, effects: Mapping[str, NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Return eta for given hyperparameters and effects."""
        total = sum(c.loading @ effects[c.name] for c in self.components)
        return np.asarray(self.offset + self.cell_scale(values) * total)

    def sample_prior(
        self, rng: np.random.Generator, draws: int, theta: NDArray[np.float64] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Draw hyperparameters and linear predictors from the prior.

        Parameters
        ----------
        rng : numpy.random.Generator
            Stream of the draws.
        draws : int
            Number of draws.
        theta : array, shape (draw, hyperparameter), optional
            Unconstrained hyperparameters to draw linear predictors for; drawn too by default.

        Returns
        -------
        theta : array, shape (draw, hyperparameter)
            Unconstrained hyperparameters.
        eta : array, shape (draw, cell)
            Linear predictors.
        """
        if theta is None:
            theta = rng.standard_normal((draws, len(self.hyperparameters)))
        units = {c.name: c.structure.sample(rng, draws) for c in self.components}
        eta = np.empty((draws, self.cells))
        for i, t in enumerate(theta):
            values = self.constrain(t)
            effects = {
                c.name: units[c.name][i] * math.exp(c.log_sd(values)) for c in self.components
            }
            eta[i] = self.linear_predictor(values, effects)
        return theta, eta
