"""Which circle do the data prefer: forms of the model compared by what they say of data left out.

Two questions, each asked of the whole model and of reduced ones (`variants`):

- **states left out**: the model is fitted to the other states and judged by the log density of
  the measurements of the states left out, a fold of states at a time. The weights of stacking
  (Yao, Vehtari, Simpson and Gelman 2018, Bayesian Analysis 13: 917-1007) follow from these.
- **the last wave predicted**: the model is fitted without the last wave and judged by how far its
  mean prediction misses it. What happened to all alike in the last wave is not predicted by
  anything here: measurements are standardised within their wave.

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
from remitstats.estimands.circle_loop import CHAIN
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
    by_state = np.zeros((len(forms), states))
    misses = []
    steps = len(forms) * (folds + 2)
    with threadpool_limits(limits=1):
        for number, (name, form) in enumerate(forms.items()):
            done = number * (folds + 2)
            tell(f"circles compared: {name}", done / steps)
            near = laplace(CircleDensity(data, Priors(), form), available_cores())
            for k, part in enumerate(parts):
                tell(f"circles compared: {name}", (done + 1 + k) / steps)
                held = np.isin(data.nested.tree.group_of, part)
                shape = laplace(CircleDensity(data.take(~held), Priors(), form), near=near)
                x = _draws(shape, draws, seed)
                for state in part:
                    left = data.take(data.nested.tree.group_of == state)
                    by_state[number, state] = _log_density(CircleDensity(left, Priors(), form), x)
            tell(f"circles compared: {name}", (done + folds + 1) / steps)
            misses.append(_missed(data, form, near))
    tell("circles compared", 1.0)
    return Comparison(
        {
            "folds": folds,
            "draws": draws,
            "seed": seed,
            "municipalities": data.shape[0],
            "states": states,
            "priors": Priors().describe(),
            "forms": {name: form.describe() for name, form in forms.items()},
            "command": command,
        },
        _density_table(list(forms), by_state),
        _prediction_table(list(forms), np.stack(misses), data, seed),
    )


def stacking_weights(log_density: Array) -> Array:
    """Return the weights under which the mixture says most of what was left out.

    Parameters
    ----------
    log_density : array, shape (variant, part)
        Log density of every part left out.

    Returns
    -------
    array, shape (variant,)
        Not negative, sum 1.
    """
    shifted = log_density - log_density.max(axis=0)

    def objective(free: Array) -> float:
        log_weight = special.log_softmax(np.append(free, 0.0))
        return -float(special.logsumexp(shifted + log_weight[:, None], axis=0).sum())

    found = optimize.minimize(objective, np.zeros(len(log_density) - 1), method="L-BFGS-B")
    return np.asarray(special.softmax(np.append(found.x, 0.0)))


def _draws(shape: Laplace, count: int, seed: int) -> Array:
    z = np.random.default_rng(seed).standard_normal((count, len(shape.mode)))
    return np.asarray(shape.mode + z @ shape.root.T)


def _log_density(density: CircleDensity, x: Array) -> float:
    """Return the log of the mean density of the measurements over draws of the parameters."""
    values = [density.log_likelihood(each) for each in x]
    return float(special.logsumexp(values) - np.log(len(values)))


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


def _density_table(names: list[str], by_state: Array) -> pd.DataFrame:
    away = by_state - by_state[0]
    states = by_state.shape[1]
    return pd.DataFrame(
        {
            "variant": names,
            "elpd": by_state.sum(axis=1),
            "difference": away.sum(axis=1),
            "se": away.std(axis=1, ddof=1) * np.sqrt(states),
            "weight": stacking_weights(by_state),
        }
    )


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
