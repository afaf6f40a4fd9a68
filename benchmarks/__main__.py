"""The benchmark: `make bench`, or `.venv/bin/python -m benchmarks [--quick] [--fresh] …`.

Every entry runs in a process of its own; finished ones are kept, so that an interrupted run goes on
where it stopped. Results go to `benchmarks/results.json`, table and figures to
`benchmarks/README.md`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import ladder, process, report, solvers
from benchmarks.panels import PanelSpec, export
from benchmarks.plan import CHAINS, CORES, OWN, PEERS, Entry, Plan, extras_reference, full, quick
from benchmarks.process import ROOT, Environments
from benchmarks.results import HERE, Results, digest_of
from benchmarks.wording import best, sentence

STEPS = ("check", "entries", "scaling", "solvers", "extras")
EXTRAS_LIMIT = 300.0


@dataclass
class Bench:
    """What all steps share."""

    plan: Plan
    results: Results
    environments: Environments
    data: Path
    share_caches: bool
    only: frozenset[str]

    def wanted(self, key: str) -> bool:
        """Whether an entry was asked for."""
        return not self.only or key in self.only

    @contextmanager
    def cache(self) -> Iterator[Path]:
        """Give a folder for compilation caches: an empty one, unless they are shared."""
        if self.share_caches:
            yield self.environments.scratch / "cache"
            return
        folder = Path(tempfile.mkdtemp(dir=self.environments.scratch))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def arrays(self, spec: PanelSpec) -> Path:
        """Return the exported arrays of a panel of one wave."""
        path = self.data / f"data-{spec.waves[0]}-{spec.areas}.npz"
        if not path.is_file():
            export(spec.build()).save(path)
        return path

    def moments(self, key: str) -> Path:
        """Return where means and standard deviations of an entry lie."""
        return self.data / f"moments-{key}.npz"


def main() -> None:
    """Run what the command line asks for."""
    arguments = _arguments()
    folder = HERE / ".work" / ("quick" if arguments.quick else "full")
    folder.mkdir(parents=True, exist_ok=True)
    home = folder if arguments.quick else HERE
    results = Results(home / "results.json", fresh=arguments.fresh)
    limit = arguments.limit or (60.0 if arguments.quick else 480.0)
    plan = quick(limit) if arguments.quick else full(limit, arguments.large_limit, arguments.seeds)
    own = Path(sys.executable)
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(
            plan,
            results,
            Environments(own, ROOT / arguments.peers / "bin" / "python", Path(scratch)),
            folder,
            share_caches=arguments.quick,
            only=frozenset(arguments.only),
        )
        start = time.monotonic()
        try:
            for step in STEPS:
                if step in arguments.steps:
                    globals()[f"_{step}"](bench)
        except KeyboardInterrupt:
            print("Interrupted: what is finished is kept, run again to go on.", file=sys.stderr)
            sys.exit(130)
    written = report.write(results, plan, home)
    print(f"{written} ({(time.monotonic() - start) / 60:.1f} min)")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a trial on few municipalities")
    parser.add_argument("--fresh", action="store_true", help="forget the results there are")
    parser.add_argument("--limit", type=float, help="seconds a run may take (480; quick: 60)")
    parser.add_argument(
        "--large-limit", type=float, default=3000.0, help="seconds for the copies of the country"
    )
    parser.add_argument("--seeds", type=int, default=2, help="fits of each size and set of waves")
    parser.add_argument(
        "--steps", nargs="*", choices=STEPS, default=list(STEPS), help="none: only the report"
    )
    parser.add_argument("--only", nargs="*", default=[], help="keys of entries or cost curves")
    parser.add_argument("--peers", default=".venv-bench", help="environment of the others")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _job(bench: Bench, entry: Entry, action: str, limit: float) -> dict[str, Any]:
    content: dict[str, Any] = {
        "action": action,
        "peer": entry.peer,
        "libraries": entry.libraries,
        "options": entry.options,
        "limit": limit,
    }
    if entry.own_panel:
        content["panel"] = entry.describe()["panel"]
    if entry.same_model or not entry.own_panel:
        content["data"] = str(bench.arrays(entry.panel))
    return content


def _sources(entry: Entry) -> list[str]:
    extra = {"pymc_nutpie": ["peers/pymc_model.py"], "stan_nuts": ["peers/bym2.stan"]}
    return [f"peers/{entry.peer}.py", *extra.get(entry.peer, [])]


def _check(bench: Bench) -> None:
    """Hold every sampler's own log density to the reference on a small map."""
    _say("Do all fit the same model?")
    entries = [e for e in bench.plan.entries if e.same_model and bench.wanted(e.key)]
    small = PanelSpec((2020,), 60)
    bench.arrays(small)

    def one(entry: Entry) -> None:
        content = _job(bench, entry, "check", 300.0)
        content["data"] = str(bench.arrays(small))
        if entry.own_panel:
            content["panel"] = {"waves": small.waves, "areas": small.areas, "copies": 1}

        def make() -> dict[str, Any]:
            with bench.cache() as cache:
                return process.job(
                    bench.environments, entry.environment, content, cache=cache, label=entry.label
                )

        digest = digest_of({**content, "data": "", "check": small.areas}, _sources(entry))
        found, _ = bench.results.get_or_make("check", entry.key, digest, make)
        what = found.get("failed") or f"differs by {found['largest_difference']:.1e}"
        _say(f"  {entry.label}: {what}")

    with ThreadPoolExecutor(max_workers=CORES) as pool:  # nothing is timed here
        list(pool.map(one, entries))


