"""The circle's results with what makes a verdict of them: specification curve and calibration."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import xarray as xr

from remitstats.claims.circle_calibration import Calibration, shipped_calibration
from remitstats.claims.circle_comparison import Comparison, shipped_comparison
from remitstats.claims.circle_specifications import (
    HEADLINE,
    QUANTITIES,
    core_chances,
    specification_curve,
)
from remitstats.claims.regime import (
    CLAIMS,
    CONTRADICTED,
    NO_VERDICT,
    SUPPORTED,
    Verdict,
    VerdictRule,
    chances_of,
    verdict_on,
)
from remitstats.estimands.circle import summarise_circle
from remitstats.estimands.circle_results import COLUMNS, CircleResults
from remitstats.estimands.summary import ESTIMATE
from remitstats.fitting.run_tree import seed_of
from remitstats.models.circle_data import CircleData, prepare_data
from remitstats.models.circle_measures import Measures
from remitstats.panel.panel import Panel
from remitstats.parts.sampling_error import SamplingDesign

Progress = Callable[[str, float], None]
CURVE_SHARE = 0.6  # of the time that summary and curve take together, for their progress


def summarise(
    fit: xr.DataTree,
    panel: Panel,
    *,
    command: str = "remitstats fit circle",
    progress: Progress | None = None,
) -> CircleResults:
    """Turn a fit of the circle into results with the specification curve and verdicts.

    Parameters
    ----------
    fit, panel, command, progress
        See `estimands.circle.summarise_circle`. The curve is computed only for a fit that passed
        its gate: without that there is nothing it could take away.
    """
    tell = progress or (lambda _description, _fraction: None)
    results = summarise_circle(
        fit,
        panel,
        data=measured(fit, panel),
        command=command,
        progress=lambda d, f: tell(d, (1 - CURVE_SHARE) * f),
    )
    if not results.converged:
        return results
    seed = seed_of(fit)
    curve = specification_curve(
        panel, seed=seed, progress=lambda d, f: tell(d, 1 - CURVE_SHARE + CURVE_SHARE * f)
    )
    form = json.loads(fit["provenance"].attrs["specification"])["form"]
    return judged(results, curve, form, shipped_calibration(), comparison=shipped_comparison())


def measured(fit: xr.DataTree, panel: Panel) -> CircleData:
    """Return the measurements a fit of the circle was made of, from its panel."""
    chosen = json.loads(fit["provenance"].attrs["specification"])
    return prepare_data(
        panel,
        Measures(**chosen["measures"]),
        SamplingDesign(**chosen["sampling_design"]),
        root_sd=chosen["root_sd"],
    )


def judged(
    results: CircleResults,
    curve: pd.DataFrame,
    form: dict[str, Any],
    calibration: Calibration | None,
    rule: VerdictRule | None = None,
    comparison: Comparison | None = None,
) -> CircleResults:
    """Return results with curve, calibration and verdicts.

    Parameters
    ----------
    results : CircleResults
        Of a fit.
    curve : DataFrame
        What `specification_curve` returned.
    form : dict
        `Form.describe` of the fit.
    calibration : Calibration, optional
        Without one that met its bars for this form nothing is supported or contradicted.
    rule : VerdictRule, optional
        The limits.
    comparison : Comparison, optional
        What forms of the model say of data left out; shown, and no part of the verdicts.
    """
    why = "the rule has not been calibrated on simulated panels"
    if calibration is not None:
        why = calibration.problem(form)
    verdicts: dict[str, Any] = {}
    for claim in CLAIMS:
        found = verdict_on(
            chances_of(results.regime, claim),
            core_chances(curve, claim),
            rule=rule,
            converged=results.converged,
        )
        if why and found.verdict in (SUPPORTED, CONTRADICTED):  # an open question needs no trial
            found = Verdict(NO_VERDICT, math.nan, math.nan, why)
        verdicts[claim] = {k: None if v != v else v for k, v in found.describe().items()}  # noqa: PLR0124 - nan
    whole = pd.concat([_headline(results), curve], ignore_index=True)
    tables: dict[str, Any] = {"specification": whole[list(COLUMNS["specification"])]}
    if calibration is not None:
        tables["confusion"] = calibration.outcomes[list(COLUMNS["confusion"])]
        tables["coverage"] = calibration.coverage[list(COLUMNS["coverage"])]
        if calibration.by_chains is not None:
            tables["agreement"] = calibration.by_chains.agreement[list(COLUMNS["agreement"])]
    if comparison is not None:
        tables["comparison"] = comparison.density  # with how sure the weights are
        tables["prediction"] = comparison.prediction[list(COLUMNS["prediction"])]
    summary = results.summary | {
        "comparison": None if comparison is None else comparison.study,
        "verdict": verdicts,
        "rule": (rule or VerdictRule()).describe(),
        "calibration": None if calibration is None else calibration.study,
        "by_chains": None if calibration is None else calibration.chains_study,
    }
    return replace(results, **tables, summary=summary)


def _headline(results: CircleResults) -> pd.DataFrame:
    """Return the headline's own rows of the curve, from its chains."""
    loop = results.loop
    rows = loop[(loop["level"] == "nation") & loop["quantity"].isin(QUANTITIES)]
    found = [rows[["reading", "quantity", *ESTIMATE]]]
    nation = results.regime[results.regime["level"] == "nation"]
    for claim in CLAIMS:
        chance = nation[["reading"]].assign(quantity=f"p_{claim}", sd=0.0)
        for name in ESTIMATE:
            if name != "sd":
                chance[name] = nation[f"p_{claim}"]
        found.append(chance)
    return pd.concat(found, ignore_index=True).assign(
        specification=HEADLINE, headline=True, core=True
    )
