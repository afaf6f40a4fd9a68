"""Fields that many columns share, all at once: intervals, states, the effect of size.

With all that is a column's own integrated out (`local_blocks`) and the map held fixed, what the
measurements say of a few hundred shared elements is one small dense matrix, X' V^-1 X, that does
not depend on the fields' own hyperparameters. Their law is then known without the fields for less
than a millisecond a place, and the fields are drawn together.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

import numpy as np
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

    It is kept in units of the prior: a standard deviation near zero then costs no digits.

    Parameters
    ----------
    log_marginal : float
        Log density of the measurements without the fields, up to a constant.
    roots : list of array
        Roots of the prior covariance of every field's layers.
    factor : array, shape (latent, latent)
        Lower Cholesky factor L of the precision of the fields in units of their prior.
    half : array, shape (latent,)
        L^-1 times the load; L'^-1 times it is the mean in those units.
    """

    log_marginal: float
    roots: list[Array]
    factor: Array
    half: Array


class SharedFields:
    """The fields of a model that are neither a column's own nor a map.

    Parameters
    ----------
    blocks : LocalBlocks
        The columns' own effects.
    without : set of int
        Positions of maps among the system's fields.

    Raises
    ------
    ValueError
        If elements of a field depend on each other, or several enter one column.
    """

    def __init__(self, blocks: LocalBlocks, without: Set[int]) -> None:
        self.blocks = blocks
        system = blocks.system
        self.numbers = [
            n for n in range(len(system.fields)) if n not in blocks.square and n not in without
        ]
        fields = [system.fields[n] for n in self.numbers]
        count = [f.structure.size for f in fields]
        first = np.concatenate([[0], np.cumsum(count)]).astype(int)
        self.size = int(first[-1])
        shape = (len(fields), blocks.columns)
        self.element, self.value = np.zeros(shape, dtype=np.int64), np.zeros(shape)
        for place, f in enumerate(fields):
            entered = np.diff(f.columns.indptr)
            if not _independent(f) or entered.max(initial=0) > 1:
                raise ValueError(f"the field of '{f.components[0].name}' is no shared field")
            self.element[place] = first[place]
            self.element[place, entered == 1] += f.columns.indices
            self.value[place, entered == 1] = f.columns.data
        latent = [f.size for f in fields]
        self.start = np.concatenate([[0], np.cumsum(latent)]).astype(int)
        self._fields = fields
        plain = all(np.array_equal(f.basis, np.eye(blocks.rows)) for f in fields)
        self._basis = None if plain else linalg.block_diag(*[_basis(f) for f in fields])

    def information(self, law: ColumnLaw, residual: Array) -> Information:
        """Return what residuals, shape (row, column), say of the fields."""
        found, load = gather(
            law.precision, law.weigh(residual), self.element, self.value, self.size
        )
        if self._basis is not None:
            found, load = self._basis.T @ found @ self._basis, self._basis.T @ load
        return Information(found, load)

    def law(self, values: Values, information: Information) -> SharedLaw:
        """Return the law of the fields at some hyperparameters."""
        roots = [self.blocks.prior(number, values).root for number in self.numbers]
        matrix = self._whiten(self._whiten(information.matrix, roots).T, roots)
        load = self._whiten(information.load[:, None], roots).ravel()
        matrix.ravel()[:: len(matrix) + 1] += 1.0
        factor, failed = lapack.dpotrf(matrix.T, lower=1, overwrite_a=1)  # it reads by columns
        if failed:
            raise np.linalg.LinAlgError("the precision of shared fields is not positive definite")
        half = lapack.dtrtrs(factor, load, lower=1)[0].ravel()
        log_marginal = 0.5 * float(half @ half) - float(np.sum(np.log(np.diag(factor))))
        return SharedLaw(log_marginal, roots, factor, half)

    def _whiten(self, rows: Array, roots: list[Array]) -> Array:
        """Return rows, an element and layer each, multiplied by the fields' transposed roots."""
        found = np.empty(rows.shape)
        for f, root, a, b in zip(self._fields, roots, self.start, self.start[1:], strict=False):
            part = rows[a:b].reshape(f.structure.size, f.layers, -1)
            found[a:b] = (root.T @ part).reshape(b - a, -1)
        return found

    def draw(self, law: SharedLaw, rng: np.random.Generator) -> dict[int, Array]:
        """Draw the fields, by number, each of shape (layer, element)."""
        unit = law.half + rng.standard_normal(len(law.half))
        drawn = lapack.dtrtrs(law.factor, unit, lower=1, trans=1)[0].ravel()
        found: dict[int, Array] = {}
        for number, f, root, a, b in zip(
            self.numbers, self._fields, law.roots, self.start, self.start[1:], strict=False
        ):
            found[number] = root @ drawn[a:b].reshape(f.structure.size, f.layers).T
        return found


def _basis(f: Field) -> Array:
    """Return the map from a field, element by element, to its elements' rows."""
    return np.asarray(np.kron(np.eye(f.structure.size), f.basis), dtype=np.float64)


def _independent(f: Field) -> bool:
    """Whether the elements of a field are independent, of unit scale."""
    root = f.structure.root
    same = root.shape[0] == root.shape[1] == root.nnz and bool(np.all(root.diagonal() == 1.0))
    return same and not f.structure.constraint.shape[0]
