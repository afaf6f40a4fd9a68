"""Forecasts of remittances per person against what came: leave-future-out.

The model is fitted to the quarters up to an origin, with nothing later looked at (not even to
divide municipalities into kinds), and its next eight quarters are scored against the published
ones, next to forecasts that take each municipality for itself. All in logarithms of real
remittances per person; every quarter with remittances counts, gross errors of reporting too.

References
----------
Gneiting and Raftery (2007), Journal of the American Statistical Association 102: 359-378 (CRPS).
Hyndman and Athanasopoulos (2021), Forecasting: Principles and Practice, sections 5.5, 8 and 9.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from remitstats.errors import RemitstatsError
from remitstats.estimands.dependence_draws import HORIZON, Sampler, draw_all
from remitstats.estimands.dependence_results import COLUMNS
from remitstats.fitting.gate import gate
from remitstats.fitting.run import fit
from remitstats.models import dependence
from remitstats.models.dependence_data import prepare_data
from remitstats.models.dependence_measures import Measures, quarter_number
from remitstats.panel.panel import Panel

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]

MODEL, NAIVE, ETS, ARIMA = "remitstats", "seasonal naive", "ETS", "ARIMA"
ORIGINS = ("2021Q1", "2023Q1", "2024Q1")
COVERAGES = (50, 80, 95)
LEAST = 16  # quarters seen before the origin that a municipality needs
LEAST_SD = 0.01  # of forecasts made from a series alone, which may have repeated itself exactly


def forecast_check(
    panel: Panel,
    *,
    origins: Sequence[str] = ORIGINS,
    methods: Sequence[str] = (MODEL, NAIVE),
    priors: dependence.Priors | None = None,
    measures: Measures | None = None,
    most: int | None = None,
    seed: int = 1,
    draws: int | None = None,
    tune: int | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Score forecasts from several origins.

    Parameters
    ----------
    panel : Panel
        The panel.
    origins : sequence of str
        Last quarters that are looked at; at least one quarter must follow.
    methods : sequence of str
        Of `MODEL`, `NAIVE`, `ETS` (additive errors, damped trend and season) and `ARIMA`
        ((0,1,1)(0,1,1) of four quarters); the last two need statsmodels and seconds a
        municipality.
    priors, measures
        Of the model.
    most : int, optional
        Score this many municipalities of either way of reporting, drawn with `seed`; by default
        all with at least `LEAST` quarters.
    seed, draws, tune
        Of the fits.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.

    Returns
    -------
    DataFrame
        One row an origin, horizon, way of reporting and method: number of municipalities, mean
        CRPS and the coverage of central intervals in per cent. All methods are scored on the same
        municipalities. Attribute ``attrs["gates"]`` holds the gate's text by origin.

    Raises
    ------
    RemitstatsError
        If an origin lies outside the panel's quarters, a method is not known, or one needs
        statsmodels, which is not installed.
    """
    tell = progress or (lambda _description, _fraction: None)
    unknown = sorted(set(methods) - {MODEL, NAIVE, ETS, ARIMA})
    if unknown:
        raise RemitstatsError(
            f"There is no forecast '{unknown[0]}'. Forecasts: {MODEL}, {NAIVE}, {ETS}, {ARIMA}."
        )
    whole = prepare_data(panel, measures)
    with np.errstate(divide="ignore"):
        came = np.where(whole.dollars > 0, np.log(whole.dollars), np.nan)
    came = came - whole.log_population + whole.log_value + whole.shift[whole.state_of]
    numbers = whole.numbers
    rows: list[dict[str, Any]] = []
    gates = {}
    for step, origin in enumerate(origins):
        at = quarter_number(origin)
        if not numbers[0] < at < numbers[-1]:
            raise RemitstatsError(
                f"'{origin}' can't be the origin of a forecast: the panel has "
                f"{whole.coords['quarter'][0]} to {whole.coords['quarter'][-1]}."
            )
        tell(f"forecasts from {origin}", step / len(origins))
        past = prepare_data(panel, measures, last_quarter=origin)
        ahead = min(HORIZON, int(numbers[-1] - at))
        first = int(at - numbers[0]) + 1
        future = came[:, first : first + ahead]
        chosen = _chosen(past.observed, future, past.faint[past.kind_of], most, seed)
        found: dict[str, Any] = {}
        for method in methods:
            if method == MODEL:
                model = dependence.model_of(past, priors)
                tree = fit(model, panel, seed=seed, draws=draws, tune=tune)
                gates[origin] = str(gate(tree))
                sampler = Sampler(model.collapsed, np.full((1, first), 1.0 / first), ahead)
                drawn = draw_all(sampler, tree, repeats=2, every=1, seed=seed).ahead
                found[method] = drawn.reshape(-1, *drawn.shape[2:])[:, chosen]
            else:
                found[method] = _alone(method, past.observed[chosen], ahead)
        faint = past.faint[past.kind_of][chosen]
        for method, forecast in found.items():
            rows += _scores(origin, method, forecast, future[chosen], faint)
    table = pd.DataFrame(rows, columns=list(COLUMNS["forecast_score"]))
    table.attrs["gates"] = gates
    tell("forecasts", 1.0)
    return table


