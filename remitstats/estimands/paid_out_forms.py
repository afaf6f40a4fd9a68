"""Forms of the model of pay-outs compared on municipalities that they have not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from remitstats.errors import RemitstatsError
from remitstats.estimands.paid_out_flows import expected, parameters
from remitstats.estimands.paid_out_results import COLUMNS
from remitstats.fitting.gate import gate
from remitstats.fitting.run import fit
from remitstats.models import paid_out
from remitstats.models.paid_out import FORMS, log_predictive, noise_scale
from remitstats.models.paid_out_data import PaidData, prepare_data
from remitstats.panel.panel import Panel

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]


def compare_paid_out_forms(
    panel: Panel,
    forms: Sequence[str] = FORMS,
    *,
    folds: int = 5,
    seed: int = 1,
    draws: int = 300,
    tune: int = 400,
    chains: int = 2,
    cores: int | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Score forms on the pay-outs of municipalities held out at random, fold by fold.

    A municipality's census stays known; its own pull is that of any municipality of its size but
    for what its neighbours' pay-outs tell.

    Parameters
    ----------
    panel : Panel
        The panel.
    forms : sequence of str
        Of `paid_out.FORMS`, the first to be compared with.
    folds, seed
        Number of folds, and of their dealing and the fits.
    draws, tune, chains, cores
        Of every fit. Fits this short do not pass the gate; `converged` says what they reached.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.

    Returns
    -------
    DataFrame
        One row a form: number of municipalities scored, sum of their log scores (higher is
        better), difference from the first form and its standard error (from the differences by
        municipality), and whether the R-hat of all parameters was at most 1.05 in every fold.

    Raises
    ------
    RemitstatsError
        If there are fewer than two folds.
    """
    data = prepare_data(panel)
    if not 2 <= folds <= data.size:
        raise RemitstatsError(
            f"The number of folds must lie between 2 and {data.size}, found {folds}."
        )
    order = np.random.default_rng(seed).permutation(data.size)
    parts = np.array_split(order, folds)
    score = {form: np.full(data.size, np.nan) for form in forms}
    worst = dict.fromkeys(forms, 0.0)
    done = 0
    for number, part in enumerate(parts):
        held = data.hold_out(data.coords["municipality"][part].tolist())
        for form in forms:
            if progress:
                progress(f"form {form}, fold {number + 1}", done / (folds * len(forms)))
            model = paid_out.model_of(held, form=form)
            tree = fit(
                model, panel, seed=seed + number, draws=draws, tune=tune, chains=chains, cores=cores
            )
            score[form][part] = held_out_score(tree, data, form)[part]
            worst[form] = max(worst[form], gate(tree).r_hat_max)
            done += 1
    first = score[forms[0]]
    rows: list[dict[str, Any]] = []
    for form in forms:
        apart = score[form] - first
        rows.append(
            {
                "form": form,
                "municipalities": data.size,
                "log_score": float(score[form].sum()),
                "difference": float(apart.sum()),
                "difference_se": float(apart.std(ddof=1) * np.sqrt(data.size)),
                "converged": bool(worst[form] <= 1.05),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS["form"]))


def held_out_score(tree: xr.DataTree, data: PaidData, form: str) -> Array:
    """Return every municipality's log score: the log of its mean predictive density.

    Parameters
    ----------
    tree : DataTree
        A fit.
    data : PaidData
        With the outcomes that the fit has not seen.
    form : str
        Of the fit.
    """
    values = parameters(tree)
    if form in ("gravity", "size"):
        center = np.log(expected(values, data)["paid"])
    else:
        center = paid_out.center_without_flows(values, data, form)
    density = log_predictive(data.dollars, center, noise_scale(values, data))
    return np.asarray(np.logaddexp.reduce(density, axis=0) - np.log(len(density)))
