"""Fit the reliance model under other assumptions and compare the estimates.

    python models/sensitivity_reliance.py --out docs/sensitivity

Each variation changes one assumption of the main fit: the design effect of the census sample, the
size below which municipalities were enumerated completely, or the priors. Finished fits are
reused, so an interrupted run goes on where it stopped.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from remitstats.cli.progress import Phases
from remitstats.estimands.files import write_csv
from remitstats.fitting.settings import Settings
from remitstats.models.reliance import Priors
from remitstats.parts.priors import ScalePrior, SharePrior
from remitstats.parts.sampling_error import SamplingDesign
from remitstats.pipeline import Job, fit_reliance

BASE = Job(out=Path(), fits=Path("fits"), command="python models/sensitivity_reliance.py")
WIDE = Priors(
    state_sd=ScalePrior(3.0, 0.05),
    state_wave_sd=ScalePrior(1.5, 0.05),
    municipality_sd=ScalePrior(4.5, 0.05),
    municipality_wave_sd=ScalePrior(3.0, 0.05),
)
VARIATIONS = {
    "main": BASE,
    "design effect 1": replace(BASE, design=SamplingDesign(design_effect=1.0)),
    "design effect 4": replace(BASE, design=SamplingDesign(design_effect=4.0)),
    "complete below 500": replace(BASE, design=SamplingDesign(complete_below=500.0)),
    "scales three times wider": replace(BASE, priors=WIDE),
    "little space expected": replace(
        BASE,
        priors=Priors(
            municipality_share=SharePrior(1.0, 4.0), municipality_wave_share=SharePrior(1.0, 4.0)
        ),
    ),
}


def main(arguments: list[str] | None = None) -> None:
    """Fit every variation and write one row each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("reports/sensitivity"))
    parser.add_argument("--fits", type=Path, default=Path("fits"))
    parser.add_argument("--states", default="")
    for name in ("draws", "tune", "chains", "seed"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Settings(), name))
    options = parser.parse_args(arguments)
    settings = Settings(
        draws=options.draws, tune=options.tune, chains=options.chains, seed=options.seed
    )
    rows, main_level = [], None
    for name, variation in VARIATIONS.items():
        job = replace(
            variation,
            out=options.out / name.replace(" ", "-"),
            fits=options.fits,
            states=tuple(filter(None, options.states.split(","))),
            settings=settings,
        )
        print(name)
        with Phases(Console(stderr=True)) as phases:
            results = fit_reliance(job, phases).results
        level = results.level.set_index(["cvegeo", "wave"])
        main_level = level if main_level is None else main_level
        rows += compare(name, results.converged, results.group, level, main_level)
        write_csv(options.out / "sensitivity.csv", pd.DataFrame(rows))
    print(options.out / "sensitivity.csv")


def compare(
    name: str, converged: bool, group: pd.DataFrame, level: pd.DataFrame, main: pd.DataFrame
) -> list[dict[str, object]]:
    """Return one row a wave: the national estimate and how far municipalities moved."""
    rows = []
    nation: Any
    for nation in group.query("level == 'nation'").itertuples():
        own = level.xs(nation.wave, level="wave")
        base = main.xs(nation.wave, level="wave")
        moved = (own["median"] - base["median"]).abs()
        width = own["eti90_upper"] - own["eti90_lower"]
        rows.append(
            {
                "variation": name,
                "converged": converged,
                "wave": nation.wave,
                "national_percent": round(float(nation.median), 3),
                "national_eti90_lower": round(float(nation.eti90_lower), 3),
                "national_eti90_upper": round(float(nation.eti90_upper), 3),
                "median_municipality_shift": round(float(moved.median()), 3),
                "largest_municipality_shift": round(float(moved.max()), 3),
                "median_interval_width": round(float(width.median()), 3),
                "rank_correlation_with_main": round(
                    float(own["median"].corr(base["median"], method="spearman")), 4
                ),
            }
        )
    return rows


if __name__ == "__main__":
    main()
