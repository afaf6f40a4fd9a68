"""`fit`: run a model with an engine and return a DataTree, the same layout whichever ran."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from remitstats.errors import RemitstatsError
from remitstats.fitting import mixture, whitened
from remitstats.fitting.laplace import Chain, ChainDraws, prepare
from remitstats.fitting.settings import AskedSettings, Settings, available_cores
from remitstats.fitting.version import code_version, fit_key
from remitstats.panel.panel import Panel
from remitstats.parts.collapsed_density import CollapsedDensity
from remitstats.parts.latent_gaussian import LatentGaussian

Progress = Callable[[str, float], None]
PACKAGES = ("remitstats", "pymc", "nutpie", "numpy", "scipy", "qdldl", "xarray", "arviz-stats")


def fit(
    model: Any,
    panel: Panel,
    *,
    seed: int = 1,
    engine: str = "laplace",
    draws: int | None = None,
    tune: int | None = None,
    chains: int | None = None,
    cores: int | None = None,
    progress: Progress | None = None,
) -> xr.DataTree:
    """Sample the posterior of a model.

    Parameters
    ----------
    model : pymc.Model
        What a `build` function of `remitstats` returned.
    panel : Panel
        The panel it was built from; its hash goes into the provenance.
    seed, engine, draws, tune, chains
        See `Settings`; None takes its default. The result does not depend on `cores`.
    cores : int, optional
        Chains run at once; by default the cores this process may use.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.

    Returns
    -------
    xarray.DataTree
        Groups `posterior` (hyperparameters, effects and `linear_predictor`), `sample_stats`,
        `observed_data`, `constant_data` and `provenance` (attributes: versions, seed, panel
        hash, priors, wall seconds by phase). Judge it with `remitstats.gate` before use.

    Raises
    ------
    RemitstatsError
        If the settings can't be run, or the model was changed after `build` and
        ``engine="laplace"`` would ignore the change.
    """
    asked = AskedSettings(engine, seed, draws, tune, chains)
    settings = asked.settings(getattr(model, "lengths", {}))
    if hasattr(model, "collapsed"):
        run = _whitened if settings.engine == "laplace" else _nuts_collapsed
        posterior, stats, wall, extra = run(model, settings, cores, progress)
        name, coords = model.specification["model"], model.coords_of_posterior
        return _tree(model, panel, name, coords, settings, posterior, stats, wall, extra)
    if getattr(model, "sampled", False):  # nothing to integrate: NUTS is its only engine
        names = list(model.dims_of_posterior)
        posterior, stats, wall, extra = _nuts(model, names, settings, cores, progress)
        name, coords = model.specification["model"], model.coords_of_posterior
        extra |= {"sampler": "nuts"}
        return _tree(model, panel, name, coords, settings, posterior, stats, wall, extra)
    blocks = _blocks(model)
    if settings.engine == "laplace":
        _check_unchanged(model, blocks)
        posterior, stats, wall, extra = _laplace(blocks, settings, cores, progress)
    else:
        posterior, stats, wall, extra = _nuts(
            model,
            [*blocks.hyperparameters, *blocks.reported, "linear_predictor"],
            settings,
            cores,
            progress,
        )
    return _tree(model, panel, blocks.name, blocks.coords, settings, posterior, stats, wall, extra)


def _blocks(model: Any) -> LatentGaussian:
    blocks = getattr(model, "latent_gaussian", None)
    if not isinstance(blocks, LatentGaussian):
        raise RemitstatsError(
            "This model was not built by remitstats: pass what a build function returned, such as "
            "remitstats.reliance.build(panel). A PyMC model of your own is sampled with pm.sample."
        )
    return blocks


def _check_unchanged(model: Any, blocks: LatentGaussian) -> None:
    added = sorted(set(model.named_vars) - blocks.variable_names)
    gone = sorted(blocks.variable_names - set(model.named_vars))
    if added or gone or model.potentials:
        what = ", ".join([*added, *gone, *(str(p.name) for p in model.potentials)])
        raise RemitstatsError(
            f"The model was changed after it was built ({what}); engine='laplace' would ignore "
            "that. Use engine='nuts'."
        )


class _StoppedError(Exception):
    """Raised inside a chain's thread when the fit is interrupted."""


