"""The model in NumPyro, non-centred, compiled by JAX for the CPU."""

from __future__ import annotations

import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
from numpyro import distributions as dist
from numpyro.infer import MCMC, NUTS
from numpyro.infer.util import log_density as of_model

from benchmarks.bym2 import HYPER, Bym2Data, Draws, Point, RunSettings


def model(data: Bym2Data) -> None:
    """State the model in NumPyro's words."""
    state_sd = numpyro.sample("state_sd", dist.Exponential(data.state_rate))
    sd = numpyro.sample("municipality_sd", dist.Exponential(data.sd_rate))
    share = numpyro.sample("municipality_share", dist.Beta(data.share_alpha, data.share_beta))
    a = numpyro.sample("a", dist.Normal())
    b = numpyro.sample("b", dist.Normal().expand([data.states]).to_event(1))
    zero_sum = dist.constraints.zero_sum(1)
    f = numpyro.sample("f", dist.ImproperUniform(zero_sum, (), (data.areas,)))
    v = numpyro.sample("v", dist.Normal().expand([data.areas]).to_event(1))
    first, second = data.edges.T
    numpyro.factor("icar", -0.5 * data.scaling * jnp.sum((f[first] - f[second]) ** 2))
    space = sd * (jnp.sqrt(share) * f + jnp.sqrt(1.0 - share) * v)
    eta = data.mean + data.intercept_sd * a + state_sd * b[data.state_of] + space
    numpyro.deterministic("eta", eta)
    kernel = data.receiving * eta - data.effective * jax.nn.softplus(eta)
    numpyro.factor("likelihood", jnp.sum(kernel))


def run(data: Bym2Data, settings: RunSettings) -> Draws:
    """Sample with NUTS, one XLA device a chain."""
    numpyro.set_host_device_count(settings.chains)
    numpyro.enable_x64()

    start = time.perf_counter()
    sampler = MCMC(
        NUTS(partial(model, data)),
        num_warmup=settings.warmup,
        num_samples=settings.draws,
        num_chains=settings.chains,
        chain_method="parallel",
        progress_bar=False,
    )
    key = jax.random.PRNGKey(settings.seed)
    sampler.warmup(key, extra_fields=("num_steps",), collect_warmup=True)
    warm = np.asarray(sampler.get_extra_fields(group_by_chain=True)["num_steps"])
    sampler.run(key, extra_fields=("num_steps", "diverging"))
    extra = sampler.get_extra_fields(group_by_chain=True)
    samples = sampler.get_samples(group_by_chain=True)
    hyper = {name: np.asarray(samples[name]) for name in HYPER}
    eta = np.asarray(samples["eta"])
    return Draws(
        hyper=hyper,
        eta=eta,
        divergences=int(np.asarray(extra["diverging"]).sum()),
        sampling_seconds=time.perf_counter() - start,
        work=np.concatenate([warm, np.asarray(extra["num_steps"])], axis=1).astype(float),
        note="compilation by JAX is counted with the sampling",
    )


def log_density(data: Bym2Data, points: list[Point]) -> list[float]:
    """Return the sampler's own log density at points."""
    numpyro.enable_x64()

    values = []
    for p in points:
        at = {**p.hyper, "a": p.a, "b": p.b, "f": p.f, "v": p.v}
        values.append(float(of_model(model, (data,), {}, at)[0]))
    return values
