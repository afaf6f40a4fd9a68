"""Fields that many columns share, all at once: intervals, states, the effect of size.

With all that is a column's own integrated out (`local_blocks`) and the map held fixed, what the
measurements say of a few hundred shared elements is one small dense matrix, X' V^-1 X, that does
not depend on the fields' own hyperparameters. Their law is then known without the fields for less
than a millisecond a place, and the fields are drawn together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy import linalg
from scipy.linalg import lapack

from remitstats.fitting.columns_kernel import gather
from remitstats.fitting.gaussian_system import Field
from remitstats.fitting.local_blocks import ColumnLaw, LocalBlocks
from remitstats.parts.latent_gaussian import Values

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Information:
    """What the measurements say of the shared fields, element by element.

    Parameters
    ----------
    matrix : array, shape (latent, latent)
        X' V^-1 X.
    load : array, shape (latent,)
        X' V^-1 r.
    """

    matrix: Array
    load: Array


@dataclass(frozen=True)
class SharedLaw:
    """Law of the shared fields given their hyperparameters.

    Parameters
    ----------
    log_marginal : float
        Log density of the measurements without the fields, up to a constant.
    factor : array, shape (latent, latent)
        Lower Cholesky factor L of the fields' precision.
    half : array, shape (latent,)
        L^-1 times the load; L'^-1 times it is the fields' mean.
    """

    log_marginal: float
    factor: Array
    half: Array


class SharedFields:
    """The fields of a model that are neither a column's own nor a map.

    Parameters
    ----------
    blocks : LocalBlocks
        The columns' own effects.
    without : int, optional
        Position of the map among the system's fields.

    Raises
    ------
    ValueError
        If a field has constraints, or several of its elements enter one column.
    """

    def __init__(self, blocks: LocalBlocks, without: int | None) -> None:
        self.blocks = blocks
        system = blocks.system
        self.numbers = [
            n for n in range(len(system.fields)) if n not in blocks.square and n != without
        ]
        fields = [system.fields[n] for n in self.numbers]
        count = [f.structure.size for f in fields]
        first = np.concatenate([[0], np.cumsum(count)]).astype(int)
        self.size = int(first[-1])
        shape = (len(fields), blocks.columns)
        self.element, self.value = np.zeros(shape, dtype=np.int64), np.zeros(shape)
        for place, f in enumerate(fields):
            entered = np.diff(f.columns.indptr)
            if f.structure.constraint.shape[0] or entered.max(initial=0) > 1:
                raise ValueError(f"the field of '{f.components[0].name}' is no shared field")
            self.element[place] = first[place]
            self.element[place, entered == 1] += f.columns.indices
            self.value[place, entered == 1] = f.columns.data
        latent = [f.size for f in fields]
        self.start = np.concatenate([[0], np.cumsum(latent)]).astype(int)
        self._fields = fields
        self._priors = [_prior(f, s) for f, s in zip(fields, self.start, strict=False)]
        plain = all(np.array_equal(f.basis, np.eye(blocks.rows)) for f in fields)
        self._basis = None if plain else linalg.block_diag(*[_basis(f) for f in fields])

    def information(self, law: ColumnLaw, residual: Array) -> Information:
        """Return what residuals, shape (row, column), say of the fields."""
        found, load = gather(
            law.precision, law.weigh(residual), self.element, self.value, self.size
        )
        if self._basis is not None:
            found, load = self._basis.T @ found @ self._basis, self._basis.T @ load
        return Information(found.T, load)  # symmetric; LAPACK reads by columns

    def law(self, values: Values, information: Information) -> SharedLaw:
        """Return the law of the fields at some hyperparameters."""
        matrix = information.matrix.copy(order="K")
        log_prior = 0.0
        for number, f, add in zip(self.numbers, self._fields, self._priors, strict=True):
            prior = self.blocks.prior(number, values)
            log_prior -= f.structure.size * prior.log_determinant
            add(matrix, prior.precision)
        factor, failed = lapack.dpotrf(matrix, lower=1, overwrite_a=1)
        if failed:
            raise np.linalg.LinAlgError("the precision of shared fields is not positive definite")
        half = lapack.dtrtrs(factor, information.load, lower=1)[0].ravel()
        log_determinant = 2.0 * float(np.sum(np.log(np.diag(factor))))
        log_marginal = 0.5 * (log_prior - log_determinant + float(half @ half))
        return SharedLaw(log_marginal, factor, half)

    def draw(self, law: SharedLaw, rng: np.random.Generator) -> dict[int, Array]:
        """Draw the fields, by number, each of shape (layer, element)."""
        unit = law.half + rng.standard_normal(len(law.half))
        drawn = lapack.dtrtrs(law.factor, unit, lower=1, trans=1)[0].ravel()
        return {
            number: drawn[a:b].reshape(f.structure.size, f.layers).T
            for number, f, a, b in zip(
                self.numbers, self._fields, self.start, self.start[1:], strict=False
            )
        }


def _basis(f: Field) -> Array:
    """Return the map from a field, element by element, to its elements' rows."""
    return np.kron(np.eye(f.structure.size), f.basis)


def _prior(f: Field, start: int) -> Callable[[Array, Array], None]:
    """Return what adds a field's prior precision to the matrix of all fields."""
    structure = sp.coo_array(f.structure.precision)
    layer = np.arange(f.layers)
    row = (start + structure.row * f.layers)[:, None, None] + layer[:, None]
    column = (start + structure.col * f.layers)[:, None, None] + layer

    def add(matrix: Array, precision: Array) -> None:
        matrix[row, column] += structure.data[:, None, None] * precision

    return add
