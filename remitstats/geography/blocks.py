"""Blocks: compact groups of neighbouring municipalities within a state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def compact_blocks(
    longitude: NDArray[np.float64],
    latitude: NDArray[np.float64],
    group_of: NDArray[np.int64],
    size: int,
) -> NDArray[np.int64]:
    """Return a block for every unit: compact, within its group, of about `size` units.

    Each group is halved along the longer side of what it covers, at the median unit, until no
    part has more than `size` units (a k-d tree; Bentley 1975, Communications of the ACM 18:
    509-517). The result depends on nothing random and hardly on where exactly a centre lies.

    Parameters
    ----------
    longitude, latitude : array, shape (unit,)
        Centres in degrees.
    group_of : array of int, shape (unit,)
        Groups that no block may cross.
    size : int
        Most units of a block.

    Returns
    -------
    array of int, shape (unit,)
        Blocks numbered from 0, group by group.

    Raises
    ------
    ValueError
        If `size` is not positive or a centre is missing.
    """
    if size < 1:
        raise ValueError(f"a block must hold at least 1 unit, found {size}")
    if not (np.isfinite(longitude).all() and np.isfinite(latitude).all()):
        raise ValueError("every unit needs a centre")
    block_of = np.empty(len(group_of), dtype=np.int64)
    count = 0
    for group in np.unique(group_of):
        waiting = [np.flatnonzero(group_of == group)]
        while waiting:
            part = waiting.pop()
            if len(part) <= size:
                block_of[part] = count
                count += 1
                continue
            # a degree of longitude shrinks towards the poles
            east = longitude[part] * np.cos(np.deg2rad(np.mean(latitude[part])))
            longer = east if np.ptp(east) >= np.ptp(latitude[part]) else latitude[part]
            order = part[np.argsort(longer, kind="stable")]
            middle = len(order) // 2
            waiting += [order[middle:], order[:middle]]
    return block_of
