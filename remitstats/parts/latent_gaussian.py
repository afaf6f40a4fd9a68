"""One definition of a latent Gaussian model that both engines read.

The cells of the linear predictor form a grid of rows (waves, say) and columns (municipalities):

    eta = offset + scale(theta) * sum_k A_k X_k B_k',   X_k ~ Normal(0, sd_k(theta)^2 C_k x R_k^-1),

with few hyperparameters theta; X_k has one row a copy and one column an element of the sparse
structure R_k (see `structure.Structure`), A_k (row, copy) and B_k (column, element) say where it
enters, C_k(theta) is the correlation of the copies, and the likelihood factors over the cells.
Components with the same R and B are one Gaussian field to an engine, which is what makes a
country cheap (see `fitting.gaussian_system`). A model function builds this beside its `pm.Model`;
a test holds the two to the same log density.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from remitstats.parts.likelihood import Likelihood
from remitstats.parts.priors import HyperPrior
from remitstats.parts.structure import Structure

Array = NDArray[np.float64]
Values = Mapping[str, float]
Correlation = Callable[[Values], Array]


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
class OwnVariances:
    """Covariance of independent copies whose standard deviations are hyperparameters.

    Parameters
    ----------
    sds : tuple of str
        Their names, one a copy; the component's own standard deviation is 1.
    """

    sds: tuple[str, ...]

    def __call__(self, values: Values) -> Array:
        """Return the covariance, shape (copy, copy)."""
        return np.diag([values[name] ** 2 for name in self.sds])


@dataclass(frozen=True)
class Component:
    """One Gaussian effect of the model: independent or correlated copies of one structure.

    Parameters
    ----------
    name : str
        What it is called in the posterior.
    structure : Structure
        Unit-scale structure R of one copy.
    rows : array, shape (row, copy)
        How the copies enter the rows of the grid (A); ``np.eye(rows)`` for one copy a row, a
        column of ones for an effect that all rows share.
    columns : sparse array, shape (column, structure.size)
        How the elements enter the columns of the grid (B). Pass the same object to components
        that enter alike.
    log_sd : callable
        Log standard deviation as a function of the hyperparameters.
    correlation : callable, optional
        Correlation matrix of the copies, shape (copy, copy), as a function of the
        hyperparameters; independent copies by default.
    """

    name: str
    structure: Structure
    rows: Array
    columns: sp.csr_array
    log_sd: LogSd
    correlation: Correlation | None = None

    @property
    def copies(self) -> int:
        """Number of copies of the structure."""
        return int(self.rows.shape[1])

    @property
    def size(self) -> int:
        """Length of the effect, copy by copy."""
        return self.copies * self.structure.size

    def covariance(self, values: Values) -> Array:
        """Return the covariance of the copies, sd^2 C, shape (copy, copy)."""
        unit = np.eye(self.copies) if self.correlation is None else self.correlation(values)
        return np.asarray(math.exp(2.0 * self.log_sd(values)) * unit)

    def enter(self, effect: Array) -> Array:
        """Return what an effect, shape (size,), adds to every cell."""
        copies = effect.reshape(self.copies, self.structure.size)
        return np.asarray(self.rows @ (self.columns @ copies.T).T).ravel()


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
    offset: Array
    scale_name: tuple[str | None, ...] = (None,)
    scale_group: NDArray[np.int64] | None = None
    reported: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    variable_names: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for component in self.components:
            cells = component.rows.shape[0] * component.columns.shape[0]
            if cells != self.cells or component.columns.shape[1] != component.structure.size:
                raise ValueError(f"the component '{component.name}' does not fit the cells")

    @property
    def cells(self) -> int:
        """Number of cells of the linear predictor."""
        return len(self.offset)

    def constrain(self, theta: Array) -> dict[str, float]:
        """Return the hyperparameters on their own scales."""
        return {
            name: prior.constrain(float(t))
            for (name, prior), t in zip(self.hyperparameters.items(), theta, strict=True)
        }

    def log_prior(self, theta: Array) -> float:
        """Return the log prior density of theta, standard normal by construction."""
        return -0.5 * float(theta @ theta)

    def initial(self) -> Array:
        """Return a start for theta: the prior medians."""
        return np.zeros(len(self.hyperparameters))

    def cell_scale(self, values: Values) -> Array:
        """Return the factor that multiplies the effects in each cell."""
        factor = np.array([1.0 if name is None else values[name] for name in self.scale_name])
        if self.scale_group is None:
            return np.full(self.cells, factor[0])
        return np.asarray(factor[self.scale_group])

    def log_joint(self, theta: Array, effects: Mapping[str, Array]) -> float:
        """Return the joint log density of theta, the effects and the data, up to a constant.

        The plain, slow statement of the model: what engines and PyMC are checked against.
        """
        values = self.constrain(theta)
        eta = self.linear_predictor(values, effects)
        total = self.log_prior(theta) + float(self.likelihood.log_density(eta, values).sum())
        for component in self.components:
            covariance = component.covariance(values)
            copies = effects[component.name].reshape(component.copies, component.structure.size)
            root = np.asarray(component.structure.root @ copies.T)
            total += -0.5 * component.structure.rank * float(np.linalg.slogdet(covariance)[1])
            total += -0.5 * float(np.sum(np.linalg.inv(covariance) * (root.T @ root)))
        return total

    def linear_predictor(self, values: Values, effects: Mapping[str, Array]) -> Array:
        """Return eta for given hyperparameters and effects."""
        total = sum(c.enter(effects[c.name]) for c in self.components)
        return np.asarray(self.offset + self.cell_scale(values) * total)

    def sample_prior(
        self, rng: np.random.Generator, draws: int, theta: Array | None = None
    ) -> tuple[Array, Array]:
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
        units = {
            c.name: c.structure.sample(rng, draws * c.copies).reshape(draws, c.copies, -1)
            for c in self.components
        }
        eta = np.empty((draws, self.cells))
        for i, t in enumerate(theta):
            values = self.constrain(t)
            effects = {
                c.name: (np.linalg.cholesky(c.covariance(values)) @ units[c.name][i]).ravel()
                for c in self.components
            }
            eta[i] = self.linear_predictor(values, effects)
        return theta, eta
