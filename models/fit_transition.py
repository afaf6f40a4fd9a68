"""Fit the transition model: net migration, remittances and income on three paths of development.

python models/fit_transition.py --out my-results
"""

import argparse
from pathlib import Path

from rich.console import Console

from remitstats.cli import run_script
from remitstats.cli.progress import Phases
from remitstats.fitting.gate import NotConvergedError
from remitstats.fitting.settings import AskedSettings
from remitstats.models.transition import Priors
from remitstats.parts.priors import NormalPrior
from remitstats.pipeline import Job, fit_model

PRIORS = Priors(
    migration_scale=NormalPrior(mean=0.0, sd=1.5),  # log of the yearly change, per thousand persons
)


def main(arguments: list[str] | None = None) -> int:
    """Fit, and print what the gate says and, if it lets them pass, who had turned."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("reports"))
    parser.add_argument("--fits", type=Path, default=Path("fits"))
    parser.add_argument("--seed", type=int, default=1)
    for name in ("draws", "tune", "chains"):
        parser.add_argument(f"--{name}", type=int)
    options = parser.parse_args(arguments)
    job = Job(
        out=options.out,
        fits=options.fits,
        settings=AskedSettings(
            draws=options.draws, tune=options.tune, chains=options.chains, seed=options.seed
        ),
        priors={"transition": PRIORS},
        command="python models/fit_transition.py",
    )
    with Phases(Console(stderr=True)) as phases:
        results = fit_model(job, "transition", phases).results
    print(results.gate)
    if not results.converged:
        return NotConvergedError.exit_code
    print(results.reversal[["country", "rule", "by", "p_reversed", "year_median"]].round(3))
    return 0


if __name__ == "__main__":
    run_script(main)
