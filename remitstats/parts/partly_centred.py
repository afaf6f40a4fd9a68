"""Normal effects in units in which neither much nor little data makes a funnel.

An effect x ~ Normal(mean, sd) that data tell well is best sampled as it is, one that they hardly
tell in units of its standard deviation. Between the two lies

    x = (1 - w) mean + w guess + left u,   left = (sd^-2 + told)^-1/2,   w = told left^2,

with `told` about the precision of what the data say of x and `guess` about what they say. u has the
law that x ~ Normal(mean, sd) gives it, so that the model stays what it is whatever both are;
poor ones cost steps of the sampler, no more.

References
----------
Papaspiliopoulos, Roberts and Sköld (2007), Statistical Science 22: 59-73.
"""

from __future__ import annotations

from typing import Any


def to_pymc(name: str, mean: Any, sd: Any, told: Any, guess: Any, dims: str) -> Any:
    """Add normal effects to the PyMC model in context.

    Parameters
    ----------
    name : str
        Of the effects; the sampled u are called ``name_unit``.
    mean, sd : scalar or array, shape (element,)
        Of the effects; sd positive.
    told : scalar or array, shape (element,)
        About the precision with which data tell an effect; 0 for not at all.
    guess : scalar or array, shape (element,)
        About what they say.
    dims : str
        Named dim of the elements.
    """
    import numpy as np  # noqa: PLC0415
    import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; only models need it
    import pytensor.tensor as pt  # noqa: PLC0415

    size = len(pm.modelcontext(None).coords[dims])
    left = 1.0 / pt.sqrt(sd**-2 + told)
    weight = told * left**2
    center = weight * (mean - guess) / left
    unit = pm.Normal(f"{name}_unit", center, sd / left, dims=dims, initval=np.zeros(size))
    return pm.Deterministic(name, mean - weight * (mean - guess) + left * unit, dims=dims)
