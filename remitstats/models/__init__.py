"""The models, one file each: `build(panel, priors=…)` returns a `pm.Model`."""

import lazy_loader as _lazy

from remitstats.errors import unknown

MODELS = ("reliance",)  # those of plans (`remitstats many`); `catalogue` lists all there are

__getattr__, __dir__, _ = _lazy.attach(
    __name__,
    submodules=(
        *(*MODELS, "circle", "circle_region", "circle_state", "dependence"),
        *("dependence_state", "depopulation", "macro", "paid_out", "transition"),
    ),
)


def check_name(name: str) -> str:
    """Return the name of a model, or say which one was probably meant.

    Raises
    ------
    RemitstatsError
        If there is no such model.
    """
    if name in MODELS:
        return name
    raise unknown("model", name, MODELS)
