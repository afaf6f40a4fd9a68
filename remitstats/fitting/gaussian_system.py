"""The Gaussian heart of a latent Gaussian model: one sparse factorisation per theta.

With the likelihood replaced by Gaussian pseudo-observations (value z, precision w per cell) the
latent field given theta is Gaussian. `GaussianSystem.solve` returns its mean, its log
normalising constant and a map from standard normals to draws, constraints included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import qdldl
import scipy.sparse as sp
from numpy.typing import NDArray

from remitstats.parts.latent_gaussian import LatentGaussian

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Conditional:
    """Gaussian law of the latent field given theta and pseudo-observations.

    Parameters
    ----------
    log_marginal : float
        Log density of the pseudo-observations given theta, up to a constant in theta.
    mean : array, shape (latent,)
        Mean of the field; it meets the constraints.
    """

    system: GaussianSystem
    solver: qdldl.Solver
    log_marginal: float
    mean: Array
    cell_scale: Array
    precision: Array
    value: Array
    weight: Array
    correction: Array

    def eta(self, field: Array) -> Array:
        """Return the linear predictor of a field."""
        effects = np.asarray(self.system.loading @ field)
        return np.asarray(self.system.model.offset + self.cell_scale * effects)

    def field(self, noise: Array) -> Array:
        """Map standard normals, shape (noise,), to a draw of the field, shape (latent,)."""
        system = self.system
        load = system.root.T @ (np.repeat(self.precision, system.root_rows) * noise[: system.k])
        load += system.loading.T @ (self.cell_scale * np.sqrt(self.weight) * noise[system.k :])
        draw = self.solver.solve(load)
        return np.asarray(self.mean + draw - self.correction @ (system.constraint @ draw))

    def pull_back(self, gradient: Array) -> Array:
        """Return the gradient with respect to the noise of a function with gradient in eta."""
        system = self.system
        latent = system.loading.T @ (self.cell_scale * gradient)
        latent = latent - system.constraint.T @ (self.correction.T @ latent)
        solved = self.solver.solve(latent)
        prior = np.repeat(self.precision, system.root_rows) * (system.root @ solved)
        data = np.sqrt(self.weight) * self.cell_scale * (system.loading @ solved)
        return np.concatenate([prior, data])


class GaussianSystem:
    """Sparse pattern of a model, prepared once; `condition` then costs one factorisation.

    Parameters
    ----------
    model : LatentGaussian
        The model whose effects are stacked into one latent field.
    """

    def __init__(self, model: LatentGaussian) -> None:
        self.model = model
        parts = model.components
        self.size = np.array([c.structure.size for c in parts])
        self.start = np.concatenate([[0], np.cumsum(self.size)])
        self.latent = int(self.start[-1])
        self.loading = sp.csr_array(sp.hstack([c.loading for c in parts]))
        self.root = sp.csr_array(sp.block_diag([c.structure.root for c in parts], format="csr"))
        self.root_rows = np.array([c.structure.root.shape[0] for c in parts])
        self.k = int(self.root_rows.sum())
        self.noise = self.k + model.cells
        self.constraint = sp.csr_array(
            sp.block_diag([c.structure.constraint for c in parts], format="csr")
        )
        self.rank = np.array([c.structure.rank for c in parts])
        self._prepare_pattern()

    def _prepare_pattern(self) -> None:
        """Write the upper triangle of H as a fixed pattern plus linear maps of its values."""
        upper_prior = sp.triu(sp.csc_array(self.root.T @ self.root), format="coo")
        block = np.searchsorted(self.start, upper_prior.col, side="right") - 1
        loading = self.loading
        counts = np.diff(loading.indptr)
        rows, cols, cells, values = [], [], [], []
        for width in np.unique(counts):
            chosen = np.flatnonzero(counts == width)
            if width == 0 or not len(chosen):
                continue
            place = loading.indptr[chosen][:, None] + np.arange(width)
            index, value = loading.indices[place], loading.data[place]
            a, b = np.triu_indices(width)
            i, j = index[:, a], index[:, b]
            rows.append(np.minimum(i, j).ravel())
            cols.append(np.maximum(i, j).ravel())
            cells.append(np.repeat(chosen, len(a)))
            values.append((value[:, a] * value[:, b]).ravel())
        row, col = np.concatenate(rows), np.concatenate(cols)
        all_row = np.concatenate([upper_prior.row, row, np.arange(self.latent)])
        all_col = np.concatenate([upper_prior.col, col, np.arange(self.latent)])
        pattern = sp.csc_array(
            (np.ones(len(all_row)), (all_row, all_col)), shape=(self.latent, self.latent)
        )
        pattern.sum_duplicates()
        pattern.sort_indices()
        key = np.repeat(np.arange(self.latent), np.diff(pattern.indptr)) * self.latent
        key = key + pattern.indices

        def place_of(i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.int64]:
            return np.searchsorted(key, j.astype(np.int64) * self.latent + i)

        self._pattern = pattern
        self._from_prior = sp.csr_array(
            (upper_prior.data, (place_of(upper_prior.row, upper_prior.col), block)),
            shape=(pattern.nnz, len(self.size)),
        )
        self._from_data = sp.csr_array(
            (np.concatenate(values), (place_of(row, col), np.concatenate(cells))),
            shape=(pattern.nnz, self.model.cells),
        )
        self._constraint_rows = self.constraint.toarray()

    def _factorise(
        self, tau: Array, cell_weight: Array, spare: qdldl.Solver | None
    ) -> qdldl.Solver:
        data = self._from_prior @ tau + self._from_data @ cell_weight
        matrix = sp.csc_matrix(
            (data, self._pattern.indices, self._pattern.indptr), shape=self._pattern.shape
        )
        if spare is None:
            return qdldl.Solver(matrix, upper=True)
        spare.update(matrix, upper=True)  # same pattern: skips the ordering, a third of the time
        return spare

    def condition(
        self, theta: Array, value: Array, weight: Array, spare: qdldl.Solver | None = None
    ) -> Conditional:
        """Return the field's law given theta and pseudo-observations of eta.

        Parameters
        ----------
        theta : array
            Unconstrained hyperparameters.
        value, weight : array, shape (cell,)
            Pseudo-observations of eta and their precisions.
        spare : qdldl.Solver, optional
            A solver of this system that is no longer needed: it is overwritten, which saves
            the ordering.
        """
        model = self.model
        values = model.constrain(theta)
        log_sd = np.array([c.log_sd(values) for c in model.components])
        tau = np.exp(-2.0 * log_sd)
        scale = model.cell_scale(values)
        solver = self._factorise(tau, weight * scale**2, spare)
        residual = value - model.offset
        rhs = self.loading.T @ (scale * weight * residual)
        free = solver.solve(rhs)
        constraint = self.constraint
        if constraint.shape[0]:
            solved = np.column_stack([solver.solve(row) for row in self._constraint_rows])
            gram = constraint @ solved
            correction = np.linalg.solve(gram, solved.T).T
            broken = constraint @ free
            mean = free - correction @ broken
            log_det_constraint = float(np.linalg.slogdet(gram)[1])
            penalty = float(broken @ np.linalg.solve(gram, broken))
        else:
            correction = np.zeros((self.latent, 0))
            mean, log_det_constraint, penalty = free, 0.0, 0.0
        log_det = float(np.sum(np.log(solver.factors()[1])))
        log_marginal = (
            -float(self.rank @ log_sd)
            - 0.5 * log_det
            - 0.5 * log_det_constraint
            + 0.5 * float(rhs @ free)
            - 0.5 * penalty
            - 0.5 * float(np.sum(weight * residual**2))
        )
        return Conditional(
            system=self,
            solver=solver,
            log_marginal=log_marginal,
            mean=mean,
            cell_scale=scale,
            precision=np.exp(-log_sd),
            value=value,
            weight=weight,
            correction=correction,
        )

    def split(self, field: Array) -> dict[str, Array]:
        """Return the components of a stacked field by name."""
        return {
            c.name: field[a:b]
            for c, a, b in zip(self.model.components, self.start, self.start[1:], strict=False)
        }


def log_density_of_pseudo(eta: Array, value: Array, weight: Array) -> Array:
    """Return the Gaussian pseudo log likelihood of every cell, without constants."""
    return -0.5 * weight * (eta - value) ** 2
