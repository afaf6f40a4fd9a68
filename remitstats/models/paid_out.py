r"""Paid out against lived: where money arrives, and where the households that get it live.

CE166 counts dollars where they are paid, the census counts receiving dwellings where they stand.
For municipality i with R_i receiving dwellings (form "gravity"):

    money of i's households   D_i = rate_block(i) R_i               dollars a year
    rate of a block           log-normal around its state's, and a state's around the typical one
    paid in j                 M_j = sum_i D_i exp(pull_ij) / sum_k exp(pull_ik)
    pull_ii                   home + a_i
    pull_ij                   a_j - distance_ij / reach     for neighbours j of i, and others near
    a_j                       size log(persons) + curve log(persons)^2 + town (share in towns)
                              + own_j,   own_j ~ Normal(0, own_sd persons^-own_slope)
    log dollars_j             Normal(log M_j, noise persons^-slope)
    R_i                       dwellings_i times logit^-1(share_i)
    receiving in the sample   Binomial(effective dwellings, share); share_i ~ Normal(state, spread)

Persons are counted from 20,000; blocks are up to a dozen neighbouring municipalities of a state.
Every dollar that a place draws leaves another: that nothing is lost is what tells a place's pull
(`own`) from a high rate of its households (the noise). An amount below `paid_out_data.FLOOR`
counts as "less than that". The noise holds what households of a place get more or less than the
block's, with all error. How large it is, is an input (`Noise`) in this form: totals tell it from
pull through neighbours alone, and chains do not settle it; `models/sensitivity_paid_out.py` shows
what other values do. Forms without a pull of one's own estimate it.

Other forms, to compare with: "size" has no own pull; "neighbours" has no allocation but log
dollars that depend on the receiving dwellings and persons of neighbours; "own" has neither, every
dollar is paid where its household lives (but places of some size may get more).

What it assumes: money is paid at home, in a neighbouring municipality or in one whose point lies
within `paid_out_data.WITHIN` kilometres, no further;
households of a block get the same on average wherever they live; the census misses receiving
dwellings everywhere alike (a block's rate takes up what it misses: dollars over dwellings that say
they receive are far above what a household gets). No flow between two municipalities has ever been
observed; shares paid outside are what the totals imply under this form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from remitstats.errors import unknown
from remitstats.models.paid_out_data import FLOOR, WITHIN, PaidData, prepare_data, share_scores
from remitstats.panel.panel import Panel
from remitstats.parts import partly_centred
from remitstats.parts.allocation import summed, totals_pymc
from remitstats.parts.priors import NormalPrior, ScalePrior
from remitstats.parts.sampling_error import SamplingDesign

NAME = "paid_out"
FORMS = ("gravity", "size", "neighbours", "own")
PARTLY_CENTRED = {
    f"{name}_unit": name for name in ("share_logit", "state_rate", "own_pull")
}  # what is sampled, and what it stands for
KEPT = 0.6  # of a place's pull about so much shows in its pay-outs; for the sampler alone
LEAST = 1e-290  # keeps the logarithm of a probability finite
BASE = 20_000.0  # persons that others are compared with
Array = NDArray[np.float64]
__all__ = ["FORMS", "NAME", "Priors", "build", "model_of", "prepare_data"]


@dataclass(frozen=True)
class Noise:
    """What pay-outs differ by for other reasons than pull, in form "gravity".

    Parameters
    ----------
    sd : float
        Standard deviation of log dollars in a municipality of 20,000 persons.
    slope : float
        How it falls with persons: sd persons^-slope.
    """

    sd: float = 0.6
    slope: float = 0.25

    def __post_init__(self) -> None:
        """Refuse what is no standard deviation."""
        if not 0.01 <= self.sd <= 10.0:
            raise ValueError(f"sd must lie between 0.01 and 10, found {self.sd:g}")
        if not -2.0 <= self.slope <= 2.0:
            raise ValueError(f"slope must lie between -2 and 2, found {self.slope:g}")

    def describe(self) -> dict[str, float]:
        """Return the noise as plain values, for provenance."""
        return asdict(self)


@dataclass(frozen=True)
class Priors:
    """Priors of the model of pay-outs, with their defaults; logarithms unless said otherwise.

    Parameters
    ----------
    rate : NormalPrior
        Dollars a year per receiving dwelling, of a typical state.
    rate_sd, block_sd : ScalePrior
        Of states around it, and of blocks around their state.
    size, curve : NormalPrior
        How pull grows with persons, and with their square.
    town : NormalPrior
        Pull of a municipality whose people all live in places of 5,000 persons or more, over that
        of one without such a place.
    home : NormalPrior
        What paying at home has over a neighbour at no distance.
    reach : NormalPrior
        Logarithm of the kilometres over which a neighbour's pull falls to 37%.
    own_sd : ScalePrior
        Of what else gives pull to a municipality of 20,000 persons.
    own_slope, noise_slope : NormalPrior
        How own pull and noise fall with persons.
    share : NormalPrior
        Logit of a state's share of receiving dwellings.
    share_sd : ScalePrior
        Of municipalities around their state.
    neighbour : NormalPrior
        Of form "neighbours": effect of receiving dwellings nearby over one's own, and of persons
        of the largest neighbour over one's own.
    """

    rate: NormalPrior = NormalPrior(mean=9.5, sd=1.0)
    rate_sd: ScalePrior = ScalePrior(upper=1.0, tail=0.05)
    block_sd: ScalePrior = ScalePrior(upper=1.0, tail=0.05)
    size: NormalPrior = NormalPrior(mean=1.0, sd=0.7)
    curve: NormalPrior = NormalPrior(mean=0.0, sd=0.3)
    town: NormalPrior = NormalPrior(mean=0.0, sd=1.0)
    home: NormalPrior = NormalPrior(mean=1.0, sd=1.5)
    reach: NormalPrior = NormalPrior(mean=3.0, sd=1.0)
    own_sd: ScalePrior = ScalePrior(upper=3.0, tail=0.05)
    own_slope: NormalPrior = NormalPrior(mean=0.0, sd=0.3)
    noise: ScalePrior = ScalePrior(upper=3.0, tail=0.05)
    noise_slope: NormalPrior = NormalPrior(mean=0.0, sd=0.3)
    share: NormalPrior = NormalPrior(mean=-3.0, sd=1.0)
    share_sd: ScalePrior = ScalePrior(upper=1.5, tail=0.05)
    neighbour: NormalPrior = NormalPrior(mean=0.0, sd=0.5)

    def describe(self) -> dict[str, Any]:
        """Return every prior as plain values, for provenance."""
        return {f.name: getattr(self, f.name).describe() for f in fields(self)}


def build(
    panel: Panel,
    priors: Priors | None = None,
    design: SamplingDesign | None = None,
    form: str = "gravity",
    noise: Noise | None = None,
    within: float = WITHIN,
) -> Any:
    """Return the model of pay-outs as a PyMC model.

    Parameters
    ----------
    panel : Panel
        See `paid_out_data.prepare_data`.
    priors : Priors, optional
        Defaults as `Priors` documents them.
    design : SamplingDesign, optional
        Assumed census sample.
    form : str
        One of `FORMS`.
    noise : Noise, optional
        Assumed in form "gravity"; the others estimate it.
    within : float
        Kilometres within which money may be paid without a common border.

    Returns
    -------
    pymc.Model
        Dims `municipality`, `state`. `share_logit` is the logit of the share of receiving
        dwellings, `own_pull` what gives a municipality pull beside its size (form "gravity").

    Raises
    ------
    PanelError
        If the panel lacks what is needed (see `prepare_data`).
    RemitstatsError
        If there is no such form.
    """
    return model_of(prepare_data(panel, design, within=within), priors, form, noise)


def model_of(
    data: PaidData,
    priors: Priors | None = None,
    form: str = "gravity",
    noise: Noise | None = None,
) -> Any:
    """Return the model of prepared data (see `build`)."""
    import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; only models need it
    import pytensor.tensor as pt  # noqa: PLC0415

    if form not in FORMS:
        raise unknown("form", form, FORMS)
    priors, noise = priors or Priors(), noise or Noise()
    shares, share_error = share_scores(data)
    with pm.Model(coords=data.coords) as model:
        state_share = pm.Normal("state_share", priors.share.mean, priors.share.sd, dims="state")
        spread = priors.share_sd.to_pymc("share_sd")
        told = np.maximum(share_error**-2 - 1.0, 0.0)
        logit = partly_centred.to_pymc(
            "share_logit", state_share[data.state_of], spread, told, shares, "municipality"
        )
        pm.Potential("census", pt.sum(data.receiving * logit - data.effective * pt.softplus(logit)))
        log_receiving = np.log(data.dwellings) - pt.softplus(-logit)
        if form == "gravity":
            scale = pt.as_tensor_variable(noise.sd * np.exp(-noise.slope * log_persons(data)))
        else:
            slope = priors.noise_slope.to_pymc("noise_slope")
            scale = priors.noise.to_pymc("noise") * pt.exp(-slope * log_persons(data))
        rate, rate_sd = priors.rate.to_pymc("rate"), priors.rate_sd.to_pymc("rate_sd")
        unit, block_sd = pm.Normal("block_unit", dims="block"), priors.block_sd.to_pymc("block_sd")
        municipalities, blocks, guess = rate_scores(data, shares, priors)
        noise_mean = pt.mean(scale**2)
        told = 1.0 / (block_sd**2 / blocks + noise_mean / municipalities)
        state_rate = partly_centred.to_pymc("state_rate", rate, rate_sd, told, guess, "state")
        local = state_rate[data.state_of] + block_sd * unit[data.block_of]
        amount = local + log_receiving
        center = _center(data, priors, form, amount, log_receiving, scale)
        pm.Potential("dollars", _normal(data, center, scale))
    model.data = data
    model.sampled = True
    model.lengths = {"draws": 3500, "tune": 600}
    model.coords_of_posterior = dict(data.coords)
    free = [v.name for v in model.free_RVs]
    dims = {
        **dict.fromkeys(("state_share", "state_rate"), ("state",)),
        "block_unit": ("block",),
        **dict.fromkeys(("share_logit", "own_pull"), ("municipality",)),
    }
    free = [PARTLY_CENTRED.get(name, name) for name in free]
    model.dims_of_posterior = {name: dims.get(name, ()) for name in free}
    model.specification = {
        "model": NAME,
        "priors": priors.describe(),
        "sampling_design": data.design.describe(),
        "form": form,
        "within": data.within,
        "noise": noise.describe() if form == "gravity" else None,
    }
    return model


def rate_scores(data: PaidData, shares: Array, priors: Priors) -> tuple[Array, Array, Array]:
    """Return municipalities and blocks of every state, and about its log rate.

    For the sampler alone: dollars over receiving dwellings as if all were paid at home.

    Parameters
    ----------
    data : PaidData
        The data.
    shares : array, shape (municipality,)
        Logits of the shares that receive.
    priors : Priors
        Gives the rate of a state without known dollars.
    """
    states = len(data.coords["state"])
    municipalities = np.bincount(data.state_of, minlength=states)
    pairs = np.unique(np.stack([data.state_of, data.block_of], axis=1), axis=0)
    blocks = np.bincount(pairs[:, 0], minlength=states)
    receiving = np.where(data.paid, data.dwellings * special.expit(shares), 0.0)
    dollars = np.where(data.paid, data.dollars, 0.0)
    over, under = (np.bincount(data.state_of, x, minlength=states) for x in (dollars, receiving))
    known = (over > 0) & (under > 0)
    guess = np.full(states, priors.rate.mean)
    guess[known] = np.log(over[known] / under[known])
    return np.maximum(municipalities, 1), np.maximum(blocks, 1), guess


def log_persons(data: PaidData) -> Array:
    """Return the logarithm of persons over `BASE`."""
    return np.asarray(np.log(data.population / BASE))


def log_rate(values: Mapping[str, Any], data: PaidData) -> Array:
    """Return the log dollars per receiving dwelling of every municipality, for draws.

    Parameters
    ----------
    values : mapping of str to array
        `state_rate` (draw, state), `block_unit` (draw, block), `block_sd` (draw,).
    data : PaidData
        The data.
    """
    of_block = np.asarray(values["block_sd"])[:, None] * values["block_unit"]
    return np.asarray(values["state_rate"][:, data.state_of] + of_block[:, data.block_of])


def noise_scale(values: Mapping[str, Any], data: PaidData) -> Array:
    """Return the standard deviation of the noise for draws, shape (draw, municipality)."""
    fall = values["noise_slope"][:, None] * log_persons(data)
    return np.asarray(values["noise"][:, None] * np.exp(-fall))


def own_scale(values: Mapping[str, Any], data: PaidData) -> Array:
    """Return the standard deviation of own pull for draws, shape (draw, municipality)."""
    fall = values["own_slope"][:, None] * log_persons(data)
    return np.asarray(values["own_sd"][:, None] * np.exp(-fall))


def pull_of(values: Mapping[str, Any], data: PaidData) -> Array:
    """Return the pull of every pair for draws of the parameters, shape (draw, pair).

    Parameters
    ----------
    values : mapping of str to array
        `size`, `curve`, `town`, `home`, `reach`, each (draw,); for form "gravity" also `own_pull`
        (draw, municipality).
    data : PaidData
        The data.
    """
    size, town = log_persons(data), data.town
    one = {k: np.asarray(v)[:, None] for k, v in values.items() if np.ndim(v) == 1}
    pull = one["size"] * size + one["curve"] * size**2 + one["town"] * town
    if "own_pull" in values:
        pull = pull + values["own_pull"]
    away = -data.distance[data.size :] * np.exp(-one["reach"])
    same = np.broadcast_to(one["home"], (len(pull), data.size))
    return np.asarray(pull[:, data.place] + np.concatenate([same, away], axis=1))


def _center(
    data: PaidData, priors: Priors, form: str, amount: Any, log_receiving: Any, scale: Any
) -> Any:
    """Add what places pull to the PyMC model in context; return the log of what is paid there."""
    import pytensor.tensor as pt  # noqa: PLC0415

    size, n = log_persons(data), data.size
    pull = priors.size.to_pymc("size") * size + priors.curve.to_pymc("curve") * size**2
    pull = pull + priors.town.to_pymc("town") * data.town
    if form == "own":
        return amount + pull
    if form == "neighbours":
        home, place = data.home[n:], data.place[n:]
        near = pt.inc_subtensor(pt.zeros(n)[home], pt.exp(log_receiving)[place])
        over = _largest_neighbour(data)
        by_near = priors.neighbour.to_pymc("neighbour_receiving")
        by_size = priors.neighbour.to_pymc("neighbour_persons")
        return amount + pull + by_near * (pt.log(near + 1.0) - log_receiving) + by_size * over
    if form == "gravity":
        sd = priors.own_sd.to_pymc("own_sd")
        prior = sd * pt.exp(-priors.own_slope.to_pymc("own_slope") * size)
        own = partly_centred.to_pymc(
            "own_pull", 0.0, prior, (KEPT / scale) ** 2, 0.0, "municipality"
        )
        pull = pull + own
    away = -data.distance[n:] * pt.exp(-priors.reach.to_pymc("reach"))
    cost = pt.concatenate([priors.home.to_pymc("home") * pt.ones(n), away])
    return totals_pymc(amount, pull[data.place] + cost, data.home, data.place, n)


def _largest_neighbour(data: PaidData) -> Array:
    """Return the log persons of every municipality's largest neighbour over its own; 0 alone."""
    size, n = log_persons(data), data.size
    largest = np.full(n, -np.inf)
    np.maximum.at(largest, data.home[n:], size[data.place[n:]])
    return np.where(np.isfinite(largest), largest - size, 0.0)


