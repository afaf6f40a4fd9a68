"""The collapsed panel likelihood (`dynamic_panel`) as a PyTensor operation with its gradient.

Value and gradient come out of one call of the compiled function, so that a sampler which needs
both pays once. The operation runs inside PyTensor's Numba functions without leaving compiled code.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch import basic as numba_basic

from remitstats.parts import panel_kernel
from remitstats.parts.panel_kernel import panel_density

DATA = (
    "filled",
    "known",
    "order",
    "start",
    "group_of_block",
    "pairs",
    "root_variance",
    "relative",
    "variable_of",
)
_NDIM = (4, 2, 3, 0, 0, 1, 0, 1, 2, 2)  # of the arguments


class PanelDensity(Op):  # type: ignore[misc]
    """Log density of a dynamic panel, then its gradient in each of `ARGUMENTS`.

    Takes `DATA` (`NestedData.arrays` and those of `PanelNoise`) and `ARGUMENTS`.
    """

    __props__ = ()

    def make_node(self, *inputs: Any) -> Any:
        """Return the node: data and arguments in, value and gradients out."""
        variables = [pt.as_tensor_variable(x) for x in inputs]
        count = len(DATA)
        arguments = [pt.cast(x, "float64") for x in variables[count:]]
        outputs = [pt.dscalar(), *(pt.tensor(dtype="float64", shape=(None,) * n) for n in _NDIM)]
        return Apply(self, [*variables[:count], *arguments], outputs)

    def perform(self, node: Any, inputs: Any, output_storage: Any) -> None:  # noqa: ARG002
        """Compute value and gradients."""
        arrays = [np.asarray(x) for x in inputs]
        plain: Any = [np.ascontiguousarray(x) if x.ndim else x.item() for x in arrays]
        for storage, found in zip(output_storage, panel_density(*plain), strict=True):
            storage[0] = np.asarray(found, dtype=np.float64)

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> Any:
        """Return the gradient of the value; the gradients themselves have none."""
        by_value = cotangents[0]
        count = len(DATA)
        return [DisconnectedType()() for _ in inputs[:count]] + [
            by_value * found for found in outputs[1:]
        ]

    def connection_pattern(self, node: Any) -> list[list[bool]]:
        """Say that only the arguments are connected to the outputs."""
        count = len(node.outputs)
        return [[i >= len(DATA)] * count for i in range(len(node.inputs))]


@numba_basic.register_funcify_default_op_cache_key(PanelDensity)  # type: ignore[untyped-decorator]
def _compile(op: PanelDensity, node: Any = None, **_: Any) -> Any:  # noqa: ARG001
    """Return the operation for PyTensor's Numba functions."""

    @numba_basic.numba_njit  # type: ignore[untyped-decorator]
    def run(  # type: ignore[no-untyped-def]
        filled, known, order, start, group_of_block, pairs, root_variance, relative,
        variable_of, links, intercept, innovation, intercept_share, innovation_share, noise_scale,
        correlation, earlier_scale, earlier_link, earlier_innovation,
    ):  # fmt: skip
        found = panel_density(
            np.ascontiguousarray(filled),
            np.ascontiguousarray(known),
            np.ascontiguousarray(order),
            np.ascontiguousarray(start),
            np.ascontiguousarray(group_of_block),
            np.ascontiguousarray(pairs),
            root_variance.item(),
            np.ascontiguousarray(relative),
            np.ascontiguousarray(variable_of),
            np.ascontiguousarray(links),
            np.ascontiguousarray(intercept),
            np.ascontiguousarray(innovation),
            intercept_share.item(),
            innovation_share.item(),
            np.ascontiguousarray(noise_scale),
            correlation.item(),
            np.ascontiguousarray(earlier_scale),
            np.ascontiguousarray(earlier_link),
            np.ascontiguousarray(earlier_innovation),
        )
        return (
            np.asarray(found[0]),
            found[1],
            found[2],
            found[3],
            np.asarray(found[4]),
            np.asarray(found[5]),
            found[6],
            np.asarray(found[7]),
            found[8],
            found[9],
            found[10],
        )

    # kept code must not outlive the functions it was compiled from
    source = Path(panel_kernel.__file__).read_bytes()
    return run, int(hashlib.sha256(source).hexdigest()[:12], 16)
