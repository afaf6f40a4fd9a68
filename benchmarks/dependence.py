"""The collapsed dependence model against the plain latent one under NUTS, and cost by size.

    python -m benchmarks.dependence                       # two states, a few minutes
    python -m benchmarks.dependence --states 14,32,20     # a larger part
    python -m benchmarks.dependence --states all          # the country: hours for the latent one

Both have the same standard deviations, priors and data; the plain one has every path, level and
error as a free variable (non-centred). Compared are the least bulk ESS over all standard deviations
a second of processor time, everything counted but imports. Results go to
``benchmarks/dependence.json``.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

import remitstats
from remitstats.fitting.convergence import convergence_of
from remitstats.models import dependence
from remitstats.models.dependence_data import prepare_data
from remitstats.models.dependence_density import DependenceDensity
from remitstats.models.dependence_form import NATION, SERIES, STATE
from remitstats.panel.load import load_mexico
from remitstats.parts.grouped_paths import GroupedSeries, PathCovariances, density

OUT = Path(__file__).with_name("dependence.json")


def latent_model(data: Any, priors: Any = None) -> pm.Model:
    """Return the model with nothing integrated out.

    Every term of the covariances is standard normal numbers times a root of its kernel times its
    standard deviation; only the noise of a single quarter stays in the likelihood.
    """
    collapsed = DependenceDensity(data, priors or dependence.Priors())
    form = collapsed.form
    fitted, states = data.observed.shape[1], len(data.coords["state"])
    roots = {name: _root(kernel) for name, kernel in collapsed.kernel.items()}
    with pm.Model() as model:
        parts = []
        for name, (place, dim) in form.layout.items():
            rate = float(form.rate[place][0])
            free = pm.Exponential(name, lam=rate, shape=(place.stop - place.start,))
            parts.append(free)
            assert dim is None or place.stop > place.start
        sds = pt.concatenate(parts)

        def drawn(part: str, kind: int, count: int, skipped: str = "") -> Any:
            total = pt.zeros((count, fitted))
            for t, term in enumerate(form.terms):
                if term.part != part or term.kind != kind or term.kernel == skipped:
                    continue
                root = roots[term.kernel]
                unit = pm.Normal(f"{part}_{kind}_{t}_unit", shape=(count, root.shape[1]))
                size = term.scale
                for place in term.parameters:
                    size = size * sds[place]
                total = total + size * (unit @ root.T)
            return total

        nation = drawn(NATION, 0, 1)[0]
        state = drawn(STATE, 0, states)
        loose = pm.Normal("shift_unit", shape=(states, fitted))
        state = state + data.shift_sd * loose
        columns = collapsed.extra
        reporting = pt.zeros(fitted)
        if columns.shape[1]:
            spread = pt.concatenate(
                [
                    np.full(4, 3.0),
                    pt.ones(columns.shape[1] - 4) * sds[form.layout["faint_path_sd"][0].start],
                ]
            )
            numbers = pm.Normal("reporting_unit", shape=(columns.shape[1],))
            reporting = pt.dot(columns, spread * numbers)
        for kind in range(len(data.faint)):
            members = np.flatnonzero(data.kind_of == kind)
            path = nation + state[data.state_of[members]]
            if data.faint[kind]:
                path = path + reporting
            mean = path + drawn(SERIES, kind, len(members), skipped="noise")
            rows, columns_ = np.nonzero(np.isfinite(data.observed[members]))
            noise = sds[form.layout["noise_sd"][0].start + kind]
            pm.Normal(
                f"y_{kind}",
                mean[rows, columns_],
                pt.sqrt(noise**2 + 1e-6),
                observed=data.observed[members][rows, columns_],
            )
    return model


def _root(kernel: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(kernel)
    kept = values > 1e-12 * values[-1]
    return vectors[:, kept] * np.sqrt(values[kept])


def judged(posterior: Any, names: list[str]) -> tuple[float, float, str]:
    """Return least bulk ESS, largest R-hat and the name of the least."""
    table = convergence_of({name: posterior[name] for name in names})
    worst = table.loc[table["ess_bulk"].idxmin()]
    return float(worst["ess_bulk"]), float(table["r_hat"].max()), str(worst["quantity"])


def run_collapsed(panel: Any, seed: int) -> dict[str, Any]:
    """Time the engine of the collapsed model."""
    wall, cpu = time.perf_counter(), time.process_time()
    model = dependence.build(panel)
    fit = remitstats.fit(model, panel, seed=seed)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    names = list(model.collapsed.form.layout)
    ess, r_hat, worst = judged(fit["posterior"], names)
    return _row("collapsed, remitstats", ess, r_hat, worst, cpu, wall, model.collapsed.size)


def run_latent(panel: Any, seed: int, tune: int, draws: int) -> dict[str, Any]:
    """Time NUTS (nutpie) on the plain latent model."""
    wall, cpu = time.perf_counter(), time.process_time()
    data = prepare_data(panel)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = latent_model(data)
        size = int(sum(np.size(value) for value in model.initial_point().values()))
        tree = pm.sample(
            model=model, draws=draws, tune=tune, chains=2, cores=2, random_seed=seed,
            nuts_sampler="nutpie", progressbar=False, compute_convergence_checks=False,
            var_names=list(DependenceDensity(data, dependence.Priors()).form.layout),
        )  # fmt: skip
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    names = list(DependenceDensity(data, dependence.Priors()).form.layout)
    ess, r_hat, worst = judged(tree["posterior"], names)
    row = _row("plain latent, NUTS", ess, r_hat, worst, cpu, wall, size)
    return {**row, "tune": tune, "draws": draws, "chains": 2}


def _row(
    name: str, ess: float, r_hat: float, worst: str, cpu: float, wall: float, size: int
) -> dict[str, Any]:
    return {
        "sampler": name,
        "parameters": size,
        "least_ess": round(ess, 1),
        "least_ess_of": worst,
        "largest_r_hat": round(r_hat, 4),
        "cpu_seconds": round(cpu, 1),
        "wall_seconds": round(wall, 1),
        "ess_per_cpu_second": ess / cpu,
    }


def cost_by_size(counts: tuple[int, ...] = (500, 5_000, 50_000)) -> list[dict[str, Any]]:
    """Time one gradient for ever more complete series, and for as many incomplete ones."""
    rng = np.random.default_rng(1)
    times, states, kinds = 53, 32, 5
    year = np.arange(times) / 4.0
    walk = np.minimum.outer(year, year)
    series = np.array([np.eye(times) * 0.01 * (c + 1) + 0.02 * walk + 1.0 for c in range(kinds)])
    cov = PathCovariances(
        series,
        np.repeat((0.001 * np.eye(times) + 0.01 * walk + 0.2)[None], states, axis=0),
        0.01 * np.eye(times) + walk + 10.0,
    )
    rows = []
    for count in counts:
        y = rng.standard_normal((count, times))
        data = GroupedSeries.of(
            y, rng.integers(0, states, count), rng.integers(0, kinds, count), states, kinds
        )
        arguments = (data, cov, np.zeros(kinds, dtype=int), np.zeros((times, 0)))
        density(*arguments)
        start = time.process_time()
        for _ in range(5):
            density(*arguments)
        rows.append(
            {
                "complete_series": count,
                "groups": len(data.kind),
                "milliseconds": round(200 * (time.process_time() - start), 2),
            }
        )
    return rows


def main() -> None:
    """Run both, print and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--states", default="14,32")
    parser.add_argument("--tune", type=int, default=300)
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-latent", action="store_true")
    options = parser.parse_args()
    panel = load_mexico()
    if options.states != "all":
        panel = panel.select(options.states.split(","))
    data = prepare_data(panel)
    found: dict[str, Any] = {
        "states": options.states,
        "municipalities": len(data.observed),
        "observations": int(np.isfinite(data.observed).sum()),
        "machine": platform.processor() or platform.machine(),
        "cost_of_a_gradient": cost_by_size(),
    }
    print(json.dumps(found, indent=2))
    rows = [run_collapsed(panel, options.seed)]
    print(json.dumps(rows[0], indent=2), flush=True)
    if not options.without_latent:
        rows.append(run_latent(panel, options.seed, options.tune, options.draws))
        print(json.dumps(rows[1], indent=2))
        found["ratio"] = round(rows[0]["ess_per_cpu_second"] / rows[1]["ess_per_cpu_second"], 1)
        print(f"ESS a second of processor time: {found['ratio']} times the plain latent model's")
    found["samplers"] = rows
    OUT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
