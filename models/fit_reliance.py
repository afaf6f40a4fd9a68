"""Fit the reliance model: change a prior or a sub-region here, or give options.

python models/fit_reliance.py --states 14,32 --out my-results
"""

import argparse
from pathlib import Path

from rich.console import Console

from remitstats.cli import run_script
from remitstats.cli.progress import Phases
from remitstats.fitting.gate import NotConvergedError
from remitstats.fitting.settings import AskedSettings
from remitstats.models.reliance import Priors
from remitstats.parts.priors import ScalePrior
from remitstats.pipeline import Job, fit_model

PRIORS = Priors(
    state_sd=ScalePrior(upper=1.0, tail=0.05),  # P(sd > 1) = 0.05, on the logit scale
)


def main(arguments: list[str] | None = None) -> int:
    """Fit, and print what the gate says and, if it lets them pass, the national estimates."""
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
        priors={"reliance": PRIORS},
        command="python models/fit_reliance.py",
    )
    with Phases(Console(stderr=True)) as phases:
        results = fit_model(job, "reliance", phases).results
    print(results.gate)
    if not results.converged:
        return NotConvergedError.exit_code
    nation = results.group.query("level == 'nation'")
    print(nation[["wave", "published_percent", "median", "eti90_lower", "eti90_upper"]].round(3))
    return 0


if __name__ == "__main__":
    run_script(main)
