"""Unit-scale Gaussian structures: the common form of every effect of a model.

An effect x of standard deviation sd has the density

    p(x) = (2 pi)^(-rank/2) |R|*^(1/2) sd^(-rank) exp(-x' R x / (2 sd^2))     where A x = 0,

with a sparse precision R = root' root, constraints A of full row rank, rank = size minus the
number of constraints, and |R|* the determinant of R on the space that the constraints leave.
Off that space R only has to be invertible: intrinsic structures are filled up there (with a ridge
or with A'A), which changes no density and no draw, for neither ever leaves it.

References
----------
Rue and Held (2005), Gaussian Markov Random Fields, chapters 2 and 3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy import linalg
from scipy.sparse import csgraph
from scipy.sparse.linalg import splu

from remitstats.parts.selected_inverse import inverse_diagonal

Array = NDArray[np.float64]
BATCH = 2**24  # random numbers held at once while sampling: 128 MB


@dataclass(frozen=True, eq=False)
class Structure:
    """Unit-scale Gaussian structure: precision R = root' root, and what it is orthogonal to.

    Parameters
    ----------
    root : sparse array, shape (k, size)
        Any matrix with root' root = R; R is positive definite.
    constraint : sparse array, shape (number of constraints, size)
        Linearly independent rows that the effect is orthogonal to.
    rank : int
        Dimension of the constrained space: the power of the precision in the density.
    factors : pair of Structure, optional
        Set by `kronecker`: the structures whose Kronecker product this is. What can be computed
        from the two is then never computed from the whole.

    Raises
    ------
    ValueError
        If root and constraint differ in size, or rank is not size minus the number of constraints.
    """

    root: sp.csr_array
    constraint: sp.csr_array
    rank: int
    factors: tuple[Structure, Structure] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.constraint.shape[1] != self.size:
            raise ValueError(
                f"the constraint must have {self.size} columns, found {self.constraint.shape[1]}"
            )
        if self.rank != self.size - self.constraint.shape[0]:
            raise ValueError(
                f"rank must be {self.size - self.constraint.shape[0]}, the size minus the number "
                f"of constraints, found {self.rank}"
            )

    def __getstate__(self) -> dict[str, Any]:
        # a sparse factor can't be sent to another process; it is computed anew there
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @property
    def size(self) -> int:
        """Length of the effect."""
        return int(self.root.shape[1])

    @cached_property
    def precision(self) -> sp.csc_array:
        """The matrix R, shape (size, size)."""
        return sp.csc_array(self.root.T @ self.root)

    @cached_property
    def _factor(self) -> Any:
        """Sparse factorisation of R, kept."""
        return _factorise(self.precision)

    @cached_property
    def _correction(self) -> tuple[sp.csc_array, sp.csc_array]:
        """R^-1 A' and A R^-1 A', both sparse: what conditioning on the constraints takes."""
        solved = _solve_rows(self._factor, self.precision, self.constraint)
        return solved, sp.csc_array(self.constraint @ solved)

    @cached_property
    def _gain(self) -> sp.csr_array:
        """R^-1 A' (A R^-1 A')^-1, which takes broken constraints to what corrects them."""
        solved, gram = self._correction
        return sp.csr_array(solved @ _inverse(gram))

    @cached_property
    def log_determinant(self) -> float:
        """Logarithm of the determinant of R on the space that the constraints leave."""
        if self.factors is not None:
            left, right = self.factors
            return right.rank * left.log_determinant + left.rank * right.log_determinant
        return _log_determinant(self._factor, self.constraint, self._correction[1])

    def replicate(self, times: int) -> Structure:
        """Return the structure of `times` independent copies, one after another."""
        return kronecker(independent(times), self)

    def from_noise(self, noise: Array) -> Array:
        """Map standard normals to effects that have this structure.

        Solving R x = root' e with standard normal e gives covariance R^-1; conditioning by
        kriging then makes the constraints hold exactly (Rue and Held 2005, algorithm 2.6).

        Parameters
        ----------
        noise : array, shape (k, draw)
            Standard normals, one column a draw.

        Returns
        -------
        array, shape (size, draw)
            Effects, one column a draw; a linear function of `noise`.
        """
        if self.factors is not None:
            left, right = self.factors
            rows, columns, draws = left.root.shape[0], right.root.shape[0], noise.shape[1]
            inner = noise.reshape(rows, columns, draws).transpose(1, 0, 2).reshape(columns, -1)
            half = right.from_noise(inner).reshape(right.size, rows, draws)
            outer = half.transpose(1, 0, 2).reshape(rows, -1)
            return left.from_noise(outer).reshape(self.size, draws)
        effects = self._factor.solve(np.ascontiguousarray(self.root.T @ noise))
        if self.constraint.shape[0]:
            for _ in range(2):  # the second time takes away what rounding left of large sums
                effects -= self._gain @ (self.constraint @ effects)
        return np.asarray(effects)

    def sample(self, rng: np.random.Generator, draws: int) -> Array:
        """Draw unit-scale effects from the prior, shape (draw, size).

        Parameters
        ----------
        rng : numpy.random.Generator
            Stream of the draws.
        draws : int
            Number of draws; many are made together, in batches that fit into memory.
        """
        rows = int(self.root.shape[0])
        batch = max(1, BATCH // rows)
        effects = np.empty((draws, self.size))
        for start in range(0, draws, batch):
            count = min(batch, draws - start)
            noise = rng.standard_normal((rows, count))
            effects[start : start + count] = self.from_noise(noise).T
        return effects

    def covariance(self) -> Array:
        """Return the covariance of a unit-scale effect, dense: for structures of modest size."""
        if self.factors is not None:
            left, right = self.factors
            return np.asarray(np.kron(left.covariance(), right.covariance()))
        grounded, (minus, plus) = self._grounded()
        inverse = _factorise(grounded).solve(np.eye(self.size))
        inverse += (plus[0] @ plus[1].T - minus[0] @ minus[1].T).toarray()
        return np.asarray(0.5 * (inverse + inverse.T))

    def marginal_variance(self) -> Array:
        """Return the variances of a unit-scale effect, shape (size,), by sparse algebra."""
        if self.factors is not None:
            left, right = self.factors
            return np.asarray(np.kron(left.marginal_variance(), right.marginal_variance()))
        grounded, (minus, plus) = self._grounded()
        change = plus[0].multiply(plus[1]) - minus[0].multiply(minus[1])
        return np.asarray(inverse_diagonal(grounded) + np.asarray(change.sum(axis=1)).ravel())

    def _grounded(self) -> tuple[sp.csc_array, list[tuple[sp.csc_array, sp.csc_array]]]:
        """Return V, (P, Q) and (S, T) with the constrained covariance V^-1 - P Q' + S T'.

        R itself may be all but singular where the constraints hold it, and its inverse so large
        that the difference would be lost in rounding. V = R + E E' adds one to the precision of
        one element a constraint; conditioning on A x = 0 takes away P Q', and taking the added
        precision back on what remains (Woodbury's formula) gives S T'.
        """
        rows, chosen = self.constraint, dict[int, None]()
        for row in range(rows.shape[0]):
            inside = slice(rows.indptr[row], rows.indptr[row + 1])
            order = np.argsort(-np.abs(rows.data[inside]), kind="stable")
            # a row whose elements are all taken can do without: the formula holds for any E
            chosen.update(
                dict.fromkeys([int(c) for c in rows.indices[inside][order] if c not in chosen][:1])
            )
        held = np.array(list(chosen), dtype=np.int64)
        place = (np.arange(len(held)), held)
        unit = sp.csr_array((np.ones(len(held)), place), shape=(len(held), self.size))
        grounded = sp.csc_array(self.precision + unit.T @ unit)
        if not len(held):
            empty = sp.csc_array((self.size, 0))
            return grounded, [(empty, empty), (empty, empty)]
        factor = _factorise(grounded)
        solved = _solve_rows(factor, grounded, rows)
        gain = sp.csc_array(solved @ _inverse(sp.csc_array(rows @ solved)))
        reach = _solve_rows(factor, grounded, unit)
        reach = sp.csc_array(reach - gain @ (solved.T @ unit.T))
        left = sp.csc_array(sp.eye_array(len(held)) - unit @ reach)
        return grounded, [(gain, solved), (sp.csc_array(reach @ _inverse(left)), reach)]

    def basis(self) -> Array:
        """Return B, shape (size, rank), with B B' the covariance of a unit-scale effect.

        B z with standard normal z is an effect without any constraint left to hold: the form to
        prefer for short structures such as time. Dense. The columns are principal components in
        falling order of variance, each signed so that its largest entry is positive.
        """
        value, vector = linalg.eigh(self.covariance())
        order = np.argsort(value)[::-1][: self.rank]
        columns = vector[:, order] * np.sqrt(value[order])
        largest = np.argmax(np.abs(columns), axis=0)
        return np.asarray(columns * np.sign(columns[largest, np.arange(self.rank)]))


def independent(size: int) -> Structure:
    """Return the structure of `size` exchangeable unit normals."""
    return Structure(
        root=sp.csr_array(sp.eye_array(size)),
        constraint=sp.csr_array((0, size)),
        rank=size,
    )


def kronecker(left: Structure, right: Structure) -> Structure:
    """Return the structure whose covariance is the Kronecker product of two.

    Parameters
    ----------
    left, right : Structure
        Element (i, j) of the product is at ``i * right.size + j``.

    Notes
    -----
    The effect, as a matrix, is constrained in every column as `left` is and in every row as
    `right` is. Of these constraints some follow from the others; as many as `left` has rows are
    left out, at elements of `left` that its own constraints then determine, so that the rows
    that remain are independent (checked against the rank in the tests).
    """
    rows, width = left.constraint.shape
    kept = np.ones(width, dtype=bool)
    if rows:
        _, _, pivot = linalg.qr(left.constraint.toarray(), mode="economic", pivoting=True)
        kept[pivot[:rows]] = False
    free = sp.csr_array(sp.eye_array(width, format="csr")[np.flatnonzero(kept)])
    constraint = sp.vstack(
        [
            sp.kron(left.constraint, sp.eye_array(right.size), format="csr"),
            sp.kron(free, right.constraint, format="csr"),
        ],
        format="csr",
    )
    return Structure(
        root=sp.csr_array(sp.kron(left.root, right.root)),
        constraint=sp.csr_array(constraint),
        rank=left.rank * right.rank,
        factors=(left, right),
    )


def log_density(x: Array, structure: Structure, sd: float = 1.0) -> float:
    """Return the log density of an effect, normalising constant included.

    Parameters
    ----------
    x : array, shape (size,)
        An effect that meets the constraints (this is not checked).
    structure : Structure
        Its unit-scale structure.
    sd : float
        Its standard deviation.

    Returns
    -------
    float
        Log density with respect to the ordinary (Lebesgue) measure of the constrained space.
    """
    quadratic = float(np.sum((structure.root @ x) ** 2))
    return (
        0.5 * structure.log_determinant
        - structure.rank * (0.5 * math.log(2.0 * math.pi) + math.log(sd))
        - 0.5 * quadratic / sd**2
    )


def log_determinant(matrix: sp.csc_array, constraint: sp.csr_array) -> float:
    """Return the log determinant of a sparse matrix on the space that constraints leave.

    Parameters
    ----------
    matrix : sparse array, shape (size, size)
        Symmetric positive definite.
    constraint : sparse array, shape (number of constraints, size)
        Linearly independent rows.

    Notes
    -----
    With Z an orthonormal basis of the null space of A,
    log |Z' R Z| = log |R| + log |A R^-1 A'| - log |A A'|.
    """
    factor = _factorise(matrix)
    solved = _solve_rows(factor, matrix, constraint)
    return _log_determinant(factor, constraint, sp.csc_array(constraint @ solved))


def conditional_mean(matrix: sp.csc_array, constraint: sp.csr_array, load: Array) -> Array:
    """Return the mode of ``load' x - x' matrix x / 2`` where the constraints hold.

    Parameters
    ----------
    matrix : sparse array, shape (size, size)
        Symmetric positive definite.
    constraint : sparse array, shape (number of constraints, size)
        Linearly independent rows.
    load : array, shape (size,)
        Linear term.
    """
    factor = _factorise(matrix)
    free = factor.solve(load)
    if not constraint.shape[0]:
        return np.asarray(free)
    solved = _solve_rows(factor, matrix, constraint)
    multiplier = _factorise(constraint @ solved).solve(constraint @ free)
    return np.asarray(free - solved @ multiplier)


def _factorise(matrix: sp.csc_array) -> Any:
    # the matrix is positive definite: no pivoting, and one ordering for rows and columns
    return splu(
        sp.csc_array(matrix),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )


def _solve_rows(factor: Any, matrix: sp.csc_array, rows: sp.csr_array) -> sp.csc_array:
    """Return R^-1 A', sparse, shape (size, row).

    Rows that touch different connected parts of R are solved together, so that the thousand
    parts of a broken map cost one solve and memory in proportion to the map.
    """
    size, count = int(matrix.shape[0]), int(rows.shape[0])
    _, part = csgraph.connected_components(matrix, directed=False)
    taken: list[set[int]] = []  # parts used by the rows of each round
    rounds: list[list[tuple[int, NDArray[np.int64]]]] = []
    for row in range(count):
        touched = np.unique(part[rows.indices[rows.indptr[row] : rows.indptr[row + 1]]])
        at = next((i for i, used in enumerate(taken) if used.isdisjoint(touched)), len(taken))
        if at == len(taken):
            taken.append(set())
            rounds.append([])
        taken[at].update(touched.tolist())
        rounds[at].append((row, touched))
    at_row, at_column, value = [], [], []
    for members in rounds:
        row_of_part = np.full(int(part.max()) + 1, -1)
        for row, touched in members:
            row_of_part[touched] = row
        chosen = np.zeros(count)
        chosen[[row for row, _ in members]] = 1.0
        solved = factor.solve(np.ascontiguousarray(rows.T @ chosen))
        owner = row_of_part[part]
        inside = np.flatnonzero(owner >= 0)
        at_row.append(inside)
        at_column.append(owner[inside])
        value.append(solved[inside])
    if not rounds:
        return sp.csc_array((size, count))
    places = (np.concatenate(at_row), np.concatenate(at_column))
    return sp.csc_array((np.concatenate(value), places), shape=(size, count))


def _inverse(matrix: sp.csc_array) -> sp.csc_array:
    """Return the inverse of a sparse positive definite matrix whose inverse is sparse too."""
    size = int(matrix.shape[0])
    factor, blocks = _factorise(matrix), []
    for start in range(0, size, 256):
        unit = np.zeros((size, min(256, size - start)))
        unit[np.arange(start, start + unit.shape[1]), np.arange(unit.shape[1])] = 1.0
        blocks.append(sp.csc_array(factor.solve(unit)))
    return sp.csc_array(sp.hstack(blocks))


def _log_determinant(factor: Any, constraint: sp.csr_array, gram: sp.csc_array) -> float:
    total = float(np.sum(np.log(np.abs(factor.U.diagonal()))))
    if constraint.shape[0]:
        for matrix, sign in ((gram, 1.0), (constraint @ constraint.T, -1.0)):
            total += sign * float(np.sum(np.log(np.abs(_factorise(matrix).U.diagonal()))))
    return total
