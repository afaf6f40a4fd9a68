"""Sparse factorisations of the matrix that the Laplace engine factorises at every step.

`python -m benchmarks.solvers MATRIX RESULT SECONDS` times every installed solver on one exported
matrix, one thread, and writes JSON. The matrix is [[H, C'], [C, -e]]: the posterior precision H of
the field, bordered by its constraints. It is quasi-definite; solvers that need a positive definite
matrix get H alone.
"""

# ruff: noqa: PLC0415 - every solver is imported where it is tried: it may not be installed

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

ORDERINGS = ("MMD_AT_PLUS_A", "COLAMD")  # MMD_ATA fills the matrix: seconds a factorisation


@dataclass(frozen=True)
class Solver:
    """A way to factorise the matrix.

    Parameters
    ----------
    name : str
        Package and routine.
    matrix : str
        "bordered" or "precision": what it factorised.
    first : callable
        Orders and factorises; returns what `again` and `solve` take.
    again : callable
        Factorises new values of the same pattern.
    solve : callable
        Solves one right-hand side.
    entries : callable
        Returns the number of entries of the factor (of L, or of L + U for an LU).
    """

    name: str
    matrix: str
    first: Callable[[], Any]
    again: Callable[[Any], Any]
    solve: Callable[[Any, NDArray[np.float64]], Any]
    entries: Callable[[Any], int | None]


def export(spec: dict[str, Any], path: Path) -> None:
    """Write the matrix of the reliance model of a panel, at values its posterior makes likely."""
    from benchmarks.peers.remitstats_fit import load
    from remitstats.fitting.gaussian_system import GaussianSystem
    from remitstats.models import reliance

    blocks = reliance.latent_gaussian(reliance.prepare_data(load(spec)), reliance.Priors())
    system = GaussianSystem(blocks)
    theta = blocks.initial()
    weight = blocks.likelihood.curvature(blocks.likelihood.initial(), blocks.constrain(theta))
    matrix = sp.csc_array(system.matrix(theta, np.maximum(weight, 1e-6)))
    np.savez(
        path,
        data=matrix.data,
        indices=matrix.indices,
        indptr=matrix.indptr,
        latent=system.latent,
    )


def _qdldl(upper: sp.csc_matrix) -> Solver:
    import qdldl

    def again(solver: Any) -> Any:
        solver.update(upper, upper=True)
        return solver

    return Solver(
        "qdldl (LDL', AMD)",
        "bordered",
        lambda: qdldl.Solver(upper, upper=True),
        again,
        lambda solver, b: solver.solve(b),
        lambda solver: int(solver.factors()[0].nnz + upper.shape[0]),
    )


def _superlu(full: sp.csc_matrix, ordering: str) -> Solver:
    from scipy.sparse.linalg import splu

    def run(_: Any = None) -> Any:
        options = {"SymmetricMode": True} if ordering == "MMD_AT_PLUS_A" else {}
        return splu(full, permc_spec=ordering, diag_pivot_thresh=0.0, options=options)

    return Solver(
        f"scipy splu (LU, {ordering})",
        "bordered",
        run,
        run,  # SuperLU in SciPy can't keep its ordering
        lambda lu, b: lu.solve(b),
        lambda lu: int(lu.L.nnz + lu.U.nnz),
    )


def _cvxopt_matrix(matrix: sp.csc_matrix) -> Any:
    import cvxopt

    coo = matrix.tocoo()
    return cvxopt.spmatrix(coo.data, coo.row.astype(int), coo.col.astype(int), matrix.shape)


def _cholmod(upper: sp.csc_matrix, *, supernodal: bool) -> Solver:
    import cvxopt
    from cvxopt import cholmod

    matrix = _cvxopt_matrix(upper)

    def options() -> None:
        cholmod.options["supernodal"] = 2 if supernodal else 0

    def again(factor: Any) -> Any:
        options()
        cholmod.numeric(matrix, factor)
        return factor

    def first() -> Any:
        options()
        return again(cholmod.symbolic(matrix, uplo="U"))

    def solve(factor: Any, b: NDArray[np.float64]) -> Any:
        options()
        x = cvxopt.matrix(b)
        cholmod.solve(factor, x)
        return np.asarray(x).ravel()

    def entries(factor: Any) -> int | None:
        options()
        try:
            return len(cholmod.getfactor(factor))
        except (ValueError, ArithmeticError):  # not for a supernodal factor of this version
            return None

    kind = "LL', supernodal" if supernodal else "LDL', simplicial"
    return Solver(
        f"cvxopt CHOLMOD ({kind})",
        "precision" if supernodal else "bordered",
        first,
        again,
        solve,
        entries,
    )


def _umfpack(full: sp.csc_matrix) -> Solver:
    import cvxopt
    from cvxopt import umfpack

    matrix = _cvxopt_matrix(full)
    symbolic: list[Any] = []

    def again(_: Any) -> Any:
        return umfpack.numeric(matrix, symbolic[0])

    def first() -> Any:
        symbolic[:] = [umfpack.symbolic(matrix)]
        return again(None)

    def solve(numeric: Any, b: NDArray[np.float64]) -> Any:
        x = cvxopt.matrix(b)
        umfpack.solve(matrix, numeric, x)
        return np.asarray(x).ravel()

    return Solver("cvxopt UMFPACK (LU)", "bordered", first, again, solve, lambda _: None)


