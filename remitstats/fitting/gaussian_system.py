"""The Gaussian heart of a latent Gaussian model: one sparse factorisation per theta.

With the likelihood replaced by Gaussian pseudo-observations (value z, precision w per cell) the
latent field given theta is Gaussian. `GaussianSystem.condition` returns its mean, its log
normalising constant and a map from standard normals to draws, constraints included.

Two pieces of algebra make a country cheap:

- Components with the same structure R that enter the columns alike are one field: their sum
  X = sum_k A_k X_k is Normal(0, K x R^-1) with K = sum_k sd_k^2 A_k C_k A_k', so a map that all
  waves share beside one map a wave costs no more than the maps of the waves. The components are
  drawn back from the sum when they are asked for (`GaussianSystem.components`).
- Constraints are part of the factorised matrix, [[H, C'], [C, -e]] with a negligible e: quasi-
  definite, so that it has an LDL' factor in any order (Vanderbei 1995, SIAM Journal on
  Optimization 5: 100-113), and one solve gives the constrained answer (Rue and Held 2005,
  Gaussian Markov Random Fields, section 2.3, for what it replaces).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import qdldl
import scipy.sparse as sp
from numpy.typing import NDArray

from remitstats.parts.latent_gaussian import Component, LatentGaussian, Values
from remitstats.parts.likelihood import Likelihood
from remitstats.parts.structure import Structure

Array = NDArray[np.float64]

SLACK = 1e-10  # variance by which a normalised constraint may be missed
TRACE, LEAST_VARIANCE = 1e-10, 1e-16  # of independent variation in every field
LEAST_WEIGHT = 1e-6  # precision of a cell that says nothing: keeps the matrix positive definite


@dataclass(frozen=True)
class Surrogate:
    """Gaussian measurements of the cells that stand in for the likelihood.

    Parameters
    ----------
    value, weight : array, shape (cell,)
        Measurements of eta and their precisions; weight 0 where there is none.
    sd : float or array
        What the likelihood's `measurement_sd` was where they were found; the precisions follow
        it as the hyperparameters move, so that a Gaussian likelihood is met exactly everywhere.
    """

    value: Array
    weight: Array
    sd: float | Array = 1.0

    def at(self, likelihood: Likelihood, values: Values) -> tuple[Array, float]:
        """Return the precisions at some hyperparameters, and half the log of their product."""
        now = likelihood.measurement_sd(values)
        if np.array_equal(now, self.sd):
            return self.floored, 0.0
        ratio = np.broadcast_to(self.sd / now, self.weight.shape)
        weight = np.maximum(self.weight * ratio**2, LEAST_WEIGHT)
        return weight, float(np.sum(np.log(ratio[self.weight > LEAST_WEIGHT])))

    @cached_property
    def floored(self) -> Array:
        """Precisions where they were found, none of them zero."""
        return np.maximum(self.weight, LEAST_WEIGHT)


@dataclass(frozen=True)
class Field:
    """Components that an engine treats as one: the sum of those that enter the columns alike.

    Parameters
    ----------
    components : tuple of Component
        With the same structure and columns.
    basis : array, shape (row, layer)
        Orthonormal basis of what the components can add to the rows.
    """

    components: tuple[Component, ...]
    basis: Array

    @property
    def structure(self) -> Structure:
        """Structure of every layer."""
        return self.components[0].structure

    @property
    def columns(self) -> sp.csr_array:
        """How the elements enter the columns of the grid."""
        return self.components[0].columns

    @property
    def layers(self) -> int:
        """Number of layers: copies of the structure that the sum needs."""
        return int(self.basis.shape[1])

    @property
    def size(self) -> int:
        """Length of the field, layer by layer."""
        return self.layers * self.structure.size

    @cached_property
    def mixing(self) -> Array:
        """How the copies of all components make the layers, shape (layer, copy)."""
        return np.asarray(self.basis.T @ np.hstack([c.rows for c in self.components]))

    def copies_covariance(self, values: Values) -> Array:
        """Return the prior covariance of the copies of all components, shape (copy, copy)."""
        total = np.zeros((self.mixing.shape[1], self.mixing.shape[1]))
        at = 0
        for component in self.components:
            own = slice(at, at + component.copies)
            total[own, own] = component.covariance(values)
            at += component.copies
        return total

    def covariance(self, values: Values) -> Array:
        """Return the prior covariance K of the layers, shape (layer, layer).

        A trace of independent variation is added, so that a standard deviation near zero leaves
        K invertible.
        """
        total = self.mixing @ self.copies_covariance(values) @ self.mixing.T
        floor = TRACE * float(np.trace(total)) / self.layers + LEAST_VARIANCE
        return np.asarray(total + floor * np.eye(self.layers))


def fields_of(components: tuple[Component, ...]) -> tuple[Field, ...]:
    """Return the components gathered into as few fields as their structures allow."""
    groups: dict[tuple[int, int], list[Component]] = {}
    for component in components:
        groups.setdefault((id(component.structure), id(component.columns)), []).append(component)
    found = []
    for group in groups.values():
        rows = np.hstack([c.rows for c in group])
        left, singular, _ = np.linalg.svd(rows, full_matrices=False)
        rank = int(np.sum(singular > 1e-10 * singular[0]))
        full = rank == rows.shape[0]  # keep the rows themselves as layers: fewer entries in H
        found.append(Field(tuple(group), np.eye(rank) if full else left[:, :rank]))
    return tuple(found)


@dataclass(frozen=True)
class Conditional:
    """Gaussian law of the latent field given theta and pseudo-observations.

    Parameters
    ----------
    values : mapping of str to float
        Hyperparameters.
    log_marginal : float
        Log density of the pseudo-observations given theta, up to a constant in theta.
    mean : array, shape (latent,)
        Mean of the field; it meets the constraints.
    whitening : tuple of array
        For every field a matrix U with U'U = K^-1.
    value, weight : array, shape (cell,)
        Pseudo-observations and their precisions.
    log_weight : float
        Half the log of the product of the precisions, up to a constant in theta.
    """

    system: GaussianSystem
    solver: qdldl.Solver
    values: Values
    log_marginal: float
    mean: Array
    cell_scale: Array
    whitening: tuple[Array, ...]
    value: Array
    weight: Array
    log_weight: float

    def difference(self, eta: Array) -> float:
        """Return log likelihood minus log surrogate at eta, summed over the cells."""
        exact = self.system.model.likelihood.log_density(eta, self.values)
        pseudo = -0.5 * self.weight * (eta - self.value) ** 2
        return float((exact - pseudo).sum()) - self.log_weight

    def difference_gradient(self, eta: Array) -> Array:
        """Return the gradient of `difference` with respect to eta."""
        exact = self.system.model.likelihood.gradient(eta, self.values)
        return np.asarray(exact + self.weight * (eta - self.value))

    def eta(self, field: Array) -> Array:
        """Return the linear predictor of a field."""
        effects = np.asarray(self.system.loading @ field)
        return np.asarray(self.system.model.offset + self.cell_scale * effects)

    def solve(self, load: Array) -> Array:
        """Return the constrained solution of H x = load, shape (latent,)."""
        system = self.system
        padded = np.concatenate([load, np.zeros(system.constraints)])
        return np.asarray(self.solver.solve(padded)[: system.latent])

    def spread(self, noise: Array) -> Array:
        """Map standard normals e, shape (noise,), to what they add to the mean, P B'e.

        P is the inverse of H on the constrained space and B'B = H, so that P B'e has the law of
        the field around its mean.
        """
        system = self.system
        data = self.cell_scale * np.sqrt(self.weight) * noise[system.k :]
        return self.solve(system.prior_load(self.whitening, noise) + system.load(data))

    def field(self, noise: Array) -> Array:
        """Map standard normals, shape (noise,), to a draw of the field, shape (latent,)."""
        return np.asarray(self.mean + self.spread(noise))

    def noise(self, spread: Array) -> Array:
        """Return the shortest noise that makes a spread, B times it, shape (noise,)."""
        data = np.sqrt(self.weight) * self.cell_scale * (self.system.loading @ spread)
        return np.concatenate([*self.system.whitened(self.whitening, spread), data])

    def slope(self, gradient: Array) -> Array:
        """Return the gradient in the field of a function with `gradient` in eta."""
        return self.system.load(self.cell_scale * gradient)


class GaussianSystem:
    """Sparse pattern of a model, prepared once; `condition` then costs one factorisation.

    Parameters
    ----------
    model : LatentGaussian
        The model whose effects are stacked into one latent field.
    """

    def __init__(self, model: LatentGaussian) -> None:
        self.model = model
        self.fields = fields_of(model.components)
        self.start = np.concatenate([[0], np.cumsum([f.size for f in self.fields])])
        self.latent = int(self.start[-1])
        self.loading = sp.csr_array(
            sp.hstack([sp.kron(sp.csr_array(f.basis), f.columns) for f in self.fields])
        )
        self._root = [sp.csr_array(f.structure.root) for f in self.fields]
        self._root_transposed = [sp.csr_array(root.T) for root in self._root]
        self._loading_transposed = sp.csr_array(self.loading.T)
        noise = [f.layers * root.shape[0] for f, root in zip(self.fields, self._root, strict=True)]
        self._noise_start = np.concatenate([[0], np.cumsum(noise)])
        self.k = int(self._noise_start[-1])
        self.noise = self.k + model.cells
        self.constraint = sp.csr_array(
            sp.block_diag(
                [sp.kron(sp.eye_array(f.layers), f.structure.constraint) for f in self.fields],
                format="csr",
            )
        )
        self.constraints = int(self.constraint.shape[0])
        self._prepare_pattern()

    def _prepare_pattern(self) -> None:
        """Write the upper triangle of the matrix as a fixed pattern and maps of its values."""
        rows, cols, parts, values = [], [], [], []
        part = 0
        for f, start in zip(self.fields, self.start, strict=False):
            precision = sp.coo_array(f.structure.precision)
            upper = precision.row <= precision.col
            size = f.structure.size
            for a in range(f.layers):
                for b in range(a, f.layers):
                    keep = upper if a == b else np.ones(len(upper), dtype=bool)
                    rows.append(start + a * size + precision.row[keep])
                    cols.append(start + b * size + precision.col[keep])
                    parts.append(np.full(int(keep.sum()), part))
                    values.append(precision.data[keep])
                    part += 1
        prior = [np.concatenate(x) for x in (rows, cols, parts, values)]
        data = _products(self.loading)
        fixed = self._constraint_entries()
        total = self.latent + self.constraints
        diagonal = np.arange(self.latent)
        row = np.concatenate([prior[0], data[0], fixed[0], diagonal])
        col = np.concatenate([prior[1], data[1], fixed[1], diagonal])
        pattern = sp.csc_array((np.ones(len(row)), (row, col)), shape=(total, total))
        pattern.sum_duplicates()
        pattern.sort_indices()
        key = np.repeat(np.arange(total), np.diff(pattern.indptr)) * total + pattern.indices

        def place(i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.int64]:
            return np.searchsorted(key, j.astype(np.int64) * total + i)

        self._pattern = pattern
        self._template = sp.csc_matrix(
            (pattern.data, pattern.indices, pattern.indptr), shape=pattern.shape
        )
        self._from_prior = sp.csr_array(
            (prior[3], (place(prior[0], prior[1]), prior[2])), shape=(pattern.nnz, part)
        )
        self._from_data = sp.csr_array(
            (data[3], (place(data[0], data[1]), data[2])), shape=(pattern.nnz, self.model.cells)
        )
        self._fixed = np.zeros(pattern.nnz)
        np.add.at(self._fixed, place(fixed[0], fixed[1]), fixed[2])

    def _constraint_entries(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
        """Return rows, columns and values of the constraints' part of the upper triangle."""
        entries = sp.coo_array(self.constraint)
        length = np.sqrt(np.asarray(self.constraint.power(2).sum(axis=1))).ravel()
        own = self.latent + np.arange(self.constraints)
        return (
            np.concatenate([entries.col, own]),
            np.concatenate([self.latent + entries.row, own]),
            np.concatenate([entries.data / length[entries.row], np.full(len(own), -SLACK)]),
        )

    def matrix(self, theta: Array, weight: Array) -> sp.csc_matrix:
        """Return the upper triangle of the matrix that is factorised.

        Parameters
        ----------
        theta : array, shape (hyperparameter,)
            Unconstrained hyperparameters.
        weight : array, shape (cell,)
            Precision of the pseudo-observation of every cell.

        Returns
        -------
        csc_matrix, shape (latent + constraints, latent + constraints)
            Posterior precision of the latent field, bordered by its constraints.
        """
        values = self.model.constrain(theta)
        precisions = [np.linalg.inv(f.covariance(values)) for f in self.fields]
        return self._matrix(precisions, weight * self.model.cell_scale(values) ** 2)

    def _matrix(self, precisions: list[Array], cell_weight: Array) -> sp.csc_matrix:
        entries = np.concatenate([p[np.triu_indices(len(p))] for p in precisions])
        return self.with_precisions(entries, cell_weight)

    def with_precisions(self, entries: Array, cell_weight: Array) -> sp.csc_matrix:
        """Return the upper triangle for upper entries of all K^-1 and weights of the cells."""
        data = self._from_prior @ entries + self._from_data @ cell_weight + self._fixed
        found = copy.copy(self._template)  # its indices are known to be right: not checked again
        found.data = data
        return found

    def condition(
        self, theta: Array, surrogate: Surrogate, spare: qdldl.Solver | None = None
    ) -> Conditional:
        """Return the field's law given theta and pseudo-observations of eta.

        Parameters
        ----------
        theta : array
            Unconstrained hyperparameters.
        surrogate : Surrogate
            Pseudo-observations of eta and their precisions.
        spare : qdldl.Solver, optional
            A solver of this system that is no longer needed: it is overwritten, which saves
            the ordering.
        """
        model = self.model
        values = model.constrain(theta)
        whitening, precisions, log_det_prior = [], [], 0.0
        for f in self.fields:
            lower = np.linalg.cholesky(f.covariance(values))
            inverse = np.linalg.inv(lower)
            whitening.append(inverse)
            precisions.append(inverse.T @ inverse)
            log_det_prior += 2.0 * f.structure.rank * float(np.sum(np.log(np.diag(lower))))
        scale = model.cell_scale(values)
        value = surrogate.value
        weight, log_weight = surrogate.at(model.likelihood, values)
        matrix = self._matrix(precisions, weight * scale**2)
        if spare is None:
            spare = qdldl.Solver(matrix, upper=True)
        else:
            spare.update(matrix, upper=True)  # same pattern: skips the ordering
        residual = value - model.offset
        rhs = self.load(scale * weight * residual)
        mean = spare.solve(np.concatenate([rhs, np.zeros(self.constraints)]))[: self.latent]
        log_marginal = (
            -0.5 * log_det_prior
            - 0.5 * float(np.sum(np.log(np.abs(spare.factors()[1]))))
            + 0.5 * float(rhs @ mean)
            - 0.5 * float(np.sum(weight * residual**2))
            + log_weight
        )
        return Conditional(
            system=self,
            solver=spare,
            values=values,
            log_marginal=log_marginal,
            mean=np.asarray(mean),
            cell_scale=scale,
            whitening=tuple(whitening),
            value=value,
            weight=weight,
            log_weight=log_weight,
        )

    def load(self, cells: Array) -> Array:
        """Return what loads on the cells put on the field, shape (latent,)."""
        return np.asarray(self._loading_transposed @ cells)

    def layers(self, field: Array) -> list[Array]:
        """Return the fields of a stacked field, each of shape (layer, element)."""
        return [
            field[a:b].reshape(f.layers, f.structure.size)
            for f, a, b in zip(self.fields, self.start, self.start[1:], strict=False)
        ]

    def prior_load(self, whitening: tuple[Array, ...], noise: Array) -> Array:
        """Return the load of the prior's standard normals, shape (latent,)."""
        parts = []
        for i, f in enumerate(self.fields):
            own = noise[self._noise_start[i] : self._noise_start[i + 1]].reshape(f.layers, -1)
            parts.append((self._root_transposed[i] @ (own.T @ whitening[i])).T.ravel())
        return np.concatenate(parts)

    def whitened(self, whitening: tuple[Array, ...], field: Array) -> list[Array]:
        """Return the prior's standard normals of a field; half their square is its energy."""
        return [
            (whitening[i] @ (self._root[i] @ layer.T).T).ravel()
            for i, layer in enumerate(self.layers(field))
        ]

    def squares(self, field: Array) -> list[Array]:
        """Return X R X' of every field, shape (layer, layer): all that its prior depends on."""
        found = []
        for root, layer in zip(self._root, self.layers(field), strict=True):
            product = root @ layer.T
            found.append(np.asarray(product.T @ product))
        return found

    def components(
        self, conditional: Conditional, field: Array, rng: np.random.Generator
    ) -> dict[str, Array]:
        """Draw the components of the model given their sums.

        Given the sum of a field's components, the components depend on nothing else: their
        joint law is the prior's, conditioned on the sum.

        Returns
        -------
        dict of str to array, shape (component.size,)
            By component name.
        """
        return self.components_at(conditional.values, field, rng)

    def components_at(
        self, hyperparameters: Values, field: Array, rng: np.random.Generator
    ) -> dict[str, Array]:
        """Draw the components of the model given their sums and the hyperparameters."""
        found: dict[str, Array] = {}
        for f, layer in zip(self.fields, self.layers(field), strict=True):
            prior = f.copies_covariance(hyperparameters)
            mixing = f.mixing
            gain = np.linalg.solve(f.covariance(hyperparameters), mixing @ prior).T
            copies = gain @ layer
            free = mixing.shape[1] - f.layers  # directions that the sum says nothing of
            if free:
                values, vectors = np.linalg.eigh(prior - gain @ mixing @ prior)
                spread = vectors[:, -free:] * np.sqrt(np.maximum(values[-free:], 0.0))
                copies = copies + spread @ f.structure.sample(rng, free)
            at = 0
            for component in f.components:
                found[component.name] = copies[at : at + component.copies].ravel()
                at += component.copies
        return found


def _products(
    loading: sp.csr_array,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], Array]:
    """Return rows, columns, cells and values of the products that make up A' W A, upper part."""
    counts = np.diff(loading.indptr)
    rows, cols, cells, values = [], [], [], []
    for width in np.unique(counts[counts > 0]):
        chosen = np.flatnonzero(counts == width)
        position = loading.indptr[chosen][:, None] + np.arange(width)
        index, value = loading.indices[position], loading.data[position]
        a, b = np.triu_indices(width)
        rows.append(np.minimum(index[:, a], index[:, b]).ravel())
        cols.append(np.maximum(index[:, a], index[:, b]).ravel())
        cells.append(np.repeat(chosen, len(a)))
        values.append((value[:, a] * value[:, b]).ravel())
    return (
        np.concatenate(rows).astype(np.int64),
        np.concatenate(cols).astype(np.int64),
        np.concatenate(cells),
        np.concatenate(values),
    )
