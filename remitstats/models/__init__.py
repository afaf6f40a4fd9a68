"""The models, one file each: `build(panel, priors=…)` returns a `pm.Model`."""

from difflib import get_close_matches

import lazy_loader as _lazy

from remitstats.errors import RemitstatsError

MODELS = ("reliance",)

__getattr__, __dir__, _ = _lazy.attach(__name__, submodules=MODELS)


def check_name(name: str) -> str:
    """Return the name of a model, or say which one was probably meant.

    Raises
    ------
    RemitstatsError
        If there is no such model.
    """
    if name in MODELS:
        return name
    near = get_close_matches(name, MODELS, n=1, cutoff=0.4)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise RemitstatsError(f"There is no model '{name}'.{hint} Models: {', '.join(MODELS)}.")
