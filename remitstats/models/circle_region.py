"""The circle by region: the circle with links that may differ between migration regions.

The links of state s of region r in decade t are

    B_st = link + by decade_t + by region_r,    by region ~ Normal(0, link_region_sd)

and all else is as `models.circle` says. Deviations of regions are centred in the sampler: with some
600 municipalities a region, the data say more of each than the pooling does.
"""

from __future__ import annotations

from typing import Any

from remitstats.models import circle
from remitstats.models.circle_form import Form, Priors
from remitstats.panel.panel import Panel
from remitstats.parts.sampling_error import SamplingDesign

__all__ = ["Priors", "build"]


def build(panel: Panel, priors: Priors | None = None, design: SamplingDesign | None = None) -> Any:
    """Return the circle with links by region as a PyMC model.

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
        As `circle.build` returns it, with `link_region` (region, to, from) and its
        `link_region_sd`.

    Raises
    ------
    PanelError
        If the panel lacks a table or a variable, or has a single wave.
    """
    return circle.build(panel, priors, design, form=Form(by_region=True))