def _pardiso(upper: sp.csc_matrix, *, definite: bool) -> Solver:
    from pypardiso import PyPardisoSolver

    rows = sp.csr_matrix(upper)
    right = np.ones(rows.shape[0])

    def first() -> Any:
        solver = PyPardisoSolver(mtype=2 if definite else -2)
        solver._check_A = lambda _: None  # refuses triangles, which symmetric types ask for
        solver.set_phase(12)
        solver._call_pardiso(rows, right)
        return solver

    def again(solver: Any) -> Any:
        solver.set_phase(22)
        solver._call_pardiso(rows, right)
        return solver

    def solve(solver: Any, b: NDArray[np.float64]) -> Any:
        solver.set_phase(33)
        return np.ravel(solver._call_pardiso(rows, b))

    return Solver(
        f"pypardiso MKL ({'LL' + chr(39) if definite else 'LDL' + chr(39)})",
        "precision" if definite else "bordered",
        first,
        again,
        solve,
        lambda solver: int(solver.get_iparm(18)),
    )


def _sksparse(full: sp.csc_matrix) -> Solver:
    from sksparse import cholmod

    def again(factor: Any) -> Any:
        factor.cholesky_inplace(full)
        return factor

    return Solver(
        "scikit-sparse CHOLMOD",
        "precision",
        lambda: cholmod.cholesky(full),
        again,
        lambda factor, b: factor(b),
        lambda factor: int(factor.L().nnz),
    )


def _candidates(upper: sp.csc_matrix, latent: int) -> list[Callable[[], Solver]]:
    own = sp.csc_matrix(upper[:latent, :latent])

    def full(half: sp.csc_matrix) -> sp.csc_matrix:
        return sp.csc_matrix(half + sp.triu(half, 1).T)

    return [
        lambda: _qdldl(upper),
        lambda: _cholmod(upper, supernodal=False),
        lambda: _cholmod(own, supernodal=True),
        lambda: _pardiso(upper, definite=False),
        lambda: _pardiso(own, definite=True),
        lambda: _umfpack(full(upper)),
        *(partial(_superlu, full(upper), ordering) for ordering in ORDERINGS),
        lambda: _sksparse(full(own)),
    ]


def _median_ms(function: Callable[[], Any], seconds: float) -> float:
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return 1e3 * float(np.median(times))


def _threads_gain(solver: Solver, again_ms: float, seconds: float) -> float:
    """Return how much faster two threads with a factor each are than one thread with both.

    About 1 where the routine holds Python's lock, 2 where it lets go of it and two cores are free.
    """
    factors = [solver.first(), solver.first()]
    times: int = max(3, int(0.5e3 * seconds / max(again_ms, 1e-3)))

    def repeat(factor: Any) -> None:
        for _ in range(times):
            solver.again(factor)

    start = time.perf_counter()
    for factor in factors:
        repeat(factor)
    alone = time.perf_counter() - start
    workers = [threading.Thread(target=repeat, args=(factor,)) for factor in factors]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return alone / (time.perf_counter() - start)


def measure(upper: sp.csc_matrix, latent: int, seconds: float) -> list[dict[str, Any]]:
    """Return one row a solver; those not installed, or that fail, say so in `error`.

    Every operation is repeated for `seconds`; the median time is reported.
    """
    rows: list[dict[str, Any]] = []
    rng = np.random.default_rng(1)
    for candidate in _candidates(upper, latent):
        try:
            solver = candidate()
        except ImportError as error:
            rows.append({"name": str(error.name), "error": "not installed"})
            continue
        size = upper.shape[0] if solver.matrix == "bordered" else latent
        half = sp.csc_matrix(upper[:size, :size])
        b = rng.standard_normal(size)
        try:
            factor = solver.again(solver.first())
            x = np.asarray(solver.solve(factor, b)).ravel()
            residual = half @ x + sp.triu(half, 1).T @ x - b
            again_ms = _median_ms(partial(solver.again, factor), seconds)
            rows.append(
                {
                    "name": solver.name,
                    "matrix": solver.matrix,
                    "size": size,
                    "first_ms": _median_ms(solver.first, seconds),
                    "again_ms": again_ms,
                    "solve_ms": _median_ms(partial(solver.solve, factor, b), seconds),
                    "residual": float(np.max(np.abs(residual)) / np.max(np.abs(b))),
                    "threads_gain": _threads_gain(solver, again_ms, seconds),
                    "entries": solver.entries(factor),  # last: some packages take it apart
                }
            )
        except Exception as error:  # a solver that can't do it is a finding, not a fault
            rows.append({"name": solver.name, "error": f"{type(error).__name__}: {error}"})
    base = next(row for row in rows if row["name"].startswith("qdldl"))
    for row in rows:
        if "again_ms" in row:
            row["again_ratio"] = row["again_ms"] / base["again_ms"]
            row["solve_ratio"] = row["solve_ms"] / base["solve_ms"]
    return rows


def read(path: Path) -> dict[str, Any]:
    """Return what `main` wrote."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def main() -> None:
    """Measure the matrix of the command line."""
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    from threadpoolctl import threadpool_limits

    with np.load(sys.argv[1]) as file:
        size = len(file["indptr"]) - 1
        upper = sp.csc_matrix((file["data"], file["indices"], file["indptr"]), shape=(size, size))
        latent = int(file["latent"])
    with threadpool_limits(limits=1):
        rows = measure(upper, latent, float(sys.argv[3]))
    target = Path(sys.argv[2])
    target.write_text(json.dumps({"size": size, "latent": latent, "rows": rows}), encoding="utf-8")


if __name__ == "__main__":
    main()
