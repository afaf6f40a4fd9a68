"""Fit the depopulation model: change a prior or a sub-region here, or give options.

python models/fit_depopulation.py --states 14,32 --out my-results
"""

import argparse
from pathlib import Path

from rich.console import Console

from remitstats.cli import run_script
from remitstats.cli.progress import Phases
from remitstats.fitting.gate import NotConvergedError
from remitstats.fitting.settings import AskedSettings
from remitstats.models.depopulation import Priors
from remitstats.parts.priors import ScalePrior
from remitstats.pipeline import Job, fit_model

PRIORS = Priors(
    survey_sd=ScalePrior(upper=8.0, tail=0.05),  # error of the 2015 survey, % of 5,000 persons
)


def main(arguments: list[str] | None = None) -> int:
    """Fit, and print what the gate says and, if it lets them pass, the shares in decline."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("reports"))
    parser.add_argument("--fits", type=Path, default=Path("fits"))
    parser.add_argument("--states", default="")
    parser.add_argument("--seed", type=int, default=1)
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
        priors={"depopulation": PRIORS},
        command="python models/fit_depopulation.py",
    )
    with Phases(Console(stderr=True)) as phases:
        results = fit_model(job, "depopulation", phases).results
    print(results.gate)
    if not results.converged:
        return NotConvergedError.exit_code
    shares = results.share.query("definition == 'any loss' and kind != 'published'")
    print(shares[["kind", "period", "median", "eti90_lower", "eti90_upper", "p_at_least_claimed"]])
    return 0


if __name__ == "__main__":
    run_script(main)
