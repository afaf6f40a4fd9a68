"""Which circle do the data prefer: forms of the model compared by what they say of data left out.

Two questions, each asked of the whole model and of reduced ones (`variants`):

- **states left out**: the model is fitted to the other states and judged by the log density of
  the measurements of the states left out, a fold of states at a time. The weights of stacking
  (Yao, Vehtari, Simpson and Gelman 2018, Bayesian Analysis 13: 917-1007) follow from these, and
  their intervals from states drawn again with replacement. A circle held to the signs of one kind
  (`SIGNS`) is the whole one with its prior cut to these signs: its posterior is that of the whole
  circle's draws that have them (Klugkist and Hoijtink 2007, Computational Statistics and Data
  Analysis 51: 6367-6379).
- **the last wave predicted**: the model is fitted without the last wave and judged by how far its
  mean prediction misses it. What happened to all alike in the last wave is not predicted by
  anything here: measurements are standardised within their wave.

Beside the folds stands leaving out a state by importance sampling (PSIS; Vehtari, Simpson, Gelman,
Yao and Gabry 2024, Journal of Machine Learning Research 25(72)): states are independent given the
parameters, municipalities of a state are not, so that a state is the smallest part whose density
is a factor. Where k-hat is above its limit the folds count and the sampling does not.

Every fit is the normal approximation at its mode, from which the chains of a whole fit start: the
folds of all variants are some eighty fits. A better prediction is no proof of an effect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, special
from threadpoolctl import threadpool_limits

from remitstats.claims.circle_comparison import Comparison
from remitstats.errors import RemitstatsError
from remitstats.estimands.circle_contribution import panel_arguments
from remitstats.estimands.circle_loop import CHAIN, deepening, feedback, regimes
from remitstats.fitting.collapsed import Laplace, laplace
from remitstats.fitting.settings import available_cores
from remitstats.models.circle_data import CircleData
from remitstats.models.circle_density import CircleDensity
from remitstats.models.circle_form import Form, Priors, noise_of
from remitstats.models.circle_measures import VARIABLES
from remitstats.parts.panel_states import expected_states

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]

WHOLE, NO_LOOP, NO_LINKS = "all links", "no loop", "no links between variables"
FOLDS = 8
DRAWS = 300
SIGNS = {"vicious signs only": "vicious", "virtuous signs only": "virtuous"}
LEAST_DRAWS = 30  # of every fold, below which a circle held to its signs is not judged
RESAMPLES = 500
ENDS = (0.05, 0.95)


def variants() -> dict[str, Form]:
    """Return the forms that are compared, by name: the whole circle and what can be cut from it."""
    cross = [(to, origin) for to in VARIABLES for origin in VARIABLES if to != origin]
    back = tuple(pair for pair in cross if pair[0] == "migration")
    return {
        WHOLE: Form(),
        NO_LOOP: Form(removed=back),
        NO_LINKS: Form(removed=tuple(cross)),
        **{f"no {origin} → {to}": Form(removed=((to, origin),)) for to, origin in CHAIN},
        "links alike in all decades": Form(by_interval=False),
        "no lasting differences": Form(own_level=False),
    }


def folds_of(data: CircleData, count: int, seed: int) -> list[NDArray[np.int64]]:
    """Return the states of every fold, drawn at random, all of nearly the same number."""
    states = np.random.default_rng(seed).permutation(len(data.coords["state"]))
    return [np.sort(part).astype(np.int64) for part in np.array_split(states, count)]


def compare(
    data: CircleData,
    *,
    chosen: Mapping[str, Form] | None = None,
    folds: int = FOLDS,
    draws: int = DRAWS,
    seed: int = 1,
    command: str = "",
    progress: Progress | None = None,
) -> Comparison:
    """Compare forms of the circle by what they say of states and of a wave they have not seen.

    Parameters
    ----------
    data : CircleData
        The measurements.
    chosen : mapping of str to Form, optional
        The forms, the first being the one the others are set against; by default `variants`.
        Forms in which links differ between regions or states can't say anything of a state that
        was left out, and are refused.
    folds : int
        Parts into which the states are divided.
    draws : int
        Draws of every approximate posterior.
    seed : int
        Of folds and draws.
    command : str
        What to run to get this again.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.

    Raises
    ------
    RemitstatsError
        If there are fewer states than folds, fewer than two waves, or a form has links by place.
    """
    forms = dict(variants() if chosen is None else chosen)
    states = len(data.coords["state"])
    if not 2 <= folds <= states:
        raise RemitstatsError(
            f"The number of folds must lie between 2 and that of states, {states}; found {folds}."
        )
    for name, form in forms.items():
        if form.by_region or form.by_state:
            raise RemitstatsError(
                f"'{name}' has links by region or state, which say nothing of a state left out: "
                "compare forms without them."
            )
    tell = progress or (lambda _description, _fraction: None)
    parts = folds_of(data, folds, seed)
    by_state = {name: np.zeros(states) for name in forms}
    signed = {name: np.zeros(states) for name in SIGNS} if next(iter(forms), "") == WHOLE else {}
    sampled, misses, fewest = {}, [], dict.fromkeys(signed, draws)
    steps = len(forms) * (folds + 2)
    with threadpool_limits(limits=1):
        for number, (name, form) in enumerate(forms.items()):
            done = number * (folds + 2)
            tell(f"circles compared: {name}", done / steps)
            near = laplace(CircleDensity(data, Priors(), form), available_cores())
            every = np.arange(states)
            sampled[name] = _left_out_by_sampling(
                _log_likelihoods(data, form, every, _draws(near, draws, seed))
            )
            for k, part in enumerate(parts):
                tell(f"circles compared: {name}", (done + 1 + k) / steps)
                density = CircleDensity(
                    data.take(~np.isin(data.nested.tree.group_of, part)), Priors(), form
                )
                x = _draws(laplace(density, near=near), draws, seed)
                values = _log_likelihoods(data, form, part, x)
                by_state[name][part] = _log_mean(values)
                for each in signed if name == WHOLE else ():
                    kept = _has_signs(density, x, SIGNS[each])
                    fewest[each] = min(fewest[each], int(kept.sum()))
                    if kept.any():
                        signed[each][part] = _log_mean(values[kept])
            tell(f"circles compared: {name}", (done + folds + 1) / steps)
            misses.append(_missed(data, form, near))
    tell("circles compared", 1.0)
    by_state |= {name: found for name, found in signed.items() if fewest[name] >= LEAST_DRAWS}
    return Comparison(
        {
            "folds": folds,
            "draws": draws,
            "seed": seed,
            "resamples": RESAMPLES,
            "municipalities": data.shape[0],
            "states": states,
            "priors": Priors().describe(),
            "forms": {name: form.describe() for name, form in forms.items()},
            "draws_of_signs": fewest,
            "least_draws": LEAST_DRAWS,
            "k_hat_limit": k_hat_limit(draws),
            "command": command,
        },
        density_table(by_state, sampled, k_hat_limit(draws), seed),
        _prediction_table(list(forms), np.stack(misses), data, seed),
        _state_table(by_state, sampled, data),
    )


def k_hat_limit(draws: int) -> float:
    """Return the k-hat above which importance sampling from so many draws is not to be trusted."""
    return float(min(1.0 - 1.0 / np.log10(draws), 0.7))


def stacking_weights(log_density: Array, times: Array | None = None) -> Array:
    """Return the weights under which the mixture says most of what was left out.

    Parameters
    ----------
    log_density : array, shape (variant, part)
        Log density of every part left out.
    times : array, shape (part,), optional
        How often each part counts; by default once.

    Returns
    -------
    array, shape (variant,)
        Not negative, sum 1.
    """
    shifted = log_density - log_density.max(axis=0)
    count = np.ones(log_density.shape[1]) if times is None else np.asarray(times, dtype=float)

    def objective(free: Array) -> tuple[float, Array]:
        log_weight = special.log_softmax(np.append(free, 0.0))
        joint = shifted + log_weight[:, None]
        mixed = special.logsumexp(joint, axis=0)
        slope = np.exp(joint - mixed) @ count - np.exp(log_weight) * count.sum()
        return -float(mixed @ count), -slope[:-1]

    start = np.zeros(len(log_density) - 1)
    found = optimize.minimize(objective, start, jac=True, method="L-BFGS-B")
    return np.asarray(special.softmax(np.append(found.x, 0.0)))


def _draws(shape: Laplace, count: int, seed: int) -> Array:
    z = np.random.default_rng(seed).standard_normal((count, len(shape.mode)))
    return np.asarray(shape.mode + z @ shape.root.T)


def _log_likelihoods(data: CircleData, form: Form, states: NDArray[np.int64], x: Array) -> Array:
    """Return the log density of the measurements of states, shape (draw, state)."""
    group = data.nested.tree.group_of
    parts = [CircleDensity(data.take(group == state), Priors(), form) for state in states]
    return np.array([[part.log_likelihood(each) for part in parts] for each in x])


def _log_mean(values: Array) -> Array:
    """Return the logarithm of the mean over draws, the first dim, of what `values` are logs of."""
    return np.asarray(special.logsumexp(values, axis=0) - np.log(len(values)))


def _has_signs(density: CircleDensity, x: Array, kind: str) -> NDArray[np.bool_]:
    """Return which draws have a loop of a kind: the signs of its halves, whatever their size."""
    links = density.links(x).mean(axis=(1, 2))
    return np.asarray(regimes(deepening(links), feedback(links), 0.0)[kind])


def _left_out_by_sampling(values: Array) -> tuple[Array, Array]:
    """Return log density of every state left out, by importance sampling, and its k-hat."""
    from arviz_stats.base import array_stats  # noqa: PLC0415 - a second to import

    log_weight, k_hat = array_stats.psislw(-values, axis=0)
    return special.logsumexp(np.asarray(log_weight) + values.T, axis=1), np.asarray(k_hat)


def _missed(data: CircleData, form: Form, near: Laplace) -> Array:
    """Return how far the last wave lies from what was expected of it, shape (unit, variable)."""
    hidden = data.observed.copy()
    hidden[:, -1] = np.nan
    before = data.with_observed(hidden, data.earlier)
    density = CircleDensity(before, Priors(), form)
    shape = laplace(density, available_cores(), near=near)
    found = density.constrain(shape.mode)
    arguments = panel_arguments({name: np.asarray(value) for name, value in found.items()})
    _, expected = expected_states(
        before.nested, noise_of(before), before.nested.filled, **arguments
    )
    units, waves, count = data.shape
    mean = expected[:, : waves * count].reshape(units, waves, count)[:, -1]
    return np.asarray(data.observed[:, -1] - mean)


def density_table(
    by_state: Mapping[str, Array],
    sampled: Mapping[str, tuple[Array, Array]],
    limit: float,
    seed: int,
    resamples: int = RESAMPLES,
) -> pd.DataFrame:
    """Return what was said of left-out states in all, with weights and their intervals.

    Parameters
    ----------
    by_state : mapping of str to array, shape (state,)
        Log density of every state left out by variant; the first is what the others are set
        against.
    sampled : mapping of str to (array, array)
        The same by importance sampling, and k-hat; of variants that lack it nothing is given.
    limit : float
        Highest k-hat that is trusted.
    seed, resamples : int
        Of the states drawn again with replacement.

    Returns
    -------
    DataFrame
        See `claims.circle_comparison.Comparison`.
    """
    value = np.stack(list(by_state.values()))
    away = value - value[0]
    states = value.shape[1]
    rng = np.random.default_rng(seed)
    taken = rng.multinomial(states, np.full(states, 1.0 / states), size=resamples)
    again = np.stack([stacking_weights(value, times) for times in taken])
    lower, upper = np.quantile(again, ENDS, axis=0)
    best = np.argmax(taken @ value.T, axis=1)
    nothing = np.full(states, np.nan), np.full(states, np.nan)
    loo, k_hat = zip(*(sampled.get(name, nothing) for name in by_state), strict=True)
    above = [np.nan if np.isnan(k).all() else float((k > limit).sum()) for k in k_hat]
    return pd.DataFrame(
        {
            "variant": list(by_state),
            "elpd": value.sum(axis=1),
            "difference": away.sum(axis=1),
            "se": away.std(axis=1, ddof=1) * np.sqrt(states),
            "weight": stacking_weights(value),
            "weight_eti90_lower": lower,
            "weight_eti90_upper": upper,
            "best_share": np.bincount(best, minlength=len(value)) / resamples,
            "psis_elpd": [float(each.sum()) for each in loo],
            "psis_states_above": above,
        }
    )


def _state_table(
    by_state: Mapping[str, Array], sampled: Mapping[str, tuple[Array, Array]], data: CircleData
) -> pd.DataFrame:
    codes = [str(code) for code in data.coords["state"]]
    nothing = np.full(len(codes), np.nan)
    rows = []
    for name, values in by_state.items():
        loo, k_hat = sampled.get(name, (nothing, nothing))
        columns = {"state": codes, "elpd": values, "psis_elpd": loo, "k_hat": k_hat}
        rows.append(pd.DataFrame(columns).assign(variant=name))
    return pd.concat(rows, ignore_index=True)


def _prediction_table(
    names: list[str], misses: Array, data: CircleData, seed: int, samples: int = 1000
) -> pd.DataFrame:
    group, states = data.nested.tree.group_of, len(data.coords["state"])
    known = np.isfinite(misses).all(axis=0)
    squares = np.where(known, misses, 0.0) ** 2
    by_state = np.stack([squares[:, group == s].sum(axis=1) for s in range(states)])
    count = np.stack([known[group == s].sum(axis=0) for s in range(states)])
    rng = np.random.default_rng(seed)
    taken = rng.multinomial(states, np.full(states, 1.0 / states), size=samples)
    error = np.sqrt(by_state.sum(axis=0) / count.sum(axis=0))
    again = np.sqrt(
        np.einsum("ns,svk->nvk", taken, by_state) / np.einsum("ns,sk->nk", taken, count)[:, None]
    )
    lower, upper = np.quantile(again / again[:, :1], (0.05, 0.95), axis=0)
    rows = [
        {
            "variant": name,
            "variable": variable,
            "error": error[v, k],
            "ratio": error[v, k] / error[0, k],
            "eti90_lower": lower[v, k],
            "eti90_upper": upper[v, k],
        }
        for v, name in enumerate(names)
        for k, variable in enumerate(VARIABLES)
    ]
    return pd.DataFrame(rows)