def _laplace(
    blocks: LatentGaussian, settings: Settings, cores: int | None, progress: Progress | None
) -> tuple[dict[str, Any], dict[str, Any], dict[str, float], dict[str, Any]]:
    start = time.perf_counter()
    first, *rest = np.random.SeedSequence(settings.seed).spawn(1 + settings.chains)
    with threadpool_limits(limits=1):  # chains are the parallel part; BLAS threads only contend
        new_chain: Callable[[np.random.SeedSequence], Chain | mixture.Chain]
        heavy = isinstance(blocks.likelihood, mixture.ScaleMixture)
        if heavy:
            new_chain = partial(mixture.Chain, mixture.prepare(blocks, first, progress))
        else:
            new_chain = partial(
                Chain,
                prepare(
                    blocks,
                    np.random.default_rng(first),
                    progress,
                    cores=cores or available_cores(),
                ),
            )
        prepared = time.perf_counter()
        chains = _run_chains(new_chain, rest, settings, cores, progress)
    done = time.perf_counter()
    theta = np.stack([c.theta for c in chains])
    posterior: dict[str, Any] = {}
    for j, (name, prior) in enumerate(blocks.hyperparameters.items()):
        constrained = np.vectorize(prior.constrain, otypes=[float])(theta[:, :, j])
        posterior[name] = (("chain", "draw"), constrained)
    for name, (_, dims) in blocks.reported.items():
        shape = tuple(len(blocks.coords[dim]) for dim in dims)
        value = np.stack([c.reported[name] for c in chains])
        posterior[name] = (("chain", "draw", *dims), value.reshape(*value.shape[:2], *shape))
    shape = tuple(len(blocks.coords[dim]) for dim in blocks.dims)
    eta = np.stack([c.eta for c in chains])
    posterior["linear_predictor"] = (
        ("chain", "draw", *blocks.dims),
        eta.reshape(*eta.shape[:2], *shape),
    )
    dims = ("chain", "draw")
    stats = {
        "lp": (dims, np.stack([c.log_joint for c in chains])),
        "acceptance_rate_hyper": (dims, np.stack([c.accept_hyper for c in chains])),
        "diverging": (dims, np.stack([c.diverging for c in chains])),
    }
    extra: dict[str, Any] = {"steps": [c.steps for c in chains]}
    if heavy:
        extra["sampler"] = "mixture"
    else:
        stats["acceptance_rate"] = (dims, np.stack([c.accept_field for c in chains]))
        stats["log_importance_ratio"] = (dims, np.stack([c.log_ratio for c in chains]))
    wall = {"prepare": prepared - start, "sample": done - prepared}
    return posterior, stats, wall, extra


def _whitened(
    model: Any, settings: Settings, cores: int | None, progress: Progress | None
) -> tuple[dict[str, Any], dict[str, Any], dict[str, float], dict[str, Any]]:
    """Fit a collapsed model with its own engine (`whitened`)."""
    density: CollapsedDensity = model.collapsed
    start = time.perf_counter()
    first, *rest = np.random.SeedSequence(settings.seed).spawn(1 + settings.chains)
    with threadpool_limits(limits=1):
        shape = whitened.prepare(density, first, cores or available_cores(), progress)
        prepared = time.perf_counter()

        chains = [whitened.WhitenedChain(density, shape, each) for each in rest]
        total = settings.chains * (settings.tune + settings.draws)
        begun = 0

        def tune(moves: int) -> list[NDArray[np.float64]]:
            nonlocal begun
            visited = _in_threads(
                lambda number, tick: chains[number].tune(moves, tick),
                settings.chains,
                cores,
                progress,
                (begun, total),
            )
            begun += settings.chains * moves
            return visited

        aim = getattr(model, "acceptance", whitened.ACCEPTANCE)
        whitened.tune_together(chains, settings.tune, tune, aim)
        for again in range(1 + whitened.FINER):
            drawn = _in_threads(
                lambda number, tick: chains[number].draw(settings.draws, tick),
                settings.chains,
                cores,
                progress,
                (begun, total),
            )
            diverging = [stat["diverging"] for _, stat in drawn]
            if again == whitened.FINER or not whitened.made_finer(chains, diverging):
                break
            begun, total = total, total + settings.chains * settings.draws
    done = time.perf_counter()
    found = density.constrain(np.stack([x for x, _ in drawn]))
    posterior = {
        name: (("chain", "draw", *dims), found[name])
        for name, dims in model.dims_of_posterior.items()
        if name in found
    }
    dims = ("chain", "draw")
    stats = {name: (dims, np.stack([stat[name] for _, stat in drawn])) for name in drawn[0][1]}
    wall = {"prepare": prepared - start, "sample": done - prepared}
    extra = {
        "steps": [chain.steps for chain in chains],
        "made_anew": again,
        "log_evidence_laplace": shape.log_evidence,
        "sampler": "whitened",
    }
    return posterior, stats, wall, extra


def _run_chains(
    new_chain: Callable[[np.random.SeedSequence], Chain | mixture.Chain],
    seeds: list[np.random.SeedSequence],
    settings: Settings,
    cores: int | None,
    progress: Progress | None,
) -> list[ChainDraws]:
    def run(number: int, tick: Callable[[], None]) -> ChainDraws:
        chain = new_chain(seeds[number])
        chain.tune(settings.tune, tick)
        return chain.draw(settings.draws, tick)

    count = settings.chains * (settings.draws + settings.tune)
    return _in_threads(run, settings.chains, cores, progress, (0, count))


