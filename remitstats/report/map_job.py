"""A map of one number by area, with the texts that its name tells."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from remitstats.report.figures.maps import area_map
from remitstats.report.figures.style import Classes
from remitstats.report.picture import Job
from remitstats.report.texts import Texts

if TYPE_CHECKING:
    from remitstats.report.shapes import MapShapes


def map_job(
    model: str,
    name: str,
    shapes: MapShapes,
    values: pd.Series[Any],
    classes: Classes,
    texts: Texts,
    **said: Any,
) -> Job:
    """Return a map to draw for a model's page.

    Parameters
    ----------
    model, name : str
        The picture is ``MODEL_NAME``; its texts are ``MODEL.NAME_alt``, ``_caption``, ``_legend``.
    shapes : MapShapes
        The areas.
    values : Series
        By the areas' codes; an area that has none is grey.
    classes : Classes
        Edges and colours.
    texts : Texts
        Has the texts.
    said
        What they are filled with.
    """
    key = f"{model}.{name}"
    return Job(
        f"{model}_{name}",
        "png",
        texts.plain(f"{key}_alt", **said),
        texts(f"{key}_caption", **said),
        partial(
            area_map, shapes, shapes.align(values), classes, texts.plain(f"{key}_legend", **said)
        ),
    )
