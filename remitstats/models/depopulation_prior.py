"""Priors of the depopulation model."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from remitstats.parts.priors import (
    CorrelationPrior,
    NormalPrior,
    RatioPrior,
    ScalePrior,
    SharePrior,
)


@dataclass(frozen=True)
class Priors:
    """Priors of the depopulation model, in % a year where not said otherwise.

    Parameters
    ----------
    growth : NormalPrior
        Growth of a typical municipality over all intervals.
    interval_sd : ScalePrior
        How far an interval lies from it; P(standard deviation > upper) = tail.
    size_slope : NormalPrior
        More growth for one standard deviation of log size.
    size_interval_sd, state_sd, state_interval_sd, municipality_sd : ScalePrior
        Standard deviations of the effects.
    neighbour_sd : ScalePrior
        Of what neighbours share in one interval, where maps by interval are asked for; each
        interval has its own.
    municipality_share : SharePrior
        Spatial, and lasting, share of the variance of municipality effects.
    municipality_rho : CorrelationPrior
        Correlation, from one interval to the next, of a municipality's own part.
    count_sd, survey_sd : ScalePrior
        Error of a count's and of the survey's population of a municipality of 5,000, in %. For
        the survey: about a fifth of the dwellings, clusters, and listings that miss some give
        some 2 to 4%; twice that would be surprising.
    noise_sd : ScalePrior
        Scale of what passes in one interval, in a large municipality.
    small_size : RatioPrior
        Size at which the variance of what passes is twice that of a large municipality,
        relative to 1,000 persons.
    tail_weight : SharePrior
        Twice the inverse of the degrees of freedom: near 0 normal, at 1 without a variance.
    """

    growth: NormalPrior = NormalPrior(mean=1.0, sd=1.5)
    interval_sd: ScalePrior = ScalePrior(upper=2.0, tail=0.05)
    size_slope: NormalPrior = NormalPrior(mean=0.0, sd=0.5)
    size_interval_sd: ScalePrior = ScalePrior(upper=0.5, tail=0.05)
    state_sd: ScalePrior = ScalePrior(upper=1.5, tail=0.05)
    state_interval_sd: ScalePrior = ScalePrior(upper=1.5, tail=0.05)
    neighbour_sd: ScalePrior = ScalePrior(upper=1.5, tail=0.05)
    municipality_sd: ScalePrior = ScalePrior(upper=2.0, tail=0.05)
    municipality_share: SharePrior = SharePrior(alpha=1.0, beta=1.0)
    municipality_rho: CorrelationPrior = CorrelationPrior(upper=0.7, tail=0.6)
    count_sd: ScalePrior = ScalePrior(upper=10.0, tail=0.05)
    survey_sd: ScalePrior = ScalePrior(upper=8.0, tail=0.05)
    noise_sd: ScalePrior = ScalePrior(upper=3.0, tail=0.05)
    small_size: RatioPrior = RatioPrior(log_sd=1.0)
    tail_weight: SharePrior = SharePrior(alpha=2.0, beta=2.0)

    def describe(self) -> dict[str, dict[str, Any]]:
        """Return every prior as plain values, for provenance."""
        return {f.name: getattr(self, f.name).describe() for f in fields(self)}
