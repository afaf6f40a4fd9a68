"""Fit the state model of dependence; with --forecast also predict the last years from before them.

python models/fit_dependence_state.py --states 14,16,32 --out my-results
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
from remitstats.models.dependence_state_density import Priors
from remitstats.parts.priors import ScalePrior
from remitstats.pipeline import Job, fit_model

PRIORS = Priors(
    walk_sd=ScalePrior(upper=0.3, tail=0.05),  # P(sd > 0.3) = 0.05: a third of the ratio a year
)


def main(arguments: list[str] | None = None) -> int:
    """Fit, and print what the gate says and, if it lets them pass, the national estimates."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("reports"))
    parser.add_argument("--fits", type=Path, default=Path("fits"))
    parser.add_argument("--states", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--forecast", action="store_true")
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
        priors={"dependence_state": PRIORS},
        command="python models/fit_dependence_state.py",
    )
    with Phases(Console(stderr=True)) as phases:
        outcome = fit_model(job, "dependence_state", phases)
        results = outcome.results
        if options.forecast:
            scores = remitstats.forecast_dependence_state(
                outcome.panel, priors=PRIORS, seed=options.seed, progress=phases
            )
            results = replace(results, forecast=scores)
            results.write(job.folder(catalogue.find("dependence_state")))
    print(results.gate)
    if not results.converged:
        return NotConvergedError.exit_code
    nation = results.change.query("level == 'nation'")
    print(nation[["from_year", "to_year", "observed", "p_rising", "p_tendency"]].round(3))
    print(results.tendency.head(1)[["name", "median", "eti90_lower", "eti90_upper", "p_rising"]])
    return 0


if __name__ == "__main__":
    run_script(main)
