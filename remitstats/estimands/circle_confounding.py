"""How strong an unobserved cause would have to be to undo each link.

The robustness value of Cinelli and Hazlett (2020), Journal of the Royal Statistical Society B 82:
39-67: an unobserved cause that explains this share of what the observed states leave open both of
where a link comes from and of where it goes would take the whole link away. The model takes noise
and lasting levels out first, so that the shares are those of true states around a municipality's
own level; a cause that lasts is no danger, one that changes is.

Beside it stands the strongest of the observed variables, measured in the same way: the smaller of
what it explains of the one end and of the other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def state_covariances(links: Array, innovation: Array) -> Array:
    """Return the covariance of the states at the beginning of every interval.

    Parameters
    ----------
    links : array, shape (..., interval, to, from)
        Effects of the wave before.
    innovation : array, shape (..., wave, variable, variable)
        Covariances of what is new in each wave; in the first it is all there is.

    Returns
    -------
    array, shape (..., interval, variable, variable)
    """
    found = [innovation[..., 0, :, :]]
    for t in range(links.shape[-3] - 1):
        passed = links[..., t, :, :] @ found[-1] @ np.swapaxes(links[..., t, :, :], -1, -2)
        found.append(passed + innovation[..., t + 1, :, :])
    return np.stack(found, axis=-3)


def robustness(links: Array, innovation: Array) -> tuple[Array, Array]:
    """Return the robustness value of every link, and how strong each observed variable is.

    Parameters
    ----------
    links : array, shape (..., interval, to, from)
        As above; the mean of the intervals is judged, with their mean variances.
    innovation : array, shape (..., wave, variable, variable)
        As above.

    Returns
    -------
    value : array, shape (..., to, from)
        Share, between 0 and 1; of own links too.
    observed : array, shape (..., to, from, variable)
        For each third variable the smaller of its partial R2 with both ends; 0 for the ends.
    """
    precision = np.linalg.inv(state_covariances(links, innovation))
    own = np.diagonal(precision, axis1=-2, axis2=-1)
    left_open = (1.0 / own).mean(axis=-2)  # of each variable, given the others
    rest = np.diagonal(innovation[..., 1:, :, :], axis1=-2, axis2=-1).mean(axis=-2)
    effect = links.mean(axis=-3)
    strength = effect**2 * left_open[..., None, :] / rest[..., :, None]  # Cohen's f2
    value = 0.5 * (np.sqrt(strength**2 + 4.0 * strength) - strength)
    with_outcome = strength / (1.0 + strength)
    together = precision**2 / (own[..., :, None] * own[..., None, :])
    between = together.mean(axis=-3)  # squared partial correlations of the states
    both = np.minimum(with_outcome[..., :, None, :], between[..., None, :, :])
    count = links.shape[-1]
    for k in range(count):
        both[..., k, :, k] = 0.0
        both[..., :, k, k] = 0.0
    return value, both