def _chosen(
    observed: Array, future: Array, faint: NDArray[np.bool_], most: int | None, seed: int
) -> NDArray[np.int64]:
    enough = (np.isfinite(observed).sum(axis=1) >= LEAST) & np.isfinite(future).any(axis=1)
    enough &= np.isfinite(observed[:, -4:]).all(axis=1)
    rng = np.random.default_rng(seed)
    kept = []
    for label in (False, True):
        members = np.flatnonzero(enough & (faint == label))
        if most is not None and len(members) > most:
            members = np.sort(rng.choice(members, most, replace=False))
        kept.append(members)
    return np.concatenate(kept)


def _scores(
    origin: str, method: str, forecast: Any, future: Array, faint: NDArray[np.bool_]
) -> list[dict[str, Any]]:
    rows = []
    for horizon in range(future.shape[1]):
        for label in (False, True):
            inside = np.isfinite(future[:, horizon]) & (faint == label)
            if not inside.any():
                continue
            truth = future[inside, horizon]
            if isinstance(forecast, tuple):
                mean, sd = (part[inside, horizon] for part in forecast)
                score = normal_crps(truth, mean, sd)
                place = stats.norm.cdf((truth - mean) / sd)
            else:
                drawn = np.asarray(forecast[:, inside, horizon], dtype=float)
                score = sample_crps(truth, drawn)
                place = (drawn < truth).mean(axis=0)
            row: dict[str, Any] = {
                "origin": origin,
                "horizon": horizon + 1,
                "reporting": "faint" if label else "steady",
                "method": method,
                "series": int(inside.sum()),
                "crps": float(score.mean()),
            }
            for percent in COVERAGES:
                off = np.abs(place - 0.5) <= percent / 200.0
                row[f"coverage_{percent}"] = 100.0 * float(off.mean())
            rows.append(row)
    return rows


def sample_crps(truth: Array, drawn: Array) -> Array:
    """Return the continuous ranked probability score of draws.

    Parameters
    ----------
    truth : array, shape (case,)
        What came.
    drawn : array, shape (draw, case)
        The forecast; E|X - truth| - E|X - X'| / 2, with the fair estimate of the second.
    """
    count = len(drawn)
    ordered = np.sort(drawn, axis=0)
    weight = 2.0 * np.arange(1, count + 1) - count - 1.0
    apart = (weight[:, None] * ordered).sum(axis=0) / (count * (count - 1.0) / 2.0)
    return np.asarray(np.abs(drawn - truth).mean(axis=0) - 0.5 * apart)


