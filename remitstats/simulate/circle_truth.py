"""What a simulated circle is made of, and the scenarios on which verdicts are tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remitstats.errors import RemitstatsError, unknown
from remitstats.models.circle_measures import EARLIER, SAMPLED, VARIABLES

Array = NDArray[np.float64]
Entries = tuple[tuple[str, str, float], ...]  # two variables and a number

COUNT = len(VARIABLES)


@dataclass(frozen=True)
class CircleTruth:
    """True values of the circle model, of the size that Mexico's municipalities have.

    Numbers by variable stand in the order of `VARIABLES`; everything is in standard deviations of
    a variable within its wave, as the model sees it.

    Parameters
    ----------
    cross_links : tuple of (to, from, effect)
        Effects of one variable on another a wave later, mean of the nation; those not named are
        zero, in every state.
    own_links : tuple of float
        Effects of every variable on itself.
    interval_sd, region_sd, state_sd : float
        How far links that are not zero differ between intervals, regions and states.
    intercept_sd, initial_sd, innovation_sd : tuple of float
        Of what lasts about a municipality, of its state in the first wave, of what is new in every
        later one.
    intercept_correlation, initial_correlation, innovation_correlation : tuple of (a, b, number)
        Correlations of different variables; those not named are zero.
    intercept_share, innovation_share : float
        Share of their variance that a block of neighbours has in common.
    sampling_ratio : tuple of float
        True over assumed sampling variance of migration and reliance.
    sampling_correlation : float
        Correlation of their sampling errors.
    size_noise_sd : tuple of float
        Noise of the other variables in a municipality of median size.
    state_mean_sd : float
        Of a state's mean in a wave.
    earlier_links : tuple of (earlier, state, effect)
        Regression of measurements before the first wave on the first wave's states.
    earlier_sd : tuple of float
        Of the rest of stability and underdevelopment before the first wave.
    earlier_correlation : float
        Correlation of these rests.
    confounding : tuple of (variable, effect)
        What one standard deviation of an unobserved cause, which varies by municipality and wave,
        adds to the variables of its own wave. No part of the model.
    confounding_later : tuple of (variable, effect)
        What it adds a wave later.
    confounder_persistence : float
        Correlation of the cause with itself a wave later.

    Raises
    ------
    RemitstatsError
        If a variable is not known or a number can't be: says which, and what is accepted.
    """

    cross_links: Entries = ()
    own_links: tuple[float, ...] = (0.3, 0.4, 0.4, 0.5, 0.3)
    interval_sd: float = 0.05
    region_sd: float = 0.03
    state_sd: float = 0.08
    intercept_sd: tuple[float, ...] = (0.56, 0.6, 0.33, 0.5, 0.25)
    intercept_correlation: Entries = (
        ("migration", "reliance", 0.95),
        ("reliance", "stability", 0.4),
        ("stability", "underdevelopment", -0.8),
        # what these three imply if nothing else connects the variables; else there is no such law
        ("migration", "stability", 0.38),
        ("reliance", "underdevelopment", -0.32),
        ("migration", "underdevelopment", -0.304),
    )
    initial_sd: tuple[float, ...] = (0.47, 0.34, 0.59, 0.44, 0.72)
    initial_correlation: Entries = (
        ("migration", "reliance", 0.7),
        ("stability", "underdevelopment", -0.7),
    )
    innovation_sd: tuple[float, ...] = (0.25, 0.18, 0.25, 0.1, 0.45)
    innovation_correlation: Entries = (
        ("migration", "reliance", 0.5),
        ("stability", "underdevelopment", -0.3),
    )
    intercept_share: float = 0.45
    innovation_share: float = 0.25
    sampling_ratio: tuple[float, ...] = (2.0, 2.0)
    sampling_correlation: float = 0.3
    size_noise_sd: tuple[float, ...] = (0.05, 0.03, 0.15)
    state_mean_sd: float = 0.5
    earlier_links: Entries = (
        ("stability", "stability", 0.4),
        ("stability", "underdevelopment", -0.4),
        ("underdevelopment", "underdevelopment", 0.9),
    )
    earlier_sd: tuple[float, ...] = (0.4, 0.15)
    earlier_correlation: float = -0.4
    confounding: tuple[tuple[str, float], ...] = ()
    confounding_later: tuple[tuple[str, float], ...] = ()
    confounder_persistence: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what no law has."""
        for name, length in (
            ("own_links", COUNT),
            ("intercept_sd", COUNT),
            ("initial_sd", COUNT),
            ("innovation_sd", COUNT),
            ("sampling_ratio", len(SAMPLED)),
            ("size_noise_sd", COUNT - len(SAMPLED)),
            ("earlier_sd", len(EARLIER)),
        ):
            value = getattr(self, name)
            if len(value) != length or not np.isfinite(value).all():
                raise _wrong(name, value, f"{length} numbers")
            if name != "own_links" and min(value) < 0:
                raise _wrong(name, value, "no number below 0")
        for name in ("interval_sd", "region_sd", "state_sd", "state_mean_sd"):
            if not 0 <= getattr(self, name) < np.inf:
                raise _wrong(name, getattr(self, name), "a number of at least 0")
        for name in ("intercept_share", "innovation_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise _wrong(name, getattr(self, name), "a share between 0 and 1")
        for name in ("sampling_correlation", "confounder_persistence", "earlier_correlation"):
            if not -1 < getattr(self, name) < 1:
                raise _wrong(name, getattr(self, name), "a correlation between -1 and 1")
        self._check_entries()

    def _check_entries(self) -> None:
        for to, origin, _ in self.cross_links:
            if _place(to) == _place(origin):
                raise _wrong("cross_links", to, "between different variables; see 'own_links'")
        for to, _, effect in self.earlier_links:
            if to not in EARLIER or not np.isfinite(effect):
                raise _wrong("earlier_links", to, f"finite, and of {' or '.join(EARLIER)}")
        if not np.isfinite(self.links).all():
            raise _wrong("cross_links", self.cross_links, "finite numbers")
        for name in ("intercept", "initial", "innovation"):
            given = getattr(self, f"{name}_correlation")
            matrix = _correlation(given)
            if not np.isfinite(matrix).all() or np.linalg.eigvalsh(matrix).min() <= 0:
                raise _wrong(
                    f"{name}_correlation",
                    given,
                    "correlations that go together (a positive definite matrix): if a goes with b "
                    "and b with c, a and c can't have just any correlation",
                )
        if not np.isfinite(self.confounded).all():
            raise _wrong("confounding", self.confounding, "finite numbers, now and later")

    @property
    def links(self) -> Array:
        """The nation's links, shape (to, from)."""
        found = np.diag(np.array(self.own_links, dtype=float))
        for to, origin, effect in self.cross_links:
            found[_place(to), _place(origin)] = effect
        return found

    @property
    def intercept(self) -> Array:
        """Covariance of what lasts, shape (variable, variable)."""
        return _covariance(self.intercept_sd, self.intercept_correlation)

    def innovations(self, waves: int) -> Array:
        """Return the covariances of what is new, shape (wave, variable, variable)."""
        first = _covariance(self.initial_sd, self.initial_correlation)
        new = _covariance(self.innovation_sd, self.innovation_correlation)
        return np.stack([first, *[new] * (waves - 1)])

    def earlier(self, of: NDArray[np.int64]) -> tuple[Array, Array, Array]:
        """Return the law of measurements before the first wave.

        Parameters
        ----------
        of : array of int, shape (earlier,)
            Their variables, places in `VARIABLES`.

        Returns
        -------
        scale : array, shape (earlier,)
            Weight of what lasts: 1, as in every wave.
        link : array, shape (earlier, variable)
            Regression on the first wave's states.
        covariance : array, shape (earlier, earlier)
            Of the rest.
        """
        place = [EARLIER.index(VARIABLES[i]) for i in of]
        link = np.zeros((len(EARLIER), COUNT))
        for to, origin, effect in self.earlier_links:
            link[EARLIER.index(to), _place(origin)] = effect
        correlation = np.array([[1.0, self.earlier_correlation], [self.earlier_correlation, 1.0]])
        covariance = np.outer(self.earlier_sd, self.earlier_sd) * correlation
        return np.ones(len(place)), link[place], covariance[np.ix_(place, place)]

    @property
    def noise_scale(self) -> Array:
        """What `circle_form.noise_of` is multiplied by, shape (variable,)."""
        return np.array([*self.sampling_ratio, *np.square(self.size_noise_sd)], dtype=float)

    @property
    def confounded(self) -> Array:
        """Effects of the unobserved cause in its wave and a wave later, shape (2, variable)."""
        return np.stack([_by_variable(self.confounding), _by_variable(self.confounding_later)])

    def describe(self) -> dict[str, Any]:
        """Return the truth as plain values, for provenance."""
        return asdict(self)


def _place(variable: str) -> int:
    if variable not in VARIABLES:
        raise unknown("variable of the circle", variable, VARIABLES)
    return VARIABLES.index(variable)


def _wrong(name: str, found: Any, accepted: str) -> RemitstatsError:
    return RemitstatsError(f"'{name}' of a simulated circle must be {accepted}; found {found!r}.")


def _by_variable(entries: Sequence[tuple[str, float]]) -> Array:
    found = np.zeros(COUNT)
    for variable, effect in entries:
        found[_place(variable)] = effect
    return found


def _correlation(entries: Entries) -> Array:
    found = np.eye(COUNT)
    for a, b, value in entries:
        found[_place(a), _place(b)] = found[_place(b), _place(a)] = value
    return found


def _covariance(sd: tuple[float, ...], entries: Entries) -> Array:
    return np.asarray(np.outer(sd, sd) * _correlation(entries))


def _one_factor(loadings: tuple[float, ...]) -> Entries:
    """Return the correlations of variables that have one cause in common."""
    return tuple(
        (VARIABLES[i], VARIABLES[j], loadings[i] * loadings[j])
        for i in range(COUNT)
        for j in range(i)
    )


_REMITTANCES = ("reliance", "migration", 0.4)
_VICIOUS = CircleTruth(  # a clear loop: 0.3 sd of deepening, 0.4 of feedback in thirty years
    cross_links=(
        _REMITTANCES,
        ("stability", "reliance", -0.2),
        ("underdevelopment", "stability", -0.2),
        ("underdevelopment", "reliance", 0.3),
        ("migration", "underdevelopment", 0.25),
    )
)


def _with_link(truth: CircleTruth, *changed: tuple[str, str, float]) -> CircleTruth:
    """Return a truth with other effects of some links."""
    links = {(to, origin): effect for to, origin, effect in truth.cross_links}
    links |= {(to, origin): effect for to, origin, effect in changed}
    return replace(truth, cross_links=tuple((*pair, effect) for pair, effect in links.items()))


SCENARIOS: dict[str, CircleTruth] = {
    # migration brings reliance, that underdevelopment, and that more migration
    "vicious": _VICIOUS,
    # reliance lessens underdevelopment, which drives migration
    "virtuous": _with_link(
        _VICIOUS, ("stability", "reliance", 0.2), ("underdevelopment", "reliance", -0.3)
    ),
    # half as strong on its way back: what the data of three waves may leave open
    "weakly vicious": _with_link(
        _VICIOUS, ("underdevelopment", "reliance", 0.25), ("migration", "underdevelopment", 0.12)
    ),
    # migrants send money and that is all: nothing comes back to migration
    "no loop": CircleTruth(cross_links=(_REMITTANCES, ("stability", "reliance", -0.2))),
    # everything as in the vicious circle, but underdevelopment keeps people at home
    "one link reversed": _with_link(_VICIOUS, ("migration", "underdevelopment", -0.25)),
    # no effects; places differ for good, in all variables at once: the plain cross-lagged panel
    # takes these differences for effects
    "fixed differences": CircleTruth(
        intercept_sd=(0.75, 0.75, 0.7, 0.75, 0.5),
        intercept_correlation=_one_factor((0.97, 0.97, -0.8, 0.85, -0.5)),
    ),
    # no effects; something unobserved moves migration and reliance, and later underdevelopment
    "confounded": CircleTruth(
        confounding=(("migration", 0.15), ("reliance", 0.1)),
        confounding_later=(("underdevelopment", 0.08),),
    ),
}
