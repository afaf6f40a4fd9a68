"""The loop through migration: algebra of effect matrices.

Every function takes arrays whose last two dims are (to, from) over the variables in the order of
`models.circle_measures.VARIABLES`, one wave of ten years apart, with any dims of draws before them.
With M for migration and r for all else, a matrix A of effects falls into A_MM, A_Mr, A_rM, A_rr.

Halves of the loop and its gain are taken over a horizon of a few waves. Their limits (long-run
multipliers) blow up where a variable nearly carries itself on: with an own link of 0.9 a lasting
unit is multiplied by ten after centuries that nobody observes. The long-run gain is kept beside
them, with the draws in which it does not exist as nan.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from remitstats.models.circle import claimed_links
from remitstats.models.circle_measures import VARIABLES

Array = NDArray[np.float64]

HORIZON = 3  # waves of ten years
WAVE_YEARS = 10
DELTA = 0.05  # sd: a half of the loop no larger than this counts as none
CHAIN = claimed_links()  # (to, from)
REGIMES = ("vicious", "virtuous", "none")
_M = VARIABLES.index("migration")
_REST = [i for i in range(len(VARIABLES)) if i != _M]
_U = _REST.index(VARIABLES.index("underdevelopment"))


def ordered_effects(links: Array, innovation: Array) -> tuple[Array, Array]:
    """Return effects of a wave when variables act within it in the order of `VARIABLES`.

    Parameters
    ----------
    links : array, shape (..., to, from)
        Effects B of the wave before.
    innovation : array, shape (..., variable, variable)
        Covariance of what is new in the wave, positive definite.

    Returns
    -------
    total : array, shape (..., to, from)
        B0 + (I - B0) B with B0 = I - L^-1, where L is the unit lower triangular factor of the
        covariance: what acts within the wave and what acts directly from the wave before.
    within : array, shape (..., to, from)
        B0 alone.
    """
    root = np.linalg.cholesky(innovation)
    unit = root / np.diagonal(root, axis1=-2, axis2=-1)[..., None, :]
    inverse = np.linalg.inv(unit)
    within = np.eye(links.shape[-1]) - inverse
    return np.asarray(within + inverse @ links), within


def cut(effects: Array, to: str, origin: str) -> Array:
    """Return the effects with one link set to zero."""
    out = effects.copy()
    out[..., VARIABLES.index(to), VARIABLES.index(origin)] = 0.0
    return out


def deepening(effects: Array, within: Array | None = None, horizon: int = HORIZON) -> Array:
    """Return the response of underdevelopment to a lasting unit of migration, shape (...).

    The loop is cut at migration. From the links alone it is the sum over j < horizon of
    (A_rr^j A_rM) at underdevelopment, `horizon` waves after the unit came.

    Parameters
    ----------
    effects : array, shape (..., to, from)
        All effects A.
    within : array, shape (..., to, from), optional
        The part of them that acts within a wave; by default none. It takes no time: ways of any
        length within a wave count, and the horizon counts waves.
    horizon : int
        Waves.
    """
    return np.asarray(_held(effects, within, horizon)[..., _U, 0])


def feedback(effects: Array, within: Array | None = None, horizon: int = HORIZON) -> Array:
    """Return the response of migration to a lasting unit of underdevelopment, shape (...).

    The loop is cut at migration. From the links alone it is the sum over j < horizon of
    (A_Mr A_rr^j) at underdevelopment. Parameters as for `deepening`.
    """
    settle, step, direct = _steps(effects, within)
    back = _back(direct)
    return np.asarray((back @ _power_sum(step, horizon) @ settle)[..., 0, _U])


def gain(effects: Array, within: Array | None = None, horizon: int = HORIZON) -> Array:
    """Return what a lasting unit of migration has brought back to migration, shape (...).

    From the links alone it is A_Mr (sum over j < horizon of A_rr^j) A_rM: all ways through the
    other variables that take at most horizon + 1 waves. A horizon of 3 is the shortest that holds
    the whole claimed chain. Parameters as for `deepening`.
    """
    _, _, direct = _steps(effects, within)
    return np.asarray((_back(direct) @ _held(effects, within, horizon))[..., 0, 0])


def gain_long_run(effects: Array, within: Array | None = None) -> Array:
    """Return the gain without end, (1 - A_MM)^-1 A_Mr (I - A_rr)^-1 A_rM; nan where undefined.

    It does not exist where |A_MM| is 1 or more, or the others keep growing from wave to wave by
    themselves: a lasting unit would grow for ever.
    """
    own = effects[..., _M, _M]
    _, step, _ = _steps(effects, within)
    defined = (np.abs(own) < 1.0) & (_largest(step) < 1.0)
    safe = np.where(defined[..., None, None], effects, 0.0)
    solved = np.linalg.solve(np.eye(len(_REST)) - _among(safe), _into(safe))
    found = (_back(safe) @ solved)[..., 0, 0] / (1.0 - safe[..., _M, _M])
    return np.where(defined, found, np.nan)


def chain_product(effects: Array) -> Array:
    """Return the product of the four links of the claimed chain, shape (...)."""
    links = [effects[..., VARIABLES.index(to), VARIABLES.index(origin)] for to, origin in CHAIN]
    return np.asarray(np.prod(links, axis=0))


def opened(effects: Array) -> Array:
    """Return the effects with the loop open: migration answers to nothing but itself."""
    out = effects.copy()
    out[..., _M, _REST] = 0.0
    return out


def responses(effects: Array, waves: int = HORIZON) -> Array:
    """Return the responses of all variables to one unit of migration, once.

    Returns
    -------
    array, shape (..., wave, variable)
        After 1, 2, … waves: the column of migration of the powers of the effects.
    """
    state = effects[..., :, [_M]]
    found = [state]
    for _ in itertools.repeat(None, waves - 1):
        state = effects @ state
        found.append(state)
    return np.moveaxis(np.concatenate(found, axis=-1), -1, -2)


def dominant_eigenvalue(effects: Array, within: Array | None = None) -> Array:
    """Return the largest modulus of an eigenvalue from wave to wave; 1 or more never settles."""
    if within is None:
        return _largest(effects)
    eye = np.eye(effects.shape[-1])
    return _largest(np.linalg.solve(eye - within, effects - within))


def loop_quantities(effects: Array, within: Array | None = None) -> dict[str, Array]:
    """Return every quantity of the loop by name, shape (...) each; see the functions above."""
    whole = gain(effects, within)
    found = {
        "gain": whole,
        "deepening": deepening(effects, within),
        "feedback": feedback(effects, within),
        "chain_product": chain_product(effects),
    }
    for to, origin in CHAIN:
        inside = None if within is None else cut(within, to, origin)
        without = gain(cut(effects, to, origin), inside)
        found[f"gain_without_{origin}_{to}"] = without
        found[f"closed_by_{origin}_{to}"] = whole - without
    found["eigenvalue"] = dominant_eigenvalue(effects, within)
    found["eigenvalue_open"] = dominant_eigenvalue(opened(effects), within)
    found["gain_long_run"] = gain_long_run(effects, within)
    return found


def regimes(deepened: Array, fed_back: Array, delta: float = DELTA) -> dict[str, NDArray[np.bool_]]:
    """Return for every regime which draws are in it; each draw is in exactly one.

    Parameters
    ----------
    deepened, fed_back : array, shape (...)
        What `deepening` and `feedback` return.
    delta : float
        What counts as none, in standard deviations.

    Returns
    -------
    dict
        "vicious": more migration deepens underdevelopment and that brings more migration;
        "virtuous": it lessens underdevelopment, and underdevelopment brings migration; "none".
    """
    returns = fed_back > delta
    vicious, virtuous = (deepened > delta) & returns, (deepened < -delta) & returns
    return {"vicious": vicious, "virtuous": virtuous, "none": ~(vicious | virtuous)}


def _among(effects: Array) -> Array:
    return effects[..., _REST, :][..., :, _REST]


def _into(effects: Array) -> Array:
    """Return A_rM as a column."""
    return effects[..., _REST, :][..., :, [_M]]


def _back(effects: Array) -> Array:
    """Return A_Mr as a row."""
    return effects[..., [_M], :][..., :, _REST]


def _steps(effects: Array, within: Array | None) -> tuple[Array, Array, Array]:
    """Return how the others settle in a wave, how they go on to the next, and direct effects.

    Migration comes first in a wave: nothing acts on it there.
    """
    rest = _among(effects)
    eye = np.broadcast_to(np.eye(len(_REST)), rest.shape)
    if within is None:
        return eye, rest, effects
    direct = effects - within
    settle = np.linalg.inv(eye - _among(within))
    return settle, settle @ _among(direct), direct


def _held(effects: Array, within: Array | None, horizon: int) -> Array:
    """Return the others, as a column, when migration has stood a unit higher for some waves."""
    settle, step, _ = _steps(effects, within)
    found = _power_sum(step, horizon) @ settle @ _into(effects)
    if within is None:
        return np.asarray(found)
    at_once = settle @ _into(within)
    return np.asarray(found + np.linalg.matrix_power(step, horizon) @ at_once)


def _power_sum(matrix: Array, count: int) -> Array:
    """Return the sum of the powers 0, …, count - 1."""
    eye = np.eye(matrix.shape[-1])
    total = np.broadcast_to(eye, matrix.shape)
    for _ in itertools.repeat(None, count - 1):
        total = eye + matrix @ total
    return total


def _largest(matrix: Array) -> Array:
    return np.asarray(np.abs(np.linalg.eigvals(matrix)).max(axis=-1))