def normal_crps(truth: Array, mean: Array, sd: Array) -> Array:
    """Return the continuous ranked probability score of normal forecasts."""
    z = (truth - mean) / sd
    return np.asarray(
        sd
        * (z * (2.0 * stats.norm.cdf(z) - 1.0) + 2.0 * stats.norm.pdf(z) - 1.0 / math.sqrt(math.pi))
    )


def _alone(method: str, y: Array, ahead: int) -> tuple[Array, Array]:
    """Forecast each series by itself; means and standard deviations, shape (series, quarter)."""
    makers = {NAIVE: seasonal_naive, ETS: ets, ARIMA: arima}
    pairs = [makers[method](series, ahead) for series in y]
    mean = np.array([pair[0] for pair in pairs])
    sd = np.array([pair[1] for pair in pairs])
    return mean, np.maximum(sd, LEAST_SD)


def seasonal_naive(y: Array, ahead: int) -> tuple[Array, Array]:
    """Forecast the value of the same quarter a year before the first one ahead.

    Its standard deviation is that of changes over four quarters, times the root of the years.
    """
    step = np.arange(ahead)
    change = y[4:] - y[:-4]
    change = change[np.isfinite(change)]
    spread = math.sqrt(float(np.mean(change**2))) if len(change) else 1.0
    return y[len(y) - 4 + step % 4], spread * np.sqrt(step // 4 + 1.0)


def ets(y: Array, ahead: int) -> tuple[Array, Array]:
    """Forecast by exponential smoothing with additive errors, damped trend and season."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about convergence: it has to do with what it finds
        smoothing = _statsmodels("statsmodels.tsa.exponential_smoothing.ets")
        known = _from_first(y)
        if len(known) < LEAST:
            return seasonal_naive(y, ahead)
        model = smoothing.ETSModel(
            pd.Series(known),
            error="add",
            trend="add",
            damped_trend=True,
            seasonal="add",
            seasonal_periods=4,
        )
        forecast = model.fit(disp=False).get_prediction(
            start=len(known), end=len(known) + ahead - 1
        )
        mean = np.asarray(forecast.predicted_mean, dtype=float)
        sd = np.sqrt(np.asarray(forecast.forecast_variance, dtype=float))
    return _or_naive(y, mean, sd)


def arima(y: Array, ahead: int) -> tuple[Array, Array]:
    """Forecast by a seasonal ARIMA (0,1,1)(0,1,1) of four quarters."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        space = _statsmodels("statsmodels.tsa.statespace.sarimax")
        known = _from_first(y)
        if len(known) < LEAST:
            return seasonal_naive(y, ahead)
        model = space.SARIMAX(known, order=(0, 1, 1), seasonal_order=(0, 1, 1, 4))
        forecast = model.fit(disp=False, maxiter=100).get_forecast(ahead)
        mean = np.asarray(forecast.predicted_mean, dtype=float)
        sd = np.sqrt(np.asarray(forecast.var_pred_mean, dtype=float))
    return _or_naive(y, mean, sd)


def _or_naive(y: Array, mean: Array, sd: Array) -> tuple[Array, Array]:
    """Return a forecast, or the seasonal naive one where it is no numbers."""
    if np.isfinite(mean).all() and np.isfinite(sd).all():
        return mean, sd
    return seasonal_naive(y, len(mean))


def _from_first(y: Array) -> Array:
    """Return a series from its first figure on, gaps filled by the value a year before or after."""
    known = pd.Series(y[int(np.flatnonzero(np.isfinite(y))[0]) :])
    for lag in (4, -4, 1, -1):
        known = known.fillna(known.shift(lag))
    return np.asarray(known.ffill().bfill(), dtype=float)


def _statsmodels(module: str) -> Any:
    import importlib  # noqa: PLC0415 - only these two forecasts need it

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise RemitstatsError(
            "The forecasts ETS and ARIMA need statsmodels: pip install 'remitstats[forecast]'."
        ) from error
