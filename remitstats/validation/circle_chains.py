"""The normal approximation of the circle's study, held against Markov chains on the same panel."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from remitstats.fitting.collapsed import WhitenedChain, laplace, reshaped
from remitstats.fitting.convergence import convergence
from remitstats.models.circle_measures import VARIABLES
from remitstats.validation.circle import Case, Trial, regime_chances

Array = NDArray[np.float64]


def against_chains(
    trial: Trial, case: Case, *, draws: int = 400, tune: int = 200, chains: int = 4
) -> tuple[pd.DataFrame, dict[str, dict[str, float]]]:
    """Fit one simulated panel in both ways.

    Parameters
    ----------
    trial : Trial
        A study with its country.
    case : Case
        Which panel.
    draws, tune, chains : int
        Kept and discarded moves of every chain, and chains.

    Returns
    -------
    DataFrame
        One row a national link, mean of the intervals: to, from, mean and sd of the chains and of
        the approximation, r_hat of the chains.
    dict
        Probability of every claim by reading, from the chains (`Record.chance` has those of the
        approximation).
    """
    density = trial.density(case)
    seeds = np.random.SeedSequence((case.seed(trial.study), 2)).spawn(chains)
    with threadpool_limits(limits=1):
        shape = laplace(density)
        started = [WhitenedChain(density, shape, seed) for seed in seeds]
        visited = np.concatenate([chain.tune(tune, _nothing)[tune // 4 :] for chain in started])
        better = reshaped(shape, visited)
        found = []
        for chain in started:
            chain.take(better)
            chain.tune(tune // 4, _nothing)
            found.append(chain.draw(draws, _nothing)[0])
    x = np.stack(found)
    weight = trial.weight()
    nation = np.einsum("s,cdsiab->cdiab", weight, density.links(x))
    record = trial.run(case)
    links = nation.mean(axis=2)
    r_hat = convergence(links.reshape(chains, draws, -1))["r_hat"].to_numpy()
    rows = [
        {"to": to, "from": origin, "mean": links[..., i, j].mean(), "sd": links[..., i, j].std()}
        for (i, to), (j, origin) in itertools.product(enumerate(VARIABLES), repeat=2)
    ]
    table = pd.DataFrame(rows).assign(
        approximate_mean=record.mean, approximate_sd=record.sd, r_hat=r_hat
    )
    innovation = density.innovations(x.reshape(-1, x.shape[-1]))
    chance = regime_chances(nation.reshape(-1, *nation.shape[2:]), innovation)
    return table, chance


def apart(
    trial: Trial, case: Case, table: pd.DataFrame, chance: dict[str, dict[str, float]]
) -> dict[str, float]:
    """Return how far the approximation of a panel lies from its chains.

    Parameters
    ----------
    trial : Trial
        A study with its country.
    case : Case
        Which panel.
    table, chance
        What `against_chains` returned for it.

    Returns
    -------
    dict
        r_hat, the largest; mean_away and most_away, mean and largest distance between the
        means of a link, in standard deviations of the chains; sd_ratio, least_ratio and
        most_ratio, mean and ends of the approximation's standard deviations over the chains';
        for each claim and reading, "CLAIM READING" from the chains and "CLAIM READING,
        approximated".
    """
    away = (table["approximate_mean"] - table["mean"]).abs() / table["sd"]
    ratio = table["approximate_sd"] / table["sd"]
    approximated = trial.run(case).chance
    found: dict[str, float] = {
        "r_hat": float(table["r_hat"].max()),
        "mean_away": float(away.mean()),
        "most_away": float(away.max()),
        "sd_ratio": float(ratio.mean()),
        "least_ratio": float(ratio.min()),
        "most_ratio": float(ratio.max()),
    }
    for claim, by_reading in chance.items():
        for reading, value in by_reading.items():
            found[f"{claim} {reading}"] = value
            found[f"{claim} {reading}, approximated"] = approximated[claim][reading]
    return found


def _nothing() -> None:
    """Tell nobody of a move."""
