"""What a panel says of the census sample behind its percentages, under ``sample`` in its metadata.

    {"sample": {"fraction": 0.1, "complete_below": 1000, "design_effect": 2.0}}

`fraction` is of all dwellings, one number for all waves or an object of numbers by wave. What they
do to the likelihood, `remitstats.parts.sampling_error` says.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from remitstats.errors import Problem
from remitstats.panel import words

KEY = "sample"
FRACTION = "fraction"
ACCEPTED = {
    FRACTION: "a share of dwellings above 0 and at most 1, or such shares by wave",
    "complete_below": "a number of dwellings, 1 or more",
    "design_effect": "a number, 1 or more",
}


def problems_of_sample(metadata: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with what a panel's metadata say of its sample."""
    given = metadata.get(KEY)
    if given is None:
        return []
    if not isinstance(given, Mapping):
        return [_problem(KEY, given, 'an object such as {"fraction": 0.1}')]
    problems = []
    for name, value in given.items():
        if name not in ACCEPTED:
            accepted = ", ".join(ACCEPTED)
            problems.append(
                words.problem(
                    "metadata.json",
                    "-",
                    f"{KEY}.{words.name(name)}",
                    "an unknown name",
                    accepted,
                    words.nearest(str(name), ACCEPTED),
                )
            )
        elif name == FRACTION and isinstance(value, Mapping):
            problems += [
                _problem(f"{KEY}.{name}.{words.name(wave)}", part, "a year with a share of 0 to 1")
                for wave, part in value.items()
                if not (str(wave).isdecimal() and len(str(wave)) <= 4 and _between(part, 0, 1))
            ]
        elif not (_between(value, 0, 1) if name == FRACTION else _between(value, 1, math.inf)):
            problems.append(_problem(f"{KEY}.{name}", value, ACCEPTED[name]))
    return problems


def _between(value: Any, low: float, high: float) -> bool:
    """Whether a value is a finite number in a range; 0 itself is in none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and value > 0 and low <= value <= high


def _problem(place: str, value: Any, accepted: str) -> Problem:
    found = "nothing" if value is None else words.show(value)
    remedy = f"fill it in, or leave {KEY} out for a usual sample" if value is None else ""
    return words.problem("metadata.json", "-", place, found, accepted, remedy)
