"""Columns of the grid that are independent given a few fields: small blocks, all at once.

Fields of independent elements that enter one column of the grid each (a municipality's own
effect, the error of its counts) can be integrated out column by column: given the other fields,
the rows of column i are Normal with covariance

    V_i = sum_f b_fi^2 A_f K_f A_f' + diag(scale^2 / multiplier),

a matrix as small as there are rows. Compiled code (`columns_kernel`) inverts those of all columns
side by side; a density of the country with its exact gradient costs half a millisecond, where a
sparse factorisation of everything costs ten.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from remitstats.fitting.columns_kernel import multiply, precisions, slopes
from remitstats.fitting.gaussian_system import LEAST_VARIANCE, TRACE, Field, GaussianSystem
from remitstats.parts.latent_gaussian import Values

Array = NDArray[np.float64]

NO_DATA = 1e6  # variance of a cell that says nothing, as in `gaussian_system.LEAST_WEIGHT`


@dataclass(frozen=True)
class ColumnLaw:
    """Law of every column's rows, all that is the column's own integrated out.

    Parameters
    ----------
    precision : array, shape (row, row, column)
        V^-1 of every column.
    log_determinant : array, shape (column,)
        Of V.
    """

    precision: Array
    log_determinant: Array

    def weigh(self, residual: Array) -> Array:
        """Return V^-1 r, shape (row, column)."""
        return multiply(self.precision, residual)

    def log_density(self, residual: Array) -> Array:
        """Return the log density of every column's residuals, up to a constant."""
        square = np.einsum("rc,rc->c", residual, self.weigh(residual))
        return np.asarray(-0.5 * (self.log_determinant + square))


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
        self._squares = np.array(list(self.square.values())).reshape(-1, self.columns)
        self._covariance = {number: FieldCovariance(f) for number, f in enumerate(system.fields)}

    def prior(self, number: int, values: Values) -> Array:
        """Return the prior covariance K of a field's layers: `Field.covariance`, with less to do."""
        return self._covariance[number](values)

    def rest(self, field: Array) -> Array:
        """Return what the fields that are not local add to the cells, shape (row, column)."""
        layers = self.system.layers(field)
        numbers = [n for n in range(len(self.system.fields)) if n not in self.square]
        return sum(
            (self.enter(number, layers[number]) for number in numbers),
            start=np.zeros((self.rows, self.columns)),
        )

    def enter(self, number: int, layer: Array) -> Array:
        """Return what a field, shape (layer, element), adds to the cells, shape (row, column)."""
        f = self.system.fields[number]
        return np.asarray(f.basis @ np.asarray(f.columns @ layer.T).T)

    def law(self, values: Values, variance: Array) -> ColumnLaw:
        """Return the law of the columns, given the variances of the cells, shape (row, column)."""
        rows = np.zeros((len(self.local), self.rows, self.rows))
        for place, number in enumerate(self.local):
            basis = self.system.fields[number].basis
            rows[place] = basis @ self.prior(number, values) @ basis.T
        return ColumnLaw(*precisions(rows, self._squares, variance))

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
        law = self.law(values, variance)
        weighted = law.weigh(residual)
        value = -0.5 * float(law.log_determinant.sum() + np.vdot(residual, weighted))
        of_fields, of_cells = slopes(law.precision, weighted, self._squares)
        slope = {}
        for place, number in enumerate(self.local):
            basis = self.system.fields[number].basis
            slope[number] = basis.T @ of_fields[place] @ basis
        return value, slope, of_cells

    def draw(
        self,
        values: Values,
        law: ColumnLaw,
        residual: Array,
        variance: Array,
        rng: np.random.Generator,
    ) -> dict[int, Array]:
        """Draw the local fields given the others, by number, each of shape (layer, element).

        A draw from the prior is corrected by what its measurements would miss (Matheron's rule).

        Parameters
        ----------
        values : mapping of str to float
            Hyperparameters.
        law : ColumnLaw
            What `law` returned for them.
        residual, variance : array, shape (row, column)
            As in `density`.
        rng : numpy.random.Generator
            Stream of the draws.
        """
        found, covariance = {}, {}
        missed = residual - np.sqrt(variance) * rng.standard_normal(residual.shape)
        for number in self.local:
            f = self.system.fields[number]
            covariance[number] = self.prior(number, values)
            unit = rng.standard_normal((f.layers, f.structure.size))
            found[number] = np.linalg.cholesky(covariance[number]) @ unit
            missed -= self.enter(number, found[number])
        weighted = law.weigh(missed)
        for number in self.local:
            f = self.system.fields[number]
            said = np.asarray(f.columns.T @ (weighted.T @ f.basis)).T
            found[number] = found[number] + covariance[number] @ said
        return found


class FieldCovariance:
    """The prior covariance of a field's layers, with what does not change computed once.

    Parameters
    ----------
    f : Field
        The field.
    """

    def __init__(self, f: Field) -> None:
        self.identity = np.eye(f.layers)
        self.parts = []
        at = 0
        for component in f.components:
            mixing = f.mixing[:, at : at + component.copies]
            at += component.copies
            self.parts.append((component, mixing, mixing @ mixing.T))

    def __call__(self, values: Values) -> Array:
        """Return K, shape (layer, layer); see `Field.covariance`."""
        total = np.zeros_like(self.identity)
        for component, mixing, product in self.parts:
            variance = np.exp(2.0 * component.log_sd(values))
            if component.correlation is None:
                total += variance * product
            else:
                total += variance * (mixing @ component.correlation(values) @ mixing.T)
        floor = TRACE * float(np.trace(total)) / len(total) + LEAST_VARIANCE
        return np.asarray(total + floor * self.identity)


def _is_local(f: Field) -> bool:
    """Whether a field's elements are independent and each enters one column of its own."""
    root = f.structure.root
    independent = root.shape[0] == root.shape[1] == root.nnz and not f.structure.constraint.shape[0]
    if not independent or np.any(root.diagonal() != 1.0):
        return False
    columns = f.columns
    each_row, each_column = np.diff(columns.indptr), np.diff(columns.tocsc().indptr)
    return bool(each_row.max() <= 1 and each_column.max() <= 1)