def _in_threads[T](
    run: Callable[[int, Callable[[], None]], T],
    chains: int,
    cores: int | None,
    progress: Progress | None,
    count: tuple[int, int],
) -> list[T]:
    """Run the chains, several at once; end them all when one fails or the user interrupts.

    Parameters
    ----------
    run : callable
        Takes a chain's number and what it calls after every iteration.
    chains, cores, progress
        As elsewhere.
    count : tuple of int
        Iterations of all chains before these, and in the whole fit.
    """
    before, whole = count
    stop = threading.Event()
    done = [0] * chains

    def one(number: int) -> T:
        def tick() -> None:
            if stop.is_set():
                raise _StoppedError
            done[number] += 1

        return run(number, tick)

    with ThreadPoolExecutor(max_workers=min(chains, cores or available_cores())) as pool:
        futures: list[Future[T]] = [pool.submit(one, i) for i in range(chains)]
        try:
            pending = set(futures)
            while pending:
                finished, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                if progress:
                    progress("sampling", (before + sum(done)) / whole)
        except BaseException:
            stop.set()  # let the threads end before the interrupt travels on
            for future in futures:
                future.cancel()
            raise
    return [future.result() for future in futures]


def _nuts_collapsed(
    model: Any, settings: Settings, cores: int | None, progress: Progress | None
) -> tuple[dict[str, Any], dict[str, Any], dict[str, float], dict[str, Any]]:
    return _nuts(model, list(model.dims_of_posterior), settings, cores, progress)


def _nuts(
    model: Any,
    names: list[str],
    settings: Settings,
    cores: int | None,
    progress: Progress | None,
) -> tuple[dict[str, Any], dict[str, Any], dict[str, float], dict[str, Any]]:
    import pymc as pm  # noqa: PLC0415 - seconds to import; only this engine needs it

    if progress:
        progress("compiling and sampling (nutpie)", 0.0)
    start = time.perf_counter()
    tree = pm.sample(
        draws=settings.draws,
        tune=settings.tune,
        chains=settings.chains,
        cores=min(settings.chains, cores or available_cores()),
        random_seed=settings.seed,
        nuts_sampler="nutpie",
        progressbar=False,
        model=model,
    )
    if tree["posterior"].sizes["draw"] < settings.draws:
        raise KeyboardInterrupt  # nutpie answers Ctrl-C with the draws it has: no whole fit
    wall = {"sample": time.perf_counter() - start}
    if progress:
        progress("compiling and sampling (nutpie)", 1.0)
    posterior = {}
    for name in names:
        if name not in tree["posterior"]:
            continue
        array = tree["posterior"][name]
        value = array.to_numpy()
        large = value.ndim > 2  # hyperparameters keep their precision
        posterior[name] = (array.dims, value.astype(np.float32) if large else value)
    stats = {
        new: (("chain", "draw"), tree["sample_stats"][old].to_numpy())
        for new, old in (
            ("lp", "logp"),
            ("acceptance_rate", "mean_tree_accept"),
            ("diverging", "diverging"),
            ("tree_depth", "depth"),
            ("energy", "energy"),
        )
        if old in tree["sample_stats"]
    }
    return posterior, stats, wall, {}


def _tree(
    model: Any,
    panel: Panel,
    name: str,
    coords: Mapping[str, Any],
    settings: Settings,
    posterior: dict[str, Any],
    stats: dict[str, Any],
    wall: dict[str, float],
    extra: dict[str, Any],
) -> xr.DataTree:
    data = model.data
    known = {dim: np.asarray(value) for dim, value in coords.items()}
    sample = {"chain": np.arange(settings.chains), "draw": np.arange(settings.draws)}

    def dataset(variables: dict[str, Any], own: dict[str, Any]) -> xr.Dataset:
        used = {dim for value in variables.values() for dim in value[0]}
        return xr.Dataset(
            variables, coords={**own, **{k: v for k, v in known.items() if k in used}}
        )

    sampler = extra.pop("sampler", "")
    provenance = {
        "model": name,
        "key": fit_key(model.specification, panel.hash, settings),
        "panel_hash": panel.hash,
        "code_version": code_version(),
        "settings": json.dumps(settings.describe()),
        "specification": json.dumps(model.specification),
        "wall_seconds": json.dumps({k: round(v, 3) for k, v in wall.items()}),
        "versions": json.dumps(versions()),
        "engine_details": json.dumps(extra),
        "sampler": sampler,
    }
    return xr.DataTree.from_dict(
        {
            "posterior": dataset(posterior, sample),
            "sample_stats": xr.Dataset(stats, coords=sample),
            "observed_data": dataset(data.observed_variables(), {}),
            "constant_data": dataset(data.constant_variables(), {}),
            "provenance": xr.Dataset(attrs=provenance),
        }
    )


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that results depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
