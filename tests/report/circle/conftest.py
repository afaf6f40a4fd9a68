"""Made-up results of a fit of the circle: draws of link matrices, summarised as a real fit's are.

Nothing here is an estimate of anything; numbers are invented.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from remitstats.estimands.circle_results import CircleResults
from remitstats.panel.panel import Panel
from remitstats.report import build_report

DRAWS = 600
NAMES = ("migration", "reliance", "stability", "underdevelopment", "growth")
M, R, S, U, G = range(5)
CHAIN = ((M, R), (R, S), (S, U), (U, M))
DELTA = 0.05
REGIONS = {"North": "North", "Centre": "Centre"}
STATES = {"01": ("Uno", "North"), "02": ("Dos", "Centre")}
COUNTRY = {
    "vicious": {"verdict": "inconclusive", "reason": "Too near the limit <b>by far</b>."},
    "virtuous": {"verdict": "contradicted", "reason": ""},
}


def _estimate(draws: np.ndarray) -> dict[str, float]:
    known = draws[np.isfinite(draws)]
    lower, median, upper = np.quantile(known, [0.05, 0.5, 0.95])
    return {
        "mean": known.mean(),
        "sd": known.std(),
        "median": median,
        "eti90_lower": lower,
        "eti90_upper": upper,
    }


def _halves(a: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Deepening, feedback and gain of matrices (draw, to, from)."""
    rest = [R, S, U, G]
    inverse = np.linalg.inv(np.eye(4) - a[:, rest][:, :, rest])
    into = inverse @ a[:, rest, M][..., None]
    out = a[:, M, rest][:, None] @ inverse
    gain = (out @ a[:, rest, M][..., None])[:, 0, 0] / (1 - a[:, M, M])
    return into[:, 2, 0], out[:, 0, 2], gain