def center_without_flows(values: Mapping[str, Any], data: PaidData, form: str) -> Array:
    """Return the log of what is paid in every place, for draws of form "own" or "neighbours"."""
    size, n = log_persons(data), data.size
    one = {k: np.asarray(v)[:, None] for k, v in values.items() if np.ndim(v) == 1}
    receiving = np.log(data.dwellings) - np.logaddexp(0.0, -values["share_logit"])
    center = log_rate(values, data) + receiving
    center = center + one["size"] * size + one["curve"] * size**2 + one["town"] * data.town
    if form == "neighbours":
        near = summed(np.exp(receiving)[:, data.place[n:]], data.home[n:], n)
        center = center + one["neighbour_receiving"] * (np.log(near + 1.0) - receiving)
        center = center + one["neighbour_persons"] * _largest_neighbour(data)
    return np.asarray(center)


def _normal(data: PaidData, center: Any, scale: Any) -> Any:
    """Return the log density of known amounts and the log probability of those below the floor."""
    import pytensor.tensor as pt  # noqa: PLC0415

    paid, unpaid = np.flatnonzero(data.paid), np.flatnonzero(data.unpaid)
    z = (np.log(data.dollars[paid]) - center[paid]) / scale[paid]
    below = (np.log(FLOOR) - center[unpaid]) / scale[unpaid]
    known = pt.sum(-0.5 * z**2 - pt.log(scale[paid])) - 0.5 * len(paid) * np.log(2.0 * np.pi)
    return known + pt.sum(pt.log(0.5 * pt.erfc(-below / np.sqrt(2.0)) + LEAST))


def log_predictive(outcome: Array, center: Array, scale: Array) -> Array:
    """Return the log density of log amounts, or the log probability of one below the floor.

    Parameters
    ----------
    outcome : array, shape (municipality,)
        Dollars a year.
    center, scale : array, shape (..., municipality)
        Mean and standard deviation of their logarithm.
    """
    z = (np.log(np.maximum(outcome, FLOOR)) - center) / scale
    density = -0.5 * z**2 - np.log(scale) - 0.5 * np.log(2.0 * np.pi)
    return np.asarray(np.where(outcome >= FLOOR, density, special.log_ndtr(z)))
