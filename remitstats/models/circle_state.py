"""The circle by state: the circle with links that may differ between regions and their states.

The links of state s of region r in decade t are

    B_st = link + by decade_t + link_region_sd by region_r + link_state_sd by state_s,
    by region, by state ~ Normal(0, 1)

and all else is as `models.circle` says. The data say little of a single state's links (Mexico's
have from 5 to 570 municipalities), nor much of a region's beside those of its states, so that both
are sampled as multiples of their standard deviation.
"""

from __future__ import annotations

from typing import Any

from remitstats.models import circle
from remitstats.models.circle_form import Form, Priors
from remitstats.panel.panel import Panel
from remitstats.parts.sampling_error import SamplingDesign

__all__ = ["Priors", "build"]


def build(panel: Panel, priors: Priors | None = None, design: SamplingDesign | None = None) -> Any:
    """Return the circle with links by region and state as a PyMC model.

    Parameters
    ----------
    panel : Panel
        See `circle_data.prepare_data`; its table `state` names the regions.
    priors : Priors, optional
        Those of the circle.
    design : SamplingDesign, optional
        Assumed census sample.

    Returns
    -------
    pymc.Model
        As `circle.build` returns it, with `link_region_unit` (region, to, from), `link_state_unit`
        (state, to, from) and their `link_region_sd` and `link_state_sd`.

    Raises
    ------
    PanelError
        If the panel lacks a table or a variable, or has a single wave.
    """
    return circle.build(panel, priors, design, form=Form(by_region=True, by_state=True))
