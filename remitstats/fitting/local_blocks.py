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

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from remitstats.fitting.columns_kernel import multiply, precisions, slopes
from remitstats.fitting.gaussian_system import LEAST_VARIANCE, TRACE, Field, GaussianSystem
from remitstats.parts.latent_gaussian import Values

Array = NDArray[np.float64]

KEPT = 64  # priors of a field that are kept
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
        return np.asarray(multiply(self.precision, residual))

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
        self._loading = [FieldLoading(f) for f in system.fields]
        start = system.model.constrain(system.model.initial())
        self._prior = [FieldPriors(f, start) for f in system.fields]

    def prior(self, number: int, values: Values) -> FieldPrior:
        """Return the prior of a field's layers."""
        return self._prior[number](values)

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
        return self._loading[number].enter(layer)

    def law(self, values: Values, variance: Array) -> ColumnLaw:
        """Return the law of the columns, given the variances of the cells, shape (row, column)."""
        rows = np.zeros((len(self.local), self.rows, self.rows))
        for place, number in enumerate(self.local):
            basis = self.system.fields[number].basis
            rows[place] = basis @ self.prior(number, values).covariance @ basis.T
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
            prior = self.prior(number, values)
            unit = rng.standard_normal((f.layers, f.structure.size))
            found[number], covariance[number] = prior.root @ unit, prior.covariance
            missed -= self.enter(number, found[number])
        weighted = law.weigh(missed)
        for number in self.local:
            found[number] += covariance[number] @ self._loading[number].gather(weighted)
        return found


class FieldPrior:
    """The prior of a field's layers at some hyperparameters.

    Parameters
    ----------
    covariance : array, shape (layer, layer)
        K, as `Field.covariance` gives it.
    """

    def __init__(self, covariance: Array) -> None:
        self.covariance = covariance

    @cached_property
    def root(self) -> Array:
        """Lower Cholesky root of K."""
        return np.linalg.cholesky(self.covariance)

    @cached_property
    def log_determinant(self) -> float:
        """Logarithm of |K|."""
        return 2.0 * float(np.log(np.diag(self.root)).sum())

    @cached_property
    def precision(self) -> Array:
        """K^-1, shape (layer, layer)."""
        return np.linalg.inv(self.covariance)


class FieldPriors:
    """The priors of a field's layers, with what does not change computed once.

    Chains ask for a few places again and again; the last ones are kept.

    Parameters
    ----------
    f : Field
        The field.
    start : mapping of str to float
        Any hyperparameters: they tell which of them the field depends on.
    """

    def __init__(self, f: Field, start: Values) -> None:
        self.identity = np.eye(f.layers)
        self.parts = []
        at = 0
        for component in f.components:
            mixing = f.mixing[:, at : at + component.copies]
            at += component.copies
            self.parts.append((component, mixing, mixing @ mixing.T))
        self.kept: dict[tuple[float, ...], FieldPrior] = {}
        seen = _Seen(start)
        self._covariance(seen)
        self.names = sorted(seen.names)

    def __call__(self, values: Values) -> FieldPrior:
        """Return the prior at some hyperparameters."""
        key = tuple([values[name] for name in self.names])
        found = self.kept.get(key)
        if found is None:
            if len(self.kept) >= KEPT:
                self.kept = {}  # chains in other threads go on with the one they have
            found = self.kept[key] = FieldPrior(self._covariance(values))
        return found

    def _covariance(self, values: Values) -> Array:
        total = np.zeros_like(self.identity)
        for component, mixing, product in self.parts:
            variance = math.exp(2.0 * component.log_sd(values))
            if component.correlation is None:
                total += variance * product
            else:
                total += variance * (mixing @ component.correlation(values) @ mixing.T)
        floor = TRACE * float(total.trace()) / len(total) + LEAST_VARIANCE
        return np.asarray(total + floor * self.identity)


class _Seen(Mapping[str, float]):
    """Hyperparameters that remember which of them were asked for."""

    def __init__(self, values: Values) -> None:
        self.values_of, self.names = values, set[str]()

    def __getitem__(self, name: str) -> float:
        self.names.add(name)
        return self.values_of[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_of)

    def __len__(self) -> int:
        return len(self.values_of)


class FieldLoading:
    """How a field enters the cells, with short ways where each column has an element of its own.

    Parameters
    ----------
    f : Field
        The field.
    """

    def __init__(self, f: Field) -> None:
        size = f.columns.shape[0]
        own = f.columns.shape == (size, size) and f.columns.nnz == size
        self.value = f.columns.diagonal() if own else None
        if self.value is not None and not np.all(self.value):
            self.value = None
        self.columns, self.transposed = f.columns, f.columns.T.tocsr()
        self.basis = None if np.array_equal(f.basis, np.eye(f.layers)) else f.basis

    def enter(self, layer: Array) -> Array:
        """Return what the field, shape (layer, element), adds to the cells, (row, column)."""
        if self.value is not None:
            by_layer = layer * self.value
        else:
            by_layer = np.asarray(self.columns @ layer.T).T
        return by_layer if self.basis is None else np.asarray(self.basis @ by_layer)

    def gather(self, cells: Array) -> Array:
        """Return the transposed of `enter`, shape (layer, element)."""
        by_layer = cells if self.basis is None else self.basis.T @ cells
        if self.value is not None:
            return np.asarray(by_layer * self.value)
        return np.asarray(self.transposed @ by_layer.T).T


def _is_local(f: Field) -> bool:
    """Whether a field's elements are independent and each enters one column of its own."""
    root = f.structure.root
    independent = root.shape[0] == root.shape[1] == root.nnz and not f.structure.constraint.shape[0]
    if not independent or np.any(root.diagonal() != 1.0):
        return False
    columns = f.columns
    each_row, each_column = np.diff(columns.indptr), np.diff(columns.tocsc().indptr)
    return bool(each_row.max() <= 1 and each_column.max() <= 1)
