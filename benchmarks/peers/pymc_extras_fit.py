"""What pymc-extras offers for such a model: `find_MAP`, `fit(method="laplace")`, `"INLA"`.

None of them samples the posterior of the field: they are compared by the means and standard
deviations they give, and by their time.
"""

from __future__ import annotations

import logging
import time
import warnings
from typing import Any

import numpy as np
import pymc as pm
import pymc_extras as pmx
import pytensor.tensor as pt

from benchmarks.bym2 import HYPER, Bym2Data
from benchmarks.peers import pymc_model


def describe(data: Bym2Data, *, method: str, seed: int = 1) -> dict[str, Any]:
    """Run one method; return means and standard deviations of what it reports, by name."""
    logging.disable(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {"map": _map, "laplace": _laplace, "inla": _inla}[method](data, seed)


def _map(data: Bym2Data, seed: int) -> dict[str, Any]:
    model = pymc_model.build(data, centred=False)
    start = time.perf_counter()
    found = pmx.find_MAP(
        method="L-BFGS-B", model=model, random_seed=seed, progressbar=False, maxiter=5000
    )
    values = found["posterior"] if hasattr(found, "children") else found
    mean = {name: float(np.squeeze(np.asarray(values[name]))) for name in HYPER}
    eta = np.asarray(values["eta"]).ravel()
    return {
        "mean": mean,
        "sd": {},
        "eta_mean": eta.tolist(),
        "eta_sd": [],
        "fit": time.perf_counter() - start,
    }


def _laplace(data: Bym2Data, seed: int) -> dict[str, Any]:
    model = pymc_model.build(data, centred=False)
    start = time.perf_counter()
    tree = pmx.fit(
        method="laplace",
        optimize_method="L-BFGS-B",
        model=model,
        draws=1000,
        random_seed=seed,
        progressbar=False,
        optimizer_kwargs={"maxiter": 5000},
    )
    posterior = tree["posterior"]
    return _moments(posterior, time.perf_counter() - start)


def _moments(posterior: Any, seconds: float) -> dict[str, Any]:
    flat = {n: posterior[n].to_numpy() for n in (*HYPER, "eta") if n in posterior}
    eta = flat.get("eta")
    wide = None if eta is None else eta.reshape(-1, eta.shape[-1])
    return {
        "mean": {n: float(flat[n].mean()) for n in HYPER},
        "sd": {n: float(flat[n].std()) for n in HYPER},
        "eta_mean": [] if wide is None else wide.mean(axis=0).tolist(),
        "eta_sd": [] if wide is None else wide.std(axis=0).tolist(),
        "fit": seconds,
    }


def _inla(data: Bym2Data, seed: int) -> dict[str, Any]:
    """Integrate the stacked field (a, b, f, v) out; NUTS on the hyperparameters.

    pymc-extras wants the field as one dense multivariate normal with its precision; the ICAR gets
    a small ridge and its sum a normal of its own, for the precision has to be invertible.
    """
    areas, states = data.areas, data.states
    laplacian = np.zeros((areas, areas))
    first, second = data.edges.T
    laplacian[first, second] = laplacian[second, first] = -1.0
    laplacian -= np.diag(laplacian.sum(axis=1))
    size = 1 + states + 2 * areas
    spatial = slice(1 + states, 1 + states + areas)
    precision = np.eye(size)
    precision[spatial, spatial] = data.scaling * (laplacian + 1e-6 * np.eye(areas)) + 1.0 / areas
    with pm.Model() as model:
        state_sd = pm.Exponential("state_sd", data.state_rate)
        sd = pm.Exponential("municipality_sd", data.sd_rate)
        share = pm.Beta("municipality_share", data.share_alpha, data.share_beta)
        x = pm.MvNormal("x", mu=np.zeros(size), tau=precision, shape=size)
        space = pt.sqrt(share) * x[spatial] + pt.sqrt(1.0 - share) * x[1 + states + areas :]
        state = state_sd * x[1 : 1 + states][data.state_of]
        eta = data.mean + data.intercept_sd * x[0] + state + sd * space
        trials = np.round(data.effective).astype(int)
        counts = np.minimum(np.round(data.receiving).astype(int), trials)
        pm.Binomial("y", n=trials, logit_p=eta, observed=counts)
    start = time.perf_counter()
    tree = pmx.fit(
        method="INLA",
        x=x,
        Q=precision,
        model=model,
        draws=200,
        tune=200,
        chains=2,
        random_seed=seed,
        progressbar=False,
        compute_convergence_checks=False,
    )
    return _moments(tree["posterior"], time.perf_counter() - start)