def _entries(bench: Bench) -> None:
    """Run the comparison."""
    entries = [e for e in bench.plan.entries if bench.wanted(e.key)]
    bench.results.keep_only("entries", {e.key for e in bench.plan.entries})
    for entry in entries:
        _job(bench, entry, "run", 0.0)  # writes the arrays that several will read
    at_once = 2 if bench.share_caches else 1  # a trial measures nothing: it may as well be fast

    def one(numbered: tuple[int, Entry]) -> None:
        number, entry = numbered
        content = _job(bench, entry, "run", bench.plan.limit)
        what = {**content, "plan": [bench.plan.pilot, bench.plan.main_warmup], "data": ""}
        digest = digest_of({**what, "areas": entry.panel.areas}, _sources(entry))
        label = f"[{number}/{len(entries)}] {entry.label}, {len(entry.panel.waves)} wave(s)"
        found, kept = bench.results.get_or_make(
            "entries", entry.key, digest, lambda: {"runs": _runs(bench, entry, content, label)}
        )
        _say(f"{label}: {sentence(best(found['runs']))}{' (kept)' if kept else ''}")

    with ThreadPoolExecutor(max_workers=at_once) as pool:
        list(pool.map(one, enumerate(entries, 1)))


def _runs(bench: Bench, entry: Entry, content: dict[str, Any], label: str) -> list[dict[str, Any]]:
    """Run an entry, longer each time, until it reached the target or can't in the time limit."""
    runs: list[dict[str, Any]] = []
    moments = bench.moments(entry.key)
    while (lengths := ladder.next_lengths(entry, bench.plan, runs)) is not None:
        warmup, draws = lengths
        content["settings"] = _settings(warmup, draws, seed=len(runs) + 1)
        content["moments"] = str(moments.with_suffix(".new.npz"))
        with bench.cache() as cache:
            run = process.job(
                bench.environments,
                entry.environment,
                content,
                cache=cache,
                label=f"{label}, {warmup} + {draws} iterations",
            )
        run["lengths"] = lengths
        if "failed" not in run:
            Path(content["moments"]).replace(moments)
        runs.append(run)
        _say(f"{label}, {warmup} + {draws} iterations: {sentence(run)}")
    return runs


def _settings(warmup: int, draws: int, seed: int) -> dict[str, int]:
    return {"warmup": warmup, "draws": draws, "chains": CHAINS, "cores": CORES, "seed": seed}


def _scaling(bench: Bench) -> None:
    """Fit countries of several sizes, and several numbers of waves."""
    todo = [(e, seed) for e, seed in bench.plan.scaling() if bench.wanted(e.key)]
    bench.results.keep_only("scaling", {e.key for e, _ in bench.plan.scaling()})
    for number, (entry, seed) in enumerate(todo, 1):
        limit = bench.plan.large_limit if entry.panel.copies > 1 else bench.plan.limit
        content = _job(bench, entry, "run", limit)
        warmup, draws = ladder.next_lengths(entry, bench.plan, []) or (0, 0)
        content |= {"settings": _settings(warmup, draws, seed), "search": False}
        label = f"[{number}/{len(todo)}] {entry.label}, {len(entry.panel.waves)} wave(s)"

        def make(
            entry: Entry = entry, content: dict[str, Any] = content, label: str = label
        ) -> dict[str, Any]:
            content["moments"] = str(bench.moments(entry.key))
            with bench.cache() as cache:
                run = process.job(
                    bench.environments, entry.environment, content, cache=cache, label=label
                )
            size = _size(entry.panel)
            if "failed" not in run:
                run |= {"seconds_to_400": ladder.seconds_to_target(run)}
            return {**run, "areas": size, "waves": len(entry.panel.waves)}

        found, kept = bench.results.get_or_make(
            "scaling", entry.key, digest_of(content, _sources(entry)), make
        )
        _say(f"{label}: {sentence(found)}{' (kept)' if kept else ''}")


