"""Fit the macro model: growth of remittances beside other foreign exchange.

python models/fit_macro.py --out my-results
"""

import argparse
from pathlib import Path

from rich.console import Console

from remitstats.cli import run_script
from remitstats.cli.progress import Phases
from remitstats.fitting.gate import NotConvergedError
from remitstats.fitting.settings import AskedSettings
from remitstats.models.macro import Priors
from remitstats.parts.priors import NormalPrior
from remitstats.pipeline import Job, fit_model

PRIORS = Priors(
    coverage=NormalPrior(mean=0.0, sd=0.15),  # what a year of wider coverage adds, as a log ratio
)


def main(arguments: list[str] | None = None) -> int:
    """Fit, and print what the gate says and, if it lets them pass, growth by window."""
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
        priors={"macro": PRIORS},
        command="python models/fit_macro.py",
    )
    with Phases(Console(stderr=True)) as phases:
        results = fit_model(job, "macro", phases).results
    print(results.gate)
    if not results.converged:
        return NotConvergedError.exit_code
    print(results.window[["source", "window", "median", "p_fastest"]].round(3))
    return 0


if __name__ == "__main__":
    run_script(main)
