"""R-hat and effective sample sizes of many quantities at once.

The rank-normalised split R-hat, bulk ESS and tail ESS of Vehtari, Gelman, Simpson, Carpenter and
Bürkner (2021), Bayesian Analysis 16: 667-718, with Geyer's initial monotone sequence (1992,
Statistical Science 7: 473-483). The numbers are those of `arviz_stats.rhat` and `arviz_stats.ess`,
against which the tests hold them. ArviZ takes one quantity after the other: the 24,921 of the
country (4 chains of 800 draws) take it 62 s of processor time, on one core at a time because it
holds Python's lock. Here it is 11 s of processor time, on all cores.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import fft, special

from remitstats.fitting.settings import available_cores

Array = NDArray[np.float64]

TAILS = (0.05, 0.95)  # tail ESS is the smaller one of these two quantiles
LEAST_DRAWS = 4  # of a chain: two halves of two
ROUNDING = 1e-12  # what a sum of two autocorrelations may be off by, generously
CHUNK = 2**15  # draws worked on together: arrays of 256 KB stay in a core's cache


def convergence(draws: NDArray[Any]) -> pd.DataFrame:
    """Return R-hat and ESS of many quantities.

    Parameters
    ----------
    draws : array, shape (chain, draw, quantity)
        Posterior draws, of any real type; whole numbers may be tied.

    Returns
    -------
    DataFrame
        One row a quantity: `r_hat`, `ess_bulk`, `ess_tail`, `finite` (whether every draw is) and
        `still_chains` (how many chains never move). The three numbers are nan where draws are not
        finite, never vary or are fewer than 4 a chain, and R-hat also with a single chain.
    """
    chains, length, quantities = draws.shape
    table = {
        "r_hat": np.full(quantities, np.nan),
        "ess_bulk": np.full(quantities, np.nan),
        "ess_tail": np.full(quantities, np.nan),
        "finite": np.ones(quantities, dtype=bool),
        "still_chains": np.zeros(quantities, dtype=int),
    }

    def judge(first: int) -> None:
        part = slice(first, first + width)
        rows = np.ascontiguousarray(np.moveaxis(draws[:, :, part], 2, 0), dtype=float)
        table["finite"][part] = np.isfinite(rows).all(axis=(1, 2))
        table["still_chains"][part] = (rows == rows[:, :, :1]).all(axis=2).sum(axis=1)
        moves = (rows != rows[:, :1, :1]).any(axis=(1, 2))
        judged = np.flatnonzero(table["finite"][part] & moves)
        if length >= LEAST_DRAWS and len(judged):
            numbers = _numbers(rows if len(judged) == len(rows) else rows[judged])
            for name, number in zip(("r_hat", "ess_bulk", "ess_tail"), numbers, strict=True):
                table[name][first + judged] = number

    width = max(1, CHUNK // max(1, chains * length))
    with ThreadPoolExecutor(max_workers=available_cores()) as pool:
        list(pool.map(judge, range(0, quantities, width)))
    return pd.DataFrame(table)


def convergence_of(
    arrays: Mapping[str, xr.DataArray], progress: Callable[[float], None] | None = None
) -> pd.DataFrame:
    """Return R-hat and ESS of every element of named arrays with dims chain and draw.

    Parameters
    ----------
    arrays : mapping of str to DataArray
        Draws; dims chain and draw, and any others.
    progress : callable, optional
        Called with a fraction between 0 and 1.

    Returns
    -------
    DataFrame
        Column `quantity` (name and coordinates), then those of `convergence`. Left out are whole
        numbers that never vary (a rank that is certain is a finding, not a stuck chain) and what
        is not defined in a single draw (such as a group without data in a wave).
    """
    nothing = convergence(np.empty((0, 0, 0)))
    nothing.insert(0, "quantity", "")
    tables = [nothing]
    total = sum(array.size for array in arrays.values())
    done = 0
    for name, array in arrays.items():
        stacked = array.transpose("chain", "draw", ...)
        dims = stacked.dims[2:]
        values = stacked.to_numpy().reshape(*stacked.shape[:2], -1)
        labels = [str(name)]
        if dims:
            index = pd.MultiIndex.from_product([stacked[d].to_numpy() for d in dims])
            labels = [f"{name}[{', '.join(map(str, item))}]" for item in index]
        table = convergence(values)
        table.insert(0, "quantity", labels)
        if np.issubdtype(values.dtype, np.integer):
            table = table.dropna(subset="ess_bulk").assign(still_chains=0)
        else:
            table = table[~np.isnan(values).all(axis=(0, 1))]
        tables.append(table)
        done += array.size
        if progress:
            progress(done / total)
    return pd.concat(tables, ignore_index=True)


def _numbers(rows: Array) -> tuple[Array, Array, Array]:
    """Return R-hat, bulk and tail ESS of draws of shape (quantity, chain, draw) that vary."""
    quantities, chains, length = rows.shape
    half = length // 2
    values = rows.reshape(quantities, -1)
    if length % 2:  # the middle draw of an odd number belongs to neither half
        everything = np.sort(values, axis=1)
        values = np.concatenate([rows[:, :, :half], rows[:, :, -half:]], axis=2)
        values = values.reshape(quantities, -1)
    shape = (quantities, 2 * chains, half)
    # places are counted through all quantities, so that they index the flat array
    order = np.argsort(values, axis=1)
    order += values.shape[1] * np.arange(quantities)[:, None]
    ordered = values.ravel()[order]
    scores = _normal_scores(ordered, order).reshape(shape)
    if chains > 1:
        folded = _normal_scores(*_folded(ordered, order)).reshape(shape)
        # folded draws may all be alike, as those of a coin: then they have no R-hat
        r_hat = np.fmax(_r_hat(scores), _r_hat(folded))
    else:
        r_hat = np.full(quantities, np.nan)
    bulk, doubtful = _ess(scores)
    tail = np.full(quantities, np.inf)
    for probability in TAILS:
        quantile = _quantile(everything if length % 2 else ordered, probability)
        size, doubt = _ess((values <= quantile).astype(float).reshape(shape))
        tail, doubtful = np.minimum(tail, size), doubtful | doubt
    if doubtful.any():
        bulk[doubtful], tail[doubtful] = _ess_of_arviz(rows[doubtful])
    return r_hat, bulk, tail


def _ess_of_arviz(rows: Array) -> tuple[Array, Array]:
    """Return bulk and tail ESS as ArviZ finds them, for draws of shape (quantity, chain, draw)."""
    from arviz_stats.base import array_stats  # noqa: PLC0415 - a second to import, seldom needed

    with np.errstate(divide="ignore", invalid="ignore"):
        bulk = array_stats.ess(rows, method="bulk")
        return bulk, array_stats.ess(rows, method="tail", prob=TAILS)


def _quantile(ordered: Array, probability: float) -> Array:
    """Return a quantile of each row, interpolated as `numpy.quantile` does, shape (quantity, 1)."""
    place = (ordered.shape[1] - 1) * probability
    low = int(place)
    below, above = ordered[:, low : low + 1], ordered[:, low + 1 : low + 2]
    return np.asarray(below + (above - below) * (place - low))


def _folded(ordered: Array, order: NDArray[np.intp]) -> tuple[Array, NDArray[np.intp]]:
    """Return distances from the median in ascending order, and where each belongs."""
    quantities, size = ordered.shape
    middle = size // 2
    median = ordered[:, middle - 1 : middle + 1].mean(axis=1, keepdims=True)
    distance, place = np.empty_like(ordered), np.empty_like(order)
    below, above = slice(middle - 1, None, -1), slice(middle, None)
    np.subtract(median, ordered[:, below], out=distance[:, :middle])
    np.subtract(ordered[:, above], median, out=distance[:, middle:])
    place[:, :middle], place[:, middle:] = order[:, below], order[:, above]
    # two runs in order: the stable sort only merges them
    merged = np.argsort(distance, axis=1, kind="stable")
    merged += size * np.arange(quantities)[:, None]
    return distance.ravel()[merged], place.ravel()[merged]


def _normal_scores(ordered: Array, order: NDArray[np.intp]) -> Array:
    """Return the normal quantile of every value's rank; ties share the average of their ranks.

    Parameters
    ----------
    ordered : array, shape (quantity, value)
        Values in ascending order.
    order : array, shape (quantity, value)
        Where each of them belongs in the result, in places of the flat array.
    """
    size = ordered.shape[1]
    table = _score_table(size)
    scores = np.empty(ordered.shape)
    scores.ravel()[order] = table[::2]
    new = np.ones(ordered.shape, dtype=bool)  # where a value is not tied to the one before
    np.greater(ordered[:, 1:], ordered[:, :-1], out=new[:, 1:])
    tied = np.flatnonzero(~new.all(axis=1))
    if len(tied):
        first = np.flatnonzero(new[tied])
        next_first = np.append(first[1:], len(tied) * size)
        doubled = first + next_first - 1 - 2 * size * (first // size)
        scores.ravel()[order[tied]] = np.repeat(table[doubled], next_first - first).reshape(
            len(tied), size
        )
    return scores


@functools.lru_cache(maxsize=8)
def _score_table(size: int) -> Array:
    """Return the normal quantiles of ranks 1, 1.5, 2, … `size` (Blom's offset of 3/8)."""
    rank = 1 + np.arange(2 * size - 1) / 2
    return np.asarray(special.ndtri((rank - 3 / 8) / (size + 1 / 4)))


def _r_hat(split: Array) -> Array:
    """Return R-hat of (quantity, half chain, draw); nan or infinite if no half chain varies."""
    length = split.shape[2]
    mean = split.mean(axis=2)
    away = split - mean[:, :, None]
    between = length * mean.var(axis=1, ddof=1)
    within = np.einsum("qcd,qcd->qc", away, away).mean(axis=1) / (length - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.sqrt((between / within + length - 1) / length))


def _ess(split: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return the effective sample size for the mean of (quantity, half chain, draw).

    Also returned is where it hangs on the last digits: autocorrelations of tied draws may add up
    to exactly nought, which is where Geyer's sequence ends, or does not.
    """
    quantities, chains, length = split.shape
    size = chains * length
    mean = split.mean(axis=2)
    padded = fft.next_fast_len(2 * length, real=True)
    wave = fft.rfft(split - mean[:, :, None], padded, axis=2)
    # the transform back is linear: chains are summed before it
    power = sum(np.einsum("qcf,qcf->qf", part, part) for part in (wave.real, wave.imag))
    covariance = fft.irfft(power, padded, axis=1)[:, :length] / size
    within = covariance[:, :1] * length / (length - 1)
    variance = covariance[:, :1] + mean.var(axis=1, ddof=1)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = 1.0 - (within - covariance) / variance
    rho[:, 0] = 1.0
    # Geyer: lags in pairs, up to the first pair without a positive sum; sums never rise
    last = max((length - 1) // 2 - 1, 0)  # pair beyond which lags are too few to judge
    pairs = rho[:, 0 : 2 * last + 2 : 2] + rho[:, 1 : 2 * last + 2 : 2]
    ends = ~(pairs[:, :last] > 0)
    kept = np.where(ends.any(axis=1), ends.argmax(axis=1) if last else 0, last)
    pair = np.arange(last + 1)
    counted = np.where(pair < kept[:, None], np.minimum.accumulate(pairs, axis=1), 0)
    row = np.arange(quantities)
    beyond = rho[row, 2 * kept]
    beyond = np.where((beyond > 0) | (pairs[row, kept] >= 0), beyond, 0.0)
    tau = np.maximum(2.0 * counted.sum(axis=1) - 1.0 + beyond, 1.0 / np.log10(size))
    alike = (split == split[:, :1, :1]).all(axis=(1, 2))  # as are all below a tied 95% quantile
    doubtful = ((np.abs(pairs) < ROUNDING) & (pair <= kept[:, None])).any(axis=1)
    return np.where(alike, float(size), size / tau), doubtful & ~alike
