"""The circle by state: the circle with links that may differ between regions and their states.

The links of state s of region r in decade t are

    B_st = link + by decade_t + by region_r + by state_s,
    by region ~ Normal(0, link_region_sd),    by state ~ Normal(0, link_state_sd)

and all else is as `models.circle` says. The data say little of a single state's links (Mexico's
have from 5 to 570 municipalities), and little of whether regions differ by more than their states
do by chance. So what is sampled is the mean of a region's n states and how its states are away
from it, which are independent of each other:

    mean_r     ~ Normal(0, sqrt(link_region_sd^2 + link_state_sd^2 / n))
    by state_s = link_state_sd (unit_s - the mean of unit over the region's states)
    unit_s     ~ Normal(0, 1)

A `link_region_sd` near nought then squeezes nothing.
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
        As `circle.build` returns it, with `link_region_sd`, `link_state_sd`, `link_region`
        (the means; region, to, from) and `link_state_unit` (state, to, from).

    Raises
    ------
    PanelError
        If the panel lacks a table or a variable, or has a single wave.
    """
    return circle.build(panel, priors, design, form=Form(by_region=True, by_state=True))
