"""A log density with its gradient, written in NumPy, as a PyTensor operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch import basic as numba_basic

Array = NDArray[np.float64]


class DensityOperation(Op):  # type: ignore[misc]
    """Log density of a vector, then its gradient: one call gives a sampler both.

    Parameters
    ----------
    density : callable
        Takes a vector; returns the value and the gradient. Where the value is not finite the
        gradient is zero.
    """

    __props__ = ()

    def __init__(self, density: Callable[[Array], tuple[float, Array]]) -> None:
        self.density = density

    def __eq__(self, other: object) -> bool:
        """Say that two operations are the same only if they are one."""
        return self is other

    def __hash__(self) -> int:
        """Return what goes with `__eq__`."""
        return id(self)

    def make_node(self, *inputs: Any) -> Any:
        """Return the node: a vector in, value and gradient out."""
        (vector,) = inputs
        return Apply(self, [pt.as_tensor_variable(vector)], [pt.dscalar(), pt.dvector()])

    def perform(self, node: Any, inputs: Any, output_storage: Any) -> None:  # noqa: ARG002
        """Compute value and gradient."""
        value, gradient = self.density(np.asarray(inputs[0], dtype=float))
        output_storage[0][0] = np.asarray(value, dtype=float)
        output_storage[1][0] = np.asarray(gradient, dtype=float)

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> Any:  # noqa: ARG002
        """Return the gradient of the value; the gradient itself has none."""
        return [cotangents[0] * outputs[1]]

    def connection_pattern(self, node: Any) -> list[list[bool]]:  # noqa: ARG002
        """Say that the vector is connected to both outputs."""
        return [[True, True]]


@numba_basic.numba_funcify.register(DensityOperation)  # type: ignore[untyped-decorator]
def _compile(op: DensityOperation, node: Any = None, **_: Any) -> Any:
    """Return the operation for PyTensor's Numba functions: it calls back into Python."""
    types = numba.types.Tuple([numba_basic.get_numba_type(o.type) for o in node.outputs])

    def call(vector: Array) -> tuple[Array, Array]:
        value, gradient = op.density(np.asarray(vector, dtype=float))
        return np.asarray(value, dtype=float), np.asarray(gradient, dtype=float)

    @numba_basic.numba_njit  # type: ignore[untyped-decorator]
    def run(vector):  # type: ignore[no-untyped-def]
        with numba.objmode(found=types):
            found = call(vector)
        return found  # noqa: RET504 - objmode gives it its type

    return run
