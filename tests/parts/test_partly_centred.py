"""Effects between the two extremes have the law that they are given, whatever data tell."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from scipy import stats

from remitstats.parts import partly_centred


def model(told: float, sd: float | None = 0.7) -> pm.Model:
    with pm.Model(coords={"state": range(3)}) as found:
        spread = pm.HalfNormal("sd") if sd is None else pt.as_tensor_variable(sd)
        partly_centred.to_pymc("effect", 1.5, spread, told, -2.0, "state")
    return found


@pytest.mark.parametrize("told", [0.0, 4.0, 1e6])
def test_effects_have_the_law_that_was_asked_for(told: float) -> None:
    drawn = pm.draw(model(told)["effect"], draws=4000, random_seed=1)
    assert stats.kstest(drawn.ravel(), stats.norm(1.5, 0.7).cdf).pvalue > 0.001


@pytest.mark.parametrize("told", [0.0, 4.0])
def test_density_is_that_of_the_effects_times_the_jacobian(told: float) -> None:
    made = model(told, sd=None)
    sd, unit = 0.7, np.array([-0.5, 0.2, 1.0])
    point = {"sd_log__": np.log(sd), "effect_unit": unit}
    found = float(made.compile_logp(vars=[made["effect_unit"]])(point))
    left = 1.0 / np.sqrt(sd**-2 + told)
    effect = 1.5 - told * left**2 * (1.5 + 2.0) + left * unit
    expected = np.sum(stats.norm.logpdf(effect, 1.5, sd) + np.log(left))
    assert found == pytest.approx(expected)


def test_without_data_effects_are_multiples_of_their_standard_deviation() -> None:
    """And with much data the sampled number is about how far the effect is from the guess."""
    for told, expected in ((0.0, 1.5 + 0.7 * 2.0), (1e8, -2.0)):
        made = model(told)
        effect = made.compile_fn(made["effect"], inputs=[made["effect_unit"]])
        assert effect({"effect_unit": np.full(3, 2.0)}) == pytest.approx(expected, abs=1e-3)