def _size(spec: PanelSpec) -> int:
    return len(spec.build().table("municipality"))


def _solvers(bench: Bench) -> None:
    """Time sparse factorisations of the engine's matrices."""
    for waves in ((2020,), (2000, 2010, 2020)):
        spec = {"waves": waves, "areas": bench.plan.sizes[-1], "copies": 1}
        label = f"Linear algebra, {len(waves)} wave(s)"

        def make(
            spec: dict[str, Any] = spec, label: str = label, waves: tuple[int, ...] = waves
        ) -> dict[str, Any]:
            matrix = bench.data / f"matrix-{len(waves)}.npz"
            answer = matrix.with_suffix(".json")
            solvers.export(spec, matrix)
            failure = process.run(
                bench.environments,
                PEERS,
                "benchmarks.solvers",
                [str(matrix), str(answer), str(bench.plan.solver_seconds)],
                limit=600.0,
                cache=bench.environments.scratch / "cache",
                label=label,
                variables=dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
            )
            return {"failed": failure} if failure else solvers.read(answer)

        digest = digest_of(spec, ["solvers.py", "peers/remitstats_fit.py"])
        found, kept = bench.results.get_or_make("solvers", str(len(waves)), digest, make)
        told = found.get("failed") or f"{len(found['rows'])} solvers"
        _say(f"{label}: {told}{' (kept)' if kept else ''}")


def _extras(bench: Bench) -> None:
    """Try what pymc-extras offers for such a model, on a small map."""
    entry = extras_reference(bench.plan)
    warmup, draws = ladder.next_lengths(entry, bench.plan, []) or (0, 0)
    base = _job(bench, entry, "run", bench.plan.limit)
    base["settings"] = _settings(warmup, draws, 1)
    base_digest = digest_of(base, _sources(entry))
    for method in bench.plan.extras:
        if not bench.wanted(f"extras-{method}"):
            continue
        content: dict[str, Any] = {
            "action": "describe",
            "peer": "pymc_extras_fit",
            "libraries": ("pymc", "pymc_extras"),
            "options": {"method": method},
            "limit": min(bench.plan.limit, EXTRAS_LIMIT),
        }
        digest = digest_of(
            {**content, "base": base_digest}, ["peers/pymc_extras_fit.py", "peers/pymc_model.py"]
        )

        def make(content: dict[str, Any] = content, method: str = method) -> dict[str, Any]:
            reference = bench.moments(base_digest)
            if not reference.is_file():
                with bench.cache() as cache:
                    base["moments"] = str(reference)
                    process.job(bench.environments, OWN, base, cache=cache, label="reference")
            content["data"] = str(bench.arrays(entry.panel))
            with bench.cache() as cache:
                found = process.job(
                    bench.environments, PEERS, content, cache=cache, label=f"pymc-extras {method}"
                )
            return found if "failed" in found else _against(found, reference)

        found, kept = bench.results.get_or_make("extras", method, digest, make)
        told = found.get("failed") or f"{found['wall']:.0f} s"
        _say(f"pymc-extras, {method}: {told}{' (kept)' if kept else ''}")


def _against(found: dict[str, Any], reference: Path) -> dict[str, Any]:
    """Replace moments by their differences from the reference entry's."""
    eta_mean, eta_sd = (np.array(found.pop(name)) for name in ("eta_mean", "eta_sd"))
    if not reference.is_file():
        return found
    with np.load(reference) as file:
        names, mean, sd = file["names"].tolist(), file["mean"], file["sd"]
    hyper = [i for i, name in enumerate(names) if not name.startswith("eta[")]
    found["reference"] = {names[i]: [float(mean[i]), float(sd[i])] for i in hyper}
    own_mean, own_sd = mean[len(hyper) :], sd[len(hyper) :]
    if len(eta_mean):
        off = np.abs(eta_mean - own_mean) / own_sd
        found["eta_off"] = [float(np.median(off)), float(np.max(off))]
    if len(eta_sd):
        ratio = eta_sd / own_sd
        found["eta_sd_ratio"] = [float(np.median(ratio)), float(ratio.min()), float(ratio.max())]
    return found


if __name__ == "__main__":
    main()
