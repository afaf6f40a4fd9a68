"""The closest that Bambi's formulas come: another spatial effect, and whole counts.

Bambi has no intrinsic autoregression and no neighbours, so space enters as an approximate Gaussian
process of the areas' centres (HSGP); its likelihoods take whole numbers, so the effective counts
are rounded. State and unstructured effects and their priors are as in the other samplers. It is
not the same model: its numbers say what the nearest formula costs.
"""

from __future__ import annotations

import warnings

import bambi as bmb
import numpy as np
import pandas as pd
from scipy.special import logit

from benchmarks.bym2 import Bym2Data, Draws, RunSettings
from benchmarks.peers.pymc_nutpie import from_tree

BASIS = 20  # functions along each axis of the map


def run(data: Bym2Data, settings: RunSettings) -> Draws:
    """Fit the formula with nutpie."""
    trials = np.round(data.effective).astype(int)
    frame = pd.DataFrame(
        {
            "receiving": np.minimum(np.round(data.receiving).astype(int), trials),
            "sampled": trials,
            "state": [f"s{s:03d}" for s in data.state_of],
            "area": [f"a{i:05d}" for i in range(data.areas)],
            "longitude": data.longitude,
            "latitude": data.latitude,
        }
    )

    def group(rate: float) -> bmb.Prior:
        return bmb.Prior("Normal", mu=0, sigma=bmb.Prior("Exponential", lam=rate))

    space = "hsgp(longitude, latitude, m=basis, c=1.5)"
    model = bmb.Model(
        f"p(receiving, sampled) ~ 1 + (1|state) + (1|area) + {space}",
        frame,
        family="binomial",
        extra_namespace={"basis": [BASIS, BASIS]},
        priors={
            "Intercept": bmb.Prior("Normal", mu=data.mean, sigma=data.intercept_sd),
            "1|state": group(data.state_rate),
            "1|area": group(data.sd_rate),
            space: {
                "sigma": bmb.Prior("Exponential", lam=data.sd_rate),
                "ell": bmb.Prior("InverseGamma", alpha=3, beta=1),
            },
        },
    )
    model.set_alias({space: "space"})  # nutpie can't store names that hold commas
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = model.fit(
            draws=settings.draws,
            tune=settings.warmup,
            chains=settings.chains,
            cores=settings.cores,
            random_seed=settings.seed,
            inference_method="nutpie",
            include_response_params=True,
            discard_tuned_samples=False,
            progressbar=False,
            compute_convergence_checks=False,
        )
    hyper = {
        "state_sd": "1|state_sigma",
        "area_sd": "1|area_sigma",
        "space_sd": "space_sigma",
        "space_range": "space_ell",
    }
    draws = from_tree(tree, hyper, "p")
    draws.eta = logit(draws.eta)
    draws.note = "not the same model: HSGP of the centres instead of neighbours, rounded counts"
    return draws
