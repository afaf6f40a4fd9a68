"""Space-time interactions of the four types of Knorr-Held, as Kronecker products.

    type  time         space        a place's deviation from its level and the common path is
    I     independent  independent  of its own in every cell
    II    structured   independent  a smooth path of its own
    III   independent  structured   like its neighbours', anew at every time
    IV    structured   structured   a smooth path like its neighbours' paths

Cells are (time, place) in C order. Structured times may be a random walk of either order or an
autoregression with known rho, structured places an ICAR. All are scaled, so the interaction has
a typical standard deviation of one cell. What a walk or an ICAR says nothing about (a place's
level, a time's mean) is constrained to zero: it belongs to the main effects, which the model has
beside the interaction. With k_t and k_s such directions of time and of space, the rank is
(times - k_t) (places - k_s) for type IV, and the constraints that remain after those that follow
from the others are left out are (times places - rank) in number.

Two forms of the same law: `structure`, all cells with all constraints, for densities and draws;
`copies`, for models: a basis of time times independent copies of a structure of places, whose
only constraints are those of the places. Type II of a country has one constraint a municipality
in the first form and none in the second.

References
----------
Knorr-Held (2000), Statistics in Medicine 19: 2555-2567.
Schrödle and Held (2011), Environmetrics 22: 725-734 (constraints).
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from remitstats.parts import icar
from remitstats.parts.icar import Graph
from remitstats.parts.structure import Structure, independent, kronecker

Array = NDArray[np.float64]
Kind = Literal["I", "II", "III", "IV"]
KINDS: tuple[Kind, ...] = ("I", "II", "III", "IV")


def _check(kind: str) -> tuple[bool, bool]:
    """Return whether time and space are structured."""
    if kind not in KINDS:
        raise ValueError(f"the type of an interaction is I, II, III or IV, found '{kind}'")
    return kind in ("II", "IV"), kind in ("III", "IV")


def structure(kind: Kind, time: Structure, space: Structure) -> Structure:
    """Return the structure of an interaction over all cells (time, place).

    Parameters
    ----------
    kind : {'I', 'II', 'III', 'IV'}
        Type, see the module's text.
    time, space : Structure
        Main structures; of one that the type leaves unstructured only the size counts.

    Raises
    ------
    ValueError
        If the type is unknown.
    """
    in_time, in_space = _check(kind)
    return kronecker(
        time if in_time else independent(time.size), space if in_space else independent(space.size)
    )


def copies(kind: Kind, time: Structure, space: Structure) -> tuple[Array, Structure]:
    """Return the interaction as a basis of time and independent copies of a structure of places.

    Parameters
    ----------
    kind, time, space
        As for `structure`.

    Returns
    -------
    rows : array, shape (time, copy)
        How the copies enter the times; a `latent_gaussian.Component` takes it as its `rows`.
    structure : Structure
        Of one copy, over places. ``rows @ X`` with one copy a row of X is the interaction.
    """
    in_time, in_space = _check(kind)
    rows = time.basis() if in_time else np.eye(time.size)
    return rows, space if in_space else independent(space.size)


def to_pymc(
    name: str,
    kind: Kind,
    time: Structure,
    graph: Graph,
    sd: Any,
    dims: tuple[str, str],
) -> Any:
    """Add an interaction to the PyMC model in whose context this is called.

    Parameters
    ----------
    name : str
        The free variable is ``{name}_unit``, the copies of `copies`.
    kind : {'I', 'II', 'III', 'IV'}
        Type.
    time : Structure
        Structure of time.
    graph : Graph
        Neighbourhood graph of the places.
    sd : float or PyMC variable
        Standard deviation of the interaction.
    dims : pair of str
        Named dims of time and place. If time is structured, a coordinate ``{name}_contrast`` is
        added for the copies.

    Returns
    -------
    tensor
        The interaction, shape (time, place); wrap it in a `pm.Deterministic` to keep it.
    """
    import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; engines do without it
    import pytensor.tensor as pt  # noqa: PLC0415

    in_time, in_space = _check(kind)
    rows, _ = copies(kind, time, graph.structure)
    model = pm.modelcontext(None)
    unit_dims = dims
    if in_time:
        unit_dims = (f"{name}_contrast", dims[1])
        model.add_coord(f"{name}_contrast", values=list(range(rows.shape[1])))
    if in_space:
        unit = icar.to_pymc(f"{name}_unit", graph, unit_dims, rows.shape[1])
    else:
        unit = pm.Normal(f"{name}_unit", dims=unit_dims)
    return sd * (pt.dot(rows, unit) if in_time else unit)
