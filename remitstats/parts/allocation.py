r"""Amounts that are divided among places in proportion to their pull.

Of the amount of home i, place j gets the share

    exp(pull_ij) / sum_k exp(pull_ik)        over the places k that i reaches,

and a place's total is what it gets from all homes. Nothing is lost: totals of places and amounts
of homes have one sum. Pairs of home and place are listed, so that the cost is that of the list.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.int64]


def shares(pull: Array, home: Places, size: int) -> Array:
    """Return the share of its home's amount that goes each way.

    Parameters
    ----------
    pull : array, shape (..., pair)
        Logarithm of the pull of a pair's place on its home.
    home : array of int, shape (pair,)
        Homes, numbered from 0; each has a pair.
    size : int
        Number of homes.

    Returns
    -------
    array, shape (..., pair)
        Between 0 and 1; of every home they add up to 1.
    """
    weight = np.exp(pull - pull.max(axis=-1, keepdims=True))
    return np.asarray(weight / summed(weight, home, size)[..., home])


def summed(values: Array, group: Places, size: int) -> Array:
    """Return sums of a list by group, shape (..., size)."""
    member = sp.csr_array(
        (np.ones(len(group)), (group, np.arange(len(group)))), shape=(size, len(group))
    )
    flat = values.reshape(-1, values.shape[-1])
    return np.asarray((member @ flat.T).T.reshape(*values.shape[:-1], size))


def totals_pymc(log_amount: Any, pull: Any, home: Places, place: Places, size: int) -> Any:
    """Return the logarithm of what every place gets, in PyTensor.

    Parameters
    ----------
    log_amount : tensor, shape (size,)
        Logarithm of the amount of every home.
    pull : tensor, shape (pair,)
        See `shares`.
    home, place : array of int, shape (pair,)
        The pairs; every place has one.
    size : int
        Number of homes, and of places.
    """
    import pytensor.tensor as pt  # noqa: PLC0415 - PyMC takes seconds to import

    weight = pt.exp(pull)
    whole = pt.inc_subtensor(pt.zeros(size)[home], weight)
    flow = pt.exp(log_amount)[home] * weight / whole[home]
    return pt.log(pt.inc_subtensor(pt.zeros(size)[place], flow))
