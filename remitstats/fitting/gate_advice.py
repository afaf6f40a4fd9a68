"""What to try with a fit that did not pass its gate, in options of the command line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from remitstats.fitting.settings import LIMITS

NUTS_TUNE = 1000  # what NUTS takes to adapt to hundreds of parameters


def more_draws(settings: Mapping[str, Any], factor: float) -> str:
    """Return how to get this many times the draws, and a quarter more for luck."""
    wanted = 1.25 * factor * int(settings["draws"])
    step = 10 ** max(0, math.floor(math.log10(wanted)) - 1)
    draws = min(math.ceil(wanted / step) * step, LIMITS["draws"][1])
    return f"take more draws: --draws {draws}"


def longer_tuning(settings: Mapping[str, Any]) -> str:
    """Return how to tune four times as long, and what else helps a sampler that gets stuck."""
    least = NUTS_TUNE if settings.get("engine") == "nuts" else 0
    tune = min(max(4 * int(settings.get("tune", 100)), least), LIMITS["tune"][1])
    return f"tune longer (--tune {tune}), use stronger priors (--prior NAME=A,B)"


def other_engine(settings: Mapping[str, Any]) -> str:
    """Return the option that names the other engine."""
    if settings.get("engine") == "nuts":
        return "--engine laplace"
    return f"--engine nuts --tune {NUTS_TUNE} (small panels)"
