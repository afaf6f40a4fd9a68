"""Columns of the grid that are independent given a few fields: small blocks, all at once.

Fields of independent elements that enter one column of the grid each (a municipality's own
effect, the error of its counts) can be integrated out column by column: given the other fields,
the rows of column i are Normal with covariance

    V_i = sum_f b_fi^2 A_f K_f A_f' + diag(scale^2 / multiplier),

a matrix as small as there are rows. The factors of all columns are computed together, entry by
entry, on arrays as long as there are columns; a density of the country with its exact gradient
costs a millisecond or two, where a sparse factorisation of everything costs ten.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from remitstats.fitting.gaussian_system import Field, GaussianSystem
from remitstats.parts.latent_gaussian import Values

Array = NDArray[np.float64]

NO_DATA = 1e6  # variance of a cell that says nothing, as in `gaussian_system.LEAST_WEIGHT`


@dataclass(frozen=True)
class Factors:
    """V = L D L' of every column: unit lower L, and its inverse.

    Parameters
    ----------
    diagonal : array, shape (row, column)
        D.
    inverse : array, shape (row, row, column)
        L^-1, unit lower triangular.
    """

    diagonal: Array
    inverse: Array

    @property
    def log_determinant(self) -> float:
        """Return the sum over columns of log |V|."""
        return float(np.sum(np.log(self.diagonal)))

    def log_density(self, residual: Array) -> Array:
        """Return the log density of every column's residuals, up to a constant."""
        half = self.half(residual)
        return -0.5 * np.sum(np.log(self.diagonal) + half**2 / self.diagonal, axis=0)

    def half(self, residual: Array) -> Array:
        """Return L^-1 r, shape (row, column)."""
        found = residual.copy()
        for i in range(len(residual)):
            for k in range(i):
                found[i] += self.inverse[i, k] * residual[k]
        return found

    def solve(self, residual: Array) -> tuple[Array, float]:
        """Return V^-1 r, shape (row, column), and the sum of r' V^-1 r."""
        rows = len(residual)
        half = self.half(residual)
        scaled = half / self.diagonal
        found = scaled.copy()
        for i in range(rows):
            for k in range(i):
                found[k] += self.inverse[i, k] * scaled[i]
        return found, float(np.sum(half * scaled))

    def precision(self) -> Array:
        """Return V^-1, shape (row, row, column)."""
        rows = len(self.diagonal)
        found = np.zeros_like(self.inverse)
        scaled = self.inverse / self.diagonal[:, None]
        for a in range(rows):
            for b in range(a + 1):
                total = scaled[a, a] * self.inverse[a, b] if a != b else scaled[a, a].copy()
                for i in range(a + 1, rows):
                    total += scaled[i, a] * self.inverse[i, b]
                found[a, b] = found[b, a] = total
        return found


def factorise(covariance: Array) -> Factors:
    """Return the factors of matrices of shape (row, row, column)."""
    rows = len(covariance)
    lower, inverse = np.zeros_like(covariance), np.zeros_like(covariance)
    diagonal = np.empty_like(covariance[0])
    for j in range(rows):
        diagonal[j] = covariance[j, j]
        for k in range(j):
            diagonal[j] -= lower[j, k] ** 2 * diagonal[k]
        lower[j, j] = inverse[j, j] = 1.0
        for i in range(j + 1, rows):
            entry = covariance[i, j].copy()
            for k in range(j):
                entry -= lower[i, k] * lower[j, k] * diagonal[k]
            lower[i, j] = entry / diagonal[j]
    for i in range(rows):
        for j in range(i):
            entry = -lower[i, j]
            for k in range(j + 1, i):
                entry = entry - lower[i, k] * inverse[k, j]
            inverse[i, j] = entry
    return Factors(diagonal, inverse)


class LocalBlocks:
    """The fields of a model that can be integrated out column by column.

    Parameters
    ----------
    system : GaussianSystem
        Prepared model; its cells are a grid of rows (intervals) and columns (municipalities).
    """

    def __init__(self, system: GaussianSystem) -> None:
        self.system = system
        component = system.model.components[0]
        self.rows, self.columns = component.rows.shape[0], component.columns.shape[0]
        self.local = [number for number, f in enumerate(system.fields) if _is_local(f)]
        self.square = {
            number: np.asarray(system.fields[number].columns.power(2).sum(axis=1)).ravel()
            for number in self.local
        }

    def rest(self, field: Array) -> Array:
        """Return what the fields that are not local add to the cells, shape (row, column)."""
        total = np.zeros((self.rows, self.columns))
        layers = self.system.layers(field)
        for number, f in enumerate(self.system.fields):
            if number not in self.square:
                total += f.basis @ np.asarray(f.columns @ layers[number].T).T
        return total

    def covariance(self, values: Values, variance: Array) -> Array:
        """Return V of every column, shape (row, row, column), given the cells' variances."""
        found = np.zeros((self.rows, self.rows, self.columns))
        for number in self.local:
            f = self.system.fields[number]
            rows = f.basis @ f.covariance(values) @ f.basis.T
            square = self.square[number]
            where = slice(None) if np.count_nonzero(square) == self.columns else square > 0
            found[:, :, where] += rows[:, :, None] * square[where]
        for row in range(self.rows):
            found[row, row] += variance[row]
        return found

    def density(
        self, values: Values, residual: Array, variance: Array
    ) -> tuple[float, dict[int, Array], Array]:
        """Return the log density of residuals and its slopes.

        Parameters
        ----------
        values : mapping of str to float
            Hyperparameters.
        residual, variance : array, shape (row, column)
            Measurements less what the other fields say, and their variances; `NO_DATA` and 0
            where nothing was measured.

        Returns
        -------
        value : float
            Log density, up to a constant.
        slope : dict of int to array
            Slope in the covariance K of each local field, by its number.
        cells : array, shape (row, column)
            Slope in the variances.
        """
        factors = factorise(self.covariance(values, variance))
        weighted, square = factors.solve(residual)
        precision = factors.precision()
        value = -0.5 * factors.log_determinant - 0.5 * square
        slope = {}
        for number in self.local:
            f, b = self.system.fields[number], self.square[number]
            rows = 0.5 * (np.einsum("in,jn->ij", weighted * b, weighted) - precision @ b)
            slope[number] = f.basis.T @ rows @ f.basis
        diagonal = np.stack([precision[row, row] for row in range(self.rows)])
        return value, slope, 0.5 * (weighted**2 - diagonal)


def _is_local(f: Field) -> bool:
    """Whether a field's elements are independent and each enters one column of its own."""
    root = f.structure.root
    independent = root.shape[0] == root.shape[1] == root.nnz and not f.structure.constraint.shape[0]
    if not independent or np.any(root.diagonal() != 1.0):
        return False
    columns = f.columns
    each_row, each_column = np.diff(columns.indptr), np.diff(columns.tocsc().indptr)
    return bool(each_row.max() <= 1 and each_column.max() <= 1)
