"""Priors with some of their numbers replaced, as the command line and plans give them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from remitstats.errors import RemitstatsError, unknown


def with_values[P](priors: P, values: Mapping[str, tuple[float, ...]]) -> P:
    """Return priors with some parameters replaced.

    Parameters
    ----------
    priors : dataclass
        A model's `Priors`: each field a prior of `parts.priors` or a plain number.
    values : mapping of str to tuple of float
        Prior name to its parameters in the order the prior's class lists them.

    Raises
    ------
    RemitstatsError
        If a name is unknown (the nearest is suggested) or the numbers do not fit the prior.
    """
    known: dict[str, Any] = {f.name: getattr(priors, f.name) for f in fields(priors)}  # type: ignore[arg-type]
    for name, numbers in values.items():
        if name not in known:
            raise unknown("prior", name, known)
        parts = is_dataclass(known[name])
        wanted = [f.name for f in fields(known[name])] if parts else [name]
        if len(numbers) != len(wanted):
            raise RemitstatsError(
                f"The prior '{name}' takes {len(wanted)} number(s) ({', '.join(wanted)}), "
                f"found {len(numbers)}."
            )
        try:
            value = type(known[name])(*numbers)
            priors = replace(priors, **{name: value})  # type: ignore[type-var]
        except ValueError as error:
            raise RemitstatsError(f"The prior '{name}' can't be used: {error}.") from error
    return priors
