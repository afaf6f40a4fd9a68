"""How much the findings on depopulation depend on what is assumed of counts, survey and neighbours.

python models/sensitivity_depopulation.py --states 14,16,32 --out my-sensitivity.csv
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

import remitstats
from remitstats.cli import run_script
from remitstats.cli.progress import Phases
from remitstats.estimands.depopulation_draws import DepopulationDraws
from remitstats.estimands.files import write_csv
from remitstats.models.depopulation import Priors
from remitstats.parts.priors import ScalePrior

ASSUMPTIONS: dict[str, dict[str, Any]] = {
    "as shipped": {},
    "survey thought exact": {"priors": Priors(survey_sd=ScalePrior(upper=1.0, tail=0.01))},
    "survey thought poor": {"priors": Priors(survey_sd=ScalePrior(upper=10.0, tail=0.5))},
    "errors fall with the root of size": {"error_power": 1 / 2},
    "errors fall with the sixth root of size": {"error_power": 1 / 6},
    "neighbours share each interval too": {"maps_by_interval": True},
}


def main(arguments: list[str] | None = None) -> int:
    """Fit under each assumption and write what changes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/depopulation-sensitivity.csv"))
    parser.add_argument("--states", default="")
    parser.add_argument("--draws", type=int)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    panel = remitstats.load_mexico()
    if options.states:
        panel = panel.select(options.states.split(","))
    rows, shipped = [], None
    with Phases(Console(stderr=True)) as phases:
        for name, changed in ASSUMPTIONS.items():
            model = remitstats.depopulation.build(panel, **changed)
            fit = remitstats.fit(
                model, panel, seed=options.seed, draws=options.draws, progress=phases
            )
            draws = DepopulationDraws.of(fit, panel)
            decline = (draws.underlying[:, -1] < 0).mean(axis=0)
            shipped = decline if shipped is None else shipped
            error = np.quantile(draws.posterior["survey_sd"], (0.05, 0.5, 0.95))
            rows.append(
                {
                    "assumption": name,
                    "survey_sd_median": error[1],
                    "survey_sd_eti90_lower": error[0],
                    "survey_sd_eti90_upper": error[2],
                    "true_losing_percent": 100 * (draws.true[:, -1] < 0).mean(),
                    "underlying_losing_percent": 100 * (draws.underlying[:, -1] < 0).mean(),
                    **_fifteen_years(draws),
                    "median_shift_of_p_decline": float(np.median(np.abs(decline - shipped))),
                    "converged": remitstats.gate(fit).converged,
                }
            )
    table = pd.DataFrame(rows).round(3)
    write_csv(options.out, table)
    print(table.to_string(index=False))
    return 0


def _fifteen_years(draws: DepopulationDraws) -> dict[str, float]:
    """Return the share whose underlying rate of the first three intervals is below nought."""
    rate = draws.over(draws.underlying, 0, 3)
    low, middle, high = np.quantile(100.0 * (rate < 0).mean(axis=1), (0.05, 0.5, 0.95))
    names = (
        f"underlying_losing_1990_2005_{part}" for part in ("median", "eti90_lower", "eti90_upper")
    )
    return dict(zip(names, (middle, low, high), strict=True))


if __name__ == "__main__":
    run_script(main)