def _links(seed: int, shift: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centre = np.diag([0.42, 0.38, 0.35, 0.55, 0.3]).astype(float)
    for end, start, value in (
        (R, M, 0.05), (S, R, 0.031), (U, S, -0.11), (M, U, 0.09), (M, R, 0.12), (U, M, 0.012),
        (U, R, -0.05), (G, M, -0.08), (S, M, 0.02), (R, U, 0.04),
    ):  # fmt: skip
        centre[end, start] = value + shift
    return centre + rng.normal(0, 0.018, (DRAWS, 5, 5))


def _regime(a: np.ndarray) -> dict[str, float]:
    deepening, feedback, _ = _halves(a)
    vicious = ((deepening > DELTA) & (feedback > DELTA)).mean()
    virtuous = ((deepening < -DELTA) & (feedback > DELTA)).mean()
    none = 1 - vicious - virtuous
    return {
        "delta": DELTA,
        "p_vicious": vicious,
        "p_virtuous": virtuous,
        "p_none": none,
        "p_undefined": 0.0,
    }


def _responses(key: dict[str, str], draws: np.ndarray) -> tuple[list[dict], list[dict]]:
    """Rows of impulse and natural of one place."""
    impulse, natural = [], []
    open_loop = draws.copy()
    open_loop[:, M, [R, S, U, G]] = 0.0
    sizes = {"reliance": (R, 11.0), "poverty": (S, -9.0), "underdevelopment": (U, 1.3)}
    sizes |= {"growth": (G, 8.0)}
    for loop, a in (("closed", draws), ("open", open_loop)):
        power = np.repeat(np.eye(5)[None], DRAWS, axis=0)
        for years in (10, 20, 30):
            power = a @ power
            when = {"loop": loop, "years": years}
            impulse += [
                {**key, **when, "variable": name, **_estimate(power[:, i, M])}
                for i, name in enumerate(NAMES)
            ]
            natural += [
                {**when, "change": change, "variable": name, **_estimate(size * power[:, i, M])}
                for change in ("ten dwellings", "one sd")
                for name, (i, size) in sizes.items()
            ]
    return impulse, natural


def simulate_circle(
    *, converged: bool = True, names: dict[str, str] | None = None, trials: bool = True
) -> CircleResults:
    names = names or {code: name for code, (name, _) in STATES.items()}
    places = [("nation", "MX", "Nowhere", _links(1))]
    places += [
        ("region", code, name, _links(10 + i, 0.03 * (i - 1)))
        for i, (code, name) in enumerate(REGIONS.items())
    ]
    places += [
        ("state", code, name, _links(50 + i, 0.05 * (i % 5 - 2)))
        for i, (code, name) in enumerate(names.items())
    ]
    link, loop, regime, impulse, natural = [], [], [], [], []
    for level, code, name, draws in places:
        key = {"level": level, "code": code, "name": name}
        readings = {"lagged": draws}
        if level == "nation":
            readings["ordered total"] = draws + np.random.default_rng(9).normal(0.02, 0.02)
        for reading, a in readings.items():
            intervals = {"all": 0.0}
            if level == "nation" and reading == "lagged":
                intervals |= {"2000-2010": 0.01, "2010-2020": -0.01}
            for interval, extra in intervals.items():
                for end in range(5):
                    for start in range(5):
                        value = a[:, end, start] + extra
                        link.append(
                            {
                                **key,
                                "interval": interval,
                                "reading": reading,
                                "to": NAMES[end],
                                "from": NAMES[start],
                                **_estimate(value),
                                "p_positive": (value > 0).mean(),
                                "p_negligible": (abs(value) < 0.02).mean(),
                                "claimed": (start, end) in CHAIN,
                                "r_hat": 1.002,
                                "ess_bulk": 812.0,
                            }
                        )
            deepening, feedback, gain = _halves(a)
            quantities = {"gain": gain, "deepening": deepening, "feedback": feedback}
            for start, end in CHAIN:
                cut = a.copy()
                cut[:, end, start] = 0.0
                quantities[f"gain_without_{NAMES[start]}_{NAMES[end]}"] = _halves(cut)[2]
            quantities["undefined_share"] = np.full(DRAWS, 0.015)
            for quantity, value in quantities.items():
                loop.append({**key, "reading": reading, "quantity": quantity, **_estimate(value)})
            regime.append({**key, "reading": reading, **_regime(a)})
        if level == "nation":
            impulse, natural = _responses(key, draws)
    parameter = [
        {
            "name": name,
            "description": f"made-up {name}",
            **_estimate(np.random.default_rng(i).gamma(4, 0.02, DRAWS)),
            "r_hat": 1.001,
            "ess_bulk": 900.0,
            "ess_tail": 800.0,
        }
        for i, name in enumerate(
            ("link_interval_sd", "link_region_sd", "link_state_sd", "intercept_share")
        )
    ]
    tables = {
        "link": pd.DataFrame(link),
        "natural": pd.DataFrame(natural),
        "loop": pd.DataFrame(loop),
        "regime": pd.DataFrame(regime),
        "impulse": pd.DataFrame(impulse),
        "parameter": pd.DataFrame(parameter),
    }
    if trials:
        tables |= {"specification": _specification(), "confusion": _confusion()}
        tables["coverage"] = _coverage()
        tables |= _comparison() | {"agreement": _agreement()}
    why = {"reasons": ["R-hat of link[growth] is 1.3"], "remedies": ["take more draws"]}
    summary = {
        "model": "circle (made-up results)",
        "converged": converged,
        **({} if converged else why),
        "r_hat_max": 1.004,
        "ess_bulk_min": 702.0,
        "ess_tail_min": 650.0,
        "divergences": 0,
        "draws": DRAWS,
        "chains": 4,
        "seed": 7,
        "panel_hash": "made-up",
        "versions": {"remitstats": "0.0"},
        "command": "remitstats fit circle --seed 7",
        "verdict": COUNTRY,
        "comparison": {"folds": 8, "k_hat_limit": 0.6} if trials else None,
        "by_chains": {"municipalities": 2456, "coverage": _COVERED} if trials else None,
    }
    return CircleResults(**tables, summary=summary)


def _specification() -> pd.DataFrame:
    choices = [
        "Headline", "Circular migrants too", "Low wages for poverty", "No electricity",
        "Earth floor", "Illiteracy", "Crowding", "Without border", "Without metropolitan areas",
        "Weighted by population", "Wider priors", "Narrower priors", "Same links in both decades",
        "Without size adjustment", "No drainage",
    ]  # fmt: skip
    rows = []
    for i, choice in enumerate(choices):
        found = _halves(_links(200 + i, 0.0 if i == 0 else 0.04 * np.sin(i)))
        for quantity, value in zip(("deepening", "feedback", "gain"), found, strict=True):
            rows.append(
                {
                    "specification": choice,
                    "headline": i == 0,
                    "core": i < 4,
                    "reading": "lagged",
                    "quantity": quantity,
                    **_estimate(value),
                }
            )
    return pd.DataFrame(rows)


def _comparison() -> dict[str, pd.DataFrame]:
    density, prediction = [], []
    chosen = ("all links", "no loop", "no migration → reliance", "virtuous signs only")
    for i, variant in enumerate(chosen):
        weight = (0.4, 0.3, 0.1, 0.2)[i]
        density.append(
            {
                "variant": variant,
                "elpd": -900.0 - 20 * i,
                "difference": -20.0 * i,
                "se": 8.0 * i,
                "weight": weight,
                "weight_eti90_lower": weight / 4,
                "weight_eti90_upper": 2 * weight,
                "best_share": weight,
                "psis_elpd": np.nan if i == 3 else -905.0 - 20 * i,
                "psis_states_above": np.nan if i == 3 else 4.0 + i,
            }
        )
        if i < 3:
            error = {"error": 0.7 + i / 50, "ratio": 1.0 + i / 35}
            error |= {"eti90_lower": 1.0 + i / 40, "eti90_upper": 1.0 + i / 30}
            prediction += [{"variant": variant, "variable": name, **error} for name in NAMES]
    return {"comparison": pd.DataFrame(density), "prediction": pd.DataFrame(prediction)}


def _confusion() -> pd.DataFrame:
    counts = {
        "vicious circle": (93, 7, 0),
        "virtuous circle": (0, 6, 94),
        "no loop": (2, 38, 60),
        "one link reversed": (1, 41, 58),
        "lasting differences only": (3, 45, 52),
        "confounded": (22, 60, 18),
    }
    return pd.DataFrame(
        [
            {"scenario": scenario, "verdict": verdict, "count": n, "share": n / sum(row)}
            for scenario, row in counts.items()
            for verdict, n in zip(("supported", "inconclusive", "contradicted"), row, strict=True)
        ]
    )


_COVERED = {"estimate": 0.893, "gap": -0.004, "gap_se": 0.007, "panels": 40}


def _agreement() -> pd.DataFrame:
    rows = []
    for scenario, vicious, approximated in (("vicious circle", 17, 19), ("no loop", 0, 1)):
        rows.append(
            {
                "scenario": scenario,
                "panels": 20,
                "vicious": vicious,
                "vicious_approximate": approximated,
                "virtuous": 0,
                "virtuous_approximate": 0,
                "agree": 18,
                "coverage": 0.89,
                "coverage_approximate": 0.88,
                "gap_sd": 0.03,
                "most_away": 1.1,
                "sd_ratio": 1.02,
                "r_hat": 1.04,
                "ess": 71.0,
                "median_ess": 640.0,
            }
        )
    return pd.DataFrame(rows)


def _coverage() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows = []
    for scenario in ("vicious circle", "no loop", "lasting differences only"):
        for end in NAMES:
            for start in NAMES:
                share = rng.binomial(100, 0.9) / 100
                error = 1.64 * np.sqrt(share * (1 - share) / 100)
                ends = {"eti90_lower": share - error, "eti90_upper": share + error}
                rows.append(
                    {"scenario": scenario, "to": end, "from": start, "coverage": share, **ends}
                )
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def simulated_circle() -> Callable[..., CircleResults]:
    return simulate_circle


@pytest.fixture(scope="session")
def circle_site(
    results, grid_panel: Callable[..., Panel], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The report of converged simulated results with a converged fit of the circle."""
    out = tmp_path_factory.mktemp("circle")
    return build_report(
        results, grid_panel(results), out, others={"circle": simulate_circle()}
    ).parent


@pytest.fixture(scope="session")
def stuck_circle_site(
    results, grid_panel: Callable[..., Panel], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The same with a fit of the circle that did not converge."""
    out = tmp_path_factory.mktemp("stuck_circle")
    circle = simulate_circle(converged=False)
    return build_report(
        results, grid_panel(results, shapes=False), out, others={"circle": circle}, languages=["en"]
    ).parent
