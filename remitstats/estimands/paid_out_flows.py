"""Flows between homes and places, and what they leave where, for draws of the model of pay-outs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import special, stats

from remitstats.models.paid_out import log_rate, pull_of
from remitstats.models.paid_out_data import FLOOR, PaidData
from remitstats.parts.allocation import shares, summed

Array = NDArray[np.float64]
BATCH = 200  # draws worked on together
PARTS = ("sampling", "places", "rates", "rest")


@dataclass(frozen=True, eq=False)
class Flows:
    """Draws of what the model says of money between municipalities.

    Parameters
    ----------
    raw, corrected, inflow, outside, from_outside : array, shape (draw, municipality)
        See `PaidOutResults`.
    receiving : array, shape (draw, municipality)
        Receiving dwellings.
    lived : array, shape (draw, municipality)
        Dollars a year of a municipality's own households; their sum is what was paid out.
    outside_nation : array, shape (draw,)
        Per cent of all money paid outside the municipality its household lives in.
    parts : mapping of str to array, shape (draw,)
        Per cent of the variance of log published dollars per published receiving dwelling.
    correlations : mapping of str to array, shape (draw,)
        Rank correlations (see `PaidOutResults`).
    """

    raw: Array
    corrected: Array
    inflow: Array
    outside: Array
    from_outside: Array
    receiving: Array
    lived: Array
    outside_nation: Array
    parts: Mapping[str, Array] = field(default_factory=dict)
    correlations: Mapping[str, Array] = field(default_factory=dict)


def parameters(fit: xr.DataTree) -> dict[str, Array]:
    """Return the parameters of a fit, chains after each other, each (draw, *shape).

    Noise that was assumed and not estimated is among them, the same in every draw.
    """
    found: dict[str, Array] = {}
    for name, array in fit["posterior"].data_vars.items():
        values = array.transpose("chain", "draw", ...).to_numpy().astype(float)
        found[str(name)] = values.reshape(-1, *values.shape[2:])
    assumed = json.loads(fit["provenance"].attrs["specification"])["noise"]
    if assumed is not None:
        found["noise"] = np.full(len(found["rate"]), assumed["sd"])
        found["noise_slope"] = np.full(len(found["rate"]), assumed["slope"])
    return found


def flows_of(values: Mapping[str, Array], data: PaidData) -> Flows:
    """Return the flows of every draw.

    Parameters
    ----------
    values : mapping of str to array
        As `parameters` returns them, of form "gravity" or "size".
    data : PaidData
        The data of the fit, nothing held out.
    """
    count = len(values["rate"])
    found = [
        _batch({k: v[i : i + BATCH] for k, v in values.items()}, data)
        for i in range(0, count, BATCH)
    ]

    def whole(name: str) -> Array:
        return np.concatenate([part[name] for part in found])

    return Flows(
        **{n: whole(n) for n in ("raw", "corrected", "inflow", "outside", "from_outside")},
        **{n: whole(n) for n in ("receiving", "lived", "outside_nation")},
        parts={n: whole(f"part {n}") for n in PARTS},
        correlations={n: whole(f"correlation {n}") for n in ("sampled", "lived")},
    )


def expected(values: Mapping[str, Array], data: PaidData) -> dict[str, Array]:
    """Return receiving dwellings, amounts of homes, shares of pairs and what places get.

    Parameters
    ----------
    values : mapping of str to array
        Draws of the parameters.
    data : PaidData
        The data.
    """
    receiving = data.dwellings * special.expit(values["share_logit"])
    amount = np.exp(log_rate(values, data)) * receiving
    share = shares(pull_of(values, data), data.home, data.size)
    paid = summed(amount[:, data.home] * share, data.place, data.size)
    return {"receiving": receiving, "amount": amount, "share": share, "paid": paid}


def _batch(values: Mapping[str, Array], data: PaidData) -> dict[str, Array]:
    made = expected(values, data)
    receiving, amount, share, paid = (made[k] for k in ("receiving", "amount", "share", "paid"))
    # what a place paid more or less than expected is shared by all it serves
    factor = data.dollars / paid
    lived = amount * summed(share * factor[:, data.place], data.home, data.size)
    at_home = share[:, : data.size]  # the first pairs are municipalities with themselves
    from_outside = 1.0 - amount * at_home / paid
    single: dict[str, Any] = {
        "raw": data.dollars / receiving,
        "corrected": lived / receiving,
        "inflow": paid / amount,
        "outside": 100.0 * (1.0 - at_home),
        "from_outside": 100.0 * from_outside,
        "receiving": receiving,
        "lived": lived,
    }
    out = {name: value.astype(np.float32) for name, value in single.items()}
    out["outside_nation"] = 100.0 * (from_outside @ data.dollars) / data.dollars.sum()
    out |= _parts(made, values, data)
    per_dwelling = data.dollars / data.dwellings
    out["correlation sampled"] = _rank_correlation(
        np.broadcast_to(per_dwelling, receiving.shape), receiving / data.dwellings
    )
    out["correlation lived"] = _rank_correlation(lived / data.dwellings, receiving / data.dwellings)
    return out


def _parts(
    made: Mapping[str, Array], values: Mapping[str, Array], data: PaidData
) -> dict[str, Array]:
    """Return the parts' covariance with the whole over the whole's variance, per cent."""
    known = (data.dollars >= FLOOR) & (data.percent > 0)
    published = data.dwellings[known] * data.percent[known] / 100.0
    whole = np.log(data.dollars[known] / published)
    rate = log_rate(values, data)[:, known]
    receiving, paid = made["receiving"][:, known], made["paid"][:, known]
    parts = {
        "sampling": np.log(receiving / published),
        "places": np.log(paid / made["amount"][:, known]),
        "rates": rate,
        "rest": np.log(data.dollars[known] / paid),
    }
    away = whole - whole.mean()
    square = float(away @ away)
    return {f"part {name}": 100.0 * (value @ away) / square for name, value in parts.items()}


def _rank_correlation(a: Array, b: Array) -> Array:
    a, b = (stats.rankdata(x, axis=1) for x in (a, b))
    a, b = (x - x.mean(axis=1, keepdims=True) for x in (a, b))
    return np.asarray((a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1)))
