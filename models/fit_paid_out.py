"""Fit the model of pay-outs; with --compare also score its forms on municipalities held out.

python models/fit_paid_out.py --states 12,20 --out my-results
"""

import argparse
from dataclasses import replace
from pathlib import Path

from rich.console import Console

import remitstats
from remitstats import catalogue
from remitstats.cli import run_script
from remitstats.cli.progress import Phases
from remitstats.fitting.gate import NotConvergedError
from remitstats.fitting.settings import AskedSettings
from remitstats.models.paid_out import Priors
from remitstats.parts.priors import NormalPrior
from remitstats.pipeline import Job, fit_model

PRIORS = Priors(
    reach=NormalPrior(mean=3.0, sd=1.0),  # e^3 = 20 km, within a factor of seven
)


def main(arguments: list[str] | None = None) -> int:
    """Fit, and print what the gate says and, if it lets them pass, hubs and the nation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("reports"))
    parser.add_argument("--fits", type=Path, default=Path("fits"))
    parser.add_argument("--states", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--compare", action="store_true")
    for name in ("draws", "tune", "chains"):
        parser.add_argument(f"--{name}", type=int)
    options = parser.parse_args(arguments)
    job = Job(
        out=options.out,
        fits=options.fits,
        states=tuple(filter(None, options.states.split(","))),
        settings=AskedSettings(
            draws=options.draws, tune=options.tune, chains=options.chains, seed=options.seed
        ),
        priors={"paid_out": PRIORS},
        command="python models/fit_paid_out.py",
    )
    with Phases(Console(stderr=True)) as phases:
        outcome = fit_model(job, "paid_out", phases)
        results = outcome.results
        if options.compare:
            scores = remitstats.compare_paid_out_forms(
                outcome.panel, seed=options.seed, progress=phases
            )
            results = replace(results, form=scores)
            results.write(job.folder(catalogue.find("paid_out")))
    print(results.gate)
    if not results.converged:
        return NotConvergedError.exit_code
    print(results.disagreement[["part", "median", "eti90_lower", "eti90_upper"]].round(1))
    print(results.hub.head(20)[["name", "state_name", "inflow_median", "p_hub"]].round(2))
    return 0


if __name__ == "__main__":
    run_script(main)
