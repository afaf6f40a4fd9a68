"""Pay-outs: parameters from the priors, dollars and receiving dwellings given them.

The form is "gravity", with the noise that it is given by default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remitstats.estimands.paid_out_flows import flows_of, parameters
from remitstats.models import paid_out
from remitstats.models.paid_out_data import PaidData, prepare_data
from remitstats.panel.panel import Panel
from remitstats.parts.priors import draw
from remitstats.simulate.paid_out import draw_paid
from remitstats.validation.calibration import Simulated

Array = NDArray[np.float64]
SINGLE = 6  # municipalities whose flows are ranked, evenly spaced over the list
OTHERS = ("share", "noise", "noise_slope", "neighbour")
"""Priors of what is not one number of the form, or not of this form."""


@dataclass(frozen=True, eq=False)
class PaidOut:
    """The model of pay-outs on a panel's municipalities, dwellings, persons and towns.

    Parameters
    ----------
    panel : Panel
        The panel.
    data : PaidData
        Its geography and sample; its dollars and percentages don't count.
    """

    panel: Panel
    data: PaidData
    name: str = paid_out.NAME
    code: tuple[str, ...] = (
        "models/paid_out*.py",
        "estimands/paid_out_flows.py",
        "geography/blocks.py",
        "parts/allocation.py",
        "parts/partly_centred.py",
        "parts/priors.py",
        "parts/sampling_error.py",
        "fitting/run*.py",
        "simulate/paid_out.py",
        "validation/subjects/paid_out.py",
    )

    @classmethod
    def of(cls, panel: Panel) -> PaidOut:
        """Return the subject that a panel gives."""
        return cls(panel, prepare_data(panel))

    @property
    def headlines(self) -> tuple[str, ...]:
        """Money paid outside its household's municipality, dollars where households live, hubs."""
        own = [f"corrected of state {code}" for code in self.data.coords["state"]]
        single = [f"inflow of {self.data.coords['municipality'][i]}" for i in self._single]
        return ("outside", "correlation lived", *own, *single)

    @property
    def _single(self) -> NDArray[np.int64]:
        return np.unique(np.linspace(0, self.data.size - 1, SINGLE).astype(int))

    def describe(self) -> dict[str, Any]:
        """Return what is simulated."""
        return {
            "municipalities": self.data.size,
            "states": [str(code) for code in self.data.coords["state"]],
            "noise": paid_out.Noise().describe(),
        }

    def simulate(self, seed: int) -> Simulated:
        """Draw parameters, dollars and percentages."""
        values, data = self.drawn(seed)
        plain = {name: value for name, value in values.items() if value.ndim == 1}
        truth = {name: float(v[0]) for name, v in plain.items() if name not in OTHERS}
        truth |= {name: float(v[0]) for name, v in self._ranked(values, data).items()}
        return Simulated(paid_out.model_of(data), self.panel, truth)

    def drawn(self, seed: int) -> tuple[dict[str, Array], PaidData]:
        """Return drawn parameters (first axis 1), and the data with what came of them."""
        rng, priors = np.random.default_rng(seed), paid_out.Priors()
        noise, data = paid_out.Noise(), self.data
        states, blocks = len(data.coords["state"]), len(data.coords["block"])
        values: dict[str, Array] = {
            field.name: draw(getattr(priors, field.name), rng, 1)
            for field in fields(priors)
            if field.name not in OTHERS
        }
        values |= {"noise": np.array([noise.sd]), "noise_slope": np.array([noise.slope])}
        values["state_share"] = draw(priors.share, rng, (1, states))
        around = values["share_sd"][:, None] * rng.standard_normal((1, data.size))
        values["share_logit"] = values["state_share"][:, data.state_of] + around
        around = values["rate_sd"][:, None] * rng.standard_normal((1, states))
        values["state_rate"] = values["rate"][:, None] + around
        values["block_unit"] = rng.standard_normal((1, blocks))
        values["own_pull"] = paid_out.own_scale(values, data) * rng.standard_normal((1, data.size))
        dollars, percent = draw_paid(values, data, rng)
        receiving = data.effective * percent / 100.0
        return values, replace(data, dollars=dollars, percent=percent, receiving=receiving)

    def draws(self, tree: Any, truth: Mapping[str, float]) -> Mapping[str, Array]:
        """Return the draws of the same quantities."""
        seen, given = tree["observed_data"], tree["constant_data"]
        data = replace(
            self.data,
            dollars=seen["dollars"].to_numpy(),
            receiving=seen["receiving_dwellings"].to_numpy(),
            percent=given["published_percent"].to_numpy(),
        )
        values = parameters(tree)
        found = self._ranked(values, data)
        found |= {name: values[name] for name in truth if name in values}
        sizes = tree["posterior"].sizes["chain"], tree["posterior"].sizes["draw"]
        return {name: value.reshape(sizes) for name, value in found.items()}

    def _ranked(self, values: Mapping[str, Array], data: PaidData) -> dict[str, Array]:
        """Return the quantities of draws of all parameters, shape (draw,) each."""
        flows = flows_of(values, data)
        found = {
            "outside": flows.outside_nation,
            "correlation lived": flows.correlations["lived"],
        }
        for s, state in enumerate(data.coords["state"]):
            member = data.state_of == s
            lived = flows.lived[:, member].sum(axis=1, dtype=float)
            receiving = flows.receiving[:, member].sum(axis=1, dtype=float)
            found[f"corrected of state {state}"] = lived / receiving
            found[f"rate of state {state}"] = values["state_rate"][:, s]
            found[f"share of state {state}"] = values["state_share"][:, s]
        for place in self._single:
            code = data.coords["municipality"][place]
            found[f"inflow of {code}"] = flows.inflow[:, place].astype(float)
            found[f"share of {code}"] = values["share_logit"][:, place]
        return found
