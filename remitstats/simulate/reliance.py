"""Made-up reliance on a real or made-up geography, as the assumed census sample would publish it.

`simulate_reliance` draws reliance from the model's prior (or from given hyperparameters) and then
the percentages. Whatever is fitted to them can be held against the truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from remitstats.errors import RemitstatsError
from remitstats.models import reliance
from remitstats.panel.panel import Panel
from remitstats.parts.latent_gaussian import LatentGaussian
from remitstats.parts.sampling_error import SamplingDesign, draw_published


@dataclass(frozen=True)
class Simulation:
    """A panel with simulated percentages, and what they were simulated from.

    Parameters
    ----------
    panel : Panel
        Geography and dwellings as given; `receiving_percent` simulated wherever the panel had
        dwellings and a percentage. Its metadata say that it is simulated.
    hyperparameters : mapping of str to float
        The true hyperparameters, on their own scales.
    percent : DataFrame
        True share of dwellings that receive remittances, in %: one row a municipality (index
        `cvegeo`), one column a wave. Also for cells without data.
    seed : int
        What it was drawn with.
    """

    panel: Panel
    hyperparameters: Mapping[str, float]
    percent: pd.DataFrame
    seed: int


def simulate_reliance(
    panel: Panel,
    *,
    seed: int,
    hyperparameters: Mapping[str, float] | None = None,
    priors: reliance.Priors | None = None,
    design: SamplingDesign | None = None,
) -> Simulation:
    """Simulate reliance and its published percentages for the municipalities of a panel.

    Parameters
    ----------
    panel : Panel
        Gives geography, dwellings and which cells have data. The values of its percentages are
        not looked at.
    seed : int
        Everything random follows from it.
    hyperparameters : mapping of str to float, optional
        True values of some or all hyperparameters (see `remitstats.models.reliance`); the others
        are drawn from their priors.
    priors : Priors, optional
        Of the hyperparameters and the intercept.
    design : SamplingDesign, optional
        The census sample that publishes the percentages.

    Returns
    -------
    Simulation
        The simulated panel and the truth.

    Raises
    ------
    PanelError
        If the panel can't be used for the reliance model.
    RemitstatsError
        If a hyperparameter is unknown (the nearest is suggested) or can't have the value given.

    Notes
    -----
    A sample without replacement whose design effect makes it worth m independent dwellings, out
    of a population that is itself binomial, publishes a share that is binomial with m trials: so
    one draw stands for both stages (see `parts.sampling_error`).
    """
    data = reliance.prepare_data(panel, design)
    blocks = reliance.latent_gaussian(data, priors or reliance.Priors())
    rng = np.random.default_rng(seed)
    theta = _true_theta(blocks, hyperparameters or {}, rng)
    _, eta = blocks.sample_prior(rng, 1, theta[None, :])
    eta = eta[0].reshape(data.effective.shape)
    published = 100.0 * draw_published(rng, eta, data.effective)
    truth = blocks.constrain(theta)
    return Simulation(
        panel=_with_percent(panel, data, published, seed, truth),
        hyperparameters=truth,
        percent=pd.DataFrame(
            100.0 * special.expit(eta).T,
            index=pd.Index(data.coords["municipality"], name="cvegeo"),
            columns=pd.Index(data.coords["wave"], name="wave"),
        ),
        seed=seed,
    )


def _true_theta(
    blocks: LatentGaussian, given: Mapping[str, float], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return unconstrained hyperparameters: as given, the others from the prior."""
    names = list(blocks.hyperparameters)
    theta = rng.standard_normal(len(names))
    for name, value in given.items():
        if name not in names:
            near = get_close_matches(name, names, n=1, cutoff=0.4)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise RemitstatsError(
                f"The reliance model of this panel has no hyperparameter '{name}'.{hint} "
                f"Hyperparameters: {', '.join(names)}."
            )
        try:
            t = blocks.hyperparameters[name].unconstrain(value)
        except ValueError:
            t = np.nan
        if not np.isfinite(t):
            raise RemitstatsError(f"The hyperparameter '{name}' can't be {value}.")
        theta[names.index(name)] = t
    return theta


def _with_percent(
    panel: Panel,
    data: reliance.RelianceData,
    published: NDArray[np.float64],
    seed: int,
    truth: Mapping[str, float],
) -> Panel:
    """Return the panel with other percentages, labelled as simulated."""
    table = panel.table("municipality_wave")
    row = np.searchsorted(data.coords["wave"], table["wave"].to_numpy(int))
    column = np.searchsorted(data.coords["municipality"], table["cvegeo"].to_numpy(str))
    table["receiving_percent"] = published[row, column]
    title = str(panel.metadata.get("title", "panel")).removeprefix("Simulated: ")
    metadata = {
        **panel.metadata,
        "title": f"Simulated: {title}",
        "simulated": {"model": reliance.NAME, "seed": seed, "hyperparameters": dict(truth)},
    }
    return Panel(panel.with_table("municipality_wave", table).tables, metadata)
