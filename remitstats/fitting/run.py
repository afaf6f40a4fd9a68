"""`fit`: run a model with an engine and return a DataTree, the same layout whichever ran."""

from __future__ import annotations

from typing import Any

import xarray as xr

from remitstats.errors import RemitstatsError
from remitstats.fitting.run_chains import Progress
from remitstats.fitting.run_laplace import run_laplace
from remitstats.fitting.run_nuts import run_nuts
from remitstats.fitting.run_tree import tree_of
from remitstats.fitting.run_whitened import run_whitened
from remitstats.fitting.settings import AskedSettings
from remitstats.panel.panel import Panel
from remitstats.parts.latent_gaussian import LatentGaussian


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
    if hasattr(model, "collapsed") or getattr(model, "sampled", False):
        name, coords = model.specification["model"], model.coords_of_posterior
        if hasattr(model, "collapsed") and settings.engine == "laplace":
            drawn = run_whitened(model, settings, cores, progress)
        else:  # what has nothing to integrate has NUTS for its only engine
            drawn = run_nuts(model, list(model.dims_of_posterior), settings, cores, progress)
        return tree_of(model, panel, name, coords, settings, drawn)
    blocks = _blocks(model)
    if settings.engine == "laplace":
        _check_unchanged(model, blocks)
        drawn = run_laplace(blocks, settings, cores, progress)
    else:
        names = [*blocks.hyperparameters, *blocks.reported, "linear_predictor"]
        drawn = run_nuts(model, names, settings, cores, progress)
    return tree_of(model, panel, blocks.name, blocks.coords, settings, drawn)


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
