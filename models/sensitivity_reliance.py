"""Fit the reliance model under other assumptions and compare the estimates.

    python models/sensitivity_reliance.py --out docs

The variations stand in sensitivity_reliance.toml beside this file. Each changes one assumption of
the main fit: the design effect of the census sample, the size below which municipalities were
enumerated completely, or the priors. Finished fits are reused, so an interrupted run goes on where
it stopped.
"""

import argparse
from pathlib import Path

from rich.console import Console

from remitstats.cli import run_script
from remitstats.cli.many import exit_code, show
from remitstats.cli.progress import Phases
from remitstats.plan import read_plan
from remitstats.variations import fit_variations

PLAN = Path(__file__).with_suffix(".toml")


def main(arguments: list[str] | None = None) -> int:
    """Fit every variation, write one row each and wave; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("reports/sensitivity"))
    parser.add_argument("--fits", type=Path, default=Path("fits"))
    parser.add_argument("--states", type=lambda text: text.split(","))
    parser.add_argument("--workers", type=int)
    parser.add_argument("--cluster")
    for name in ("draws", "tune", "chains", "seed"):
        parser.add_argument(f"--{name}", type=int)
    options = parser.parse_args(arguments)
    keys = ("states", "draws", "tune", "chains", "seed")
    given = {key: getattr(options, key) for key in keys if getattr(options, key) is not None}
    table = options.out / "sensitivity.csv"
    with Phases(Console(stderr=True)) as phases:
        outcomes = fit_variations(
            read_plan(PLAN, given).jobs,
            table,
            folder=options.fits,
            workers=options.workers,
            cluster=options.cluster,
            progress=phases,
        )
    show(outcomes)
    print(table)
    return exit_code(outcomes)


if __name__ == "__main__":
    run_script(main)
