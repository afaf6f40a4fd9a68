"""Simulation-based calibration: whether a model's posteriors, as our engines draw them, are right.

A simulation draws parameters from the priors and data from the model given them, on a real
geography with its real gaps, fits the model, and asks where the truth stands among the draws. What
goes wrong anywhere, in a formula, an engine or a summary, shows as ranks that are not uniform or
intervals that hold the truth too seldom or too often (Talts et al. 2018, arXiv:1804.06788).

Nothing is dropped: a fit that does not pass is made again, twice and then four times as long, and
counts, passed or not; how many never passed is part of the result, and so is how many ended in an
error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from remitstats.fitting.convergence import convergence
from remitstats.fitting.run import fit
from remitstats.panel.panel import Panel
from remitstats.untrusted import parse_json
from remitstats.validation.bands import place_among, thinned

Array = NDArray[np.float64]

LEVELS = (0.5, 0.8, 0.95)
"""Probabilities of the central intervals whose coverage is counted."""
LENGTHS = (1, 2, 4)  # how many times as long the tries are of a fit that does not pass
LEAST_ESS, GREATEST_R_HAT = 100.0, 1.05
"""What a simulated fit must reach: enough to tell a rank, less than a reported fit must."""


@dataclass(frozen=True, eq=False)
class Simulated:
    """A model of made-up data, and the truth.

    Parameters
    ----------
    model : pymc.Model
        Of the made-up data.
    panel : Panel
        What `remitstats.fit` is told that it was built from.
    truth : mapping of str to float
        True value of every quantity that is ranked.
    """

    model: Any
    panel: Panel
    truth: Mapping[str, float]


class Subject(Protocol):
    """A model that can be put to the test."""

    @property
    def name(self) -> str:
        """Name of the model."""

    @property
    def headlines(self) -> tuple[str, ...]:
        """The quantities that reports state; the others are parameters and single values."""

    @property
    def code(self) -> tuple[str, ...]:
        """Files of the package, as patterns, that a simulation depends on."""

    def describe(self) -> dict[str, Any]:
        """Return as plain values what is simulated."""

    def simulate(self, seed: int) -> Simulated:
        """Draw parameters and data."""

    def draws(self, tree: Any, truth: Mapping[str, float]) -> Mapping[str, Array]:
        """Return the posterior draws, shape (chain, draw), of the quantities of the truth."""


@dataclass(frozen=True)
class Length:
    """How long a simulated fit is.

    Parameters
    ----------
    draws, tune, chains : int
        As of `remitstats.fit`.
    """

    draws: int = 500
    tune: int = 200
    chains: int = 2


@dataclass(frozen=True)
class Record:
    """What came of one simulation.

    Parameters
    ----------
    number : int
        Which.
    place : mapping of str to float
        Where each truth stands among its draws, from 0 to 1.
    held : mapping of str to list of int
        Whether the intervals of `LEVELS` hold it, 1 or 0.
    away : mapping of str to float
        Posterior mean minus truth, in posterior standard deviations.
    passed : bool
        Whether the fit (or a longer try) reached what it must.
    tries : int
        1, 2 or 3.
    r_hat, ess : float or None
        The worst of the ranked quantities in the fit that counts; None where one is not defined.
    error : str
        What ended all tries, where no fit came of them: then nothing is ranked.
    """

    number: int
    place: dict[str, float]
    held: dict[str, list[int]]
    away: dict[str, float]
    passed: bool
    tries: int
    r_hat: float | None
    ess: float | None
    error: str = ""

    def to_json(self) -> str:
        """Return the record as text."""
        return json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Record:
        """Return the record that `to_json` made a text of.

        Raises
        ------
        ValueError
            If the text is something else.
        """
        try:
            return cls(**parse_json(text))
        except (TypeError, AttributeError) as error:
            raise ValueError(f"no record of a simulation: {error}") from error


def simulate_once(subject: Subject, number: int, seed: int, length: Length) -> Record:
    """Simulate, fit and rank.

    Parameters
    ----------
    subject : Subject
        The model.
    number : int
        Which simulation; with the seed, all that is random follows from it.
    seed : int
        Of the study.
    length : Length
        Of the fit.
    """
    own = np.random.SeedSequence((seed, number))
    data_seed, fit_seed, rank_seed = (int(s) for s in own.generate_state(3))
    simulated = subject.simulate(data_seed)
    passed, tries, error = False, 0, ""
    draws: dict[str, Array] = {}
    ess = r_hat = np.array([np.nan])
    for times in LENGTHS:
        tries += 1
        try:
            tree = fit(
                simulated.model,
                simulated.panel,
                seed=fit_seed % 2**31,
                draws=times * length.draws,
                tune=times * length.tune,
                chains=length.chains,
                cores=1,
            )
        except Exception as problem:  # whatever goes wrong is a finding, and counts
            error = f"{type(problem).__name__}: {problem}"
            continue
        found, error = subject.draws(tree, simulated.truth), ""
        draws = {name: np.asarray(found[name], dtype=float) for name in simulated.truth}
        table = convergence(np.stack(list(draws.values()), axis=-1))
        ess = table[["ess_bulk", "ess_tail"]].min(axis=1, skipna=False).to_numpy()
        r_hat = table["r_hat"].to_numpy()
        passed = bool(np.all(ess >= LEAST_ESS) and np.all(r_hat <= GREATEST_R_HAT))
        if passed:
            break
    if draws:  # a try that did not pass counts where a later one broke
        error = ""
    rng = np.random.default_rng(rank_seed)
    place, held, away = {}, {}, {}
    for (name, values), effective in zip(draws.items(), np.nan_to_num(ess, nan=1.0), strict=False):
        truth = float(simulated.truth[name])
        place[name] = round(place_among(truth, thinned(values, effective), rng), 4)
        ends = np.quantile(values, [0.5 * (1 + sign * p) for p in LEVELS for sign in (-1, 1)])
        held[name] = [int(low <= truth <= high) for low, high in ends.reshape(-1, 2)]
        away[name] = round(float((values.mean() - truth) / max(values.std(), 1e-300)), 4)
    worst = _worst(r_hat.max()), _worst(ess.min())
    return Record(number, place, held, away, passed, tries, *worst, error=error)


def _worst(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
