"""Fit the circle: change a prior, a measure or the form here, or give options.

python models/fit_circle.py --states 11,14,16,32 --out my-results
"""

import argparse
from pathlib import Path

from rich.console import Console

import remitstats
from remitstats.claims.circle import summarise
from remitstats.cli import run_script
from remitstats.cli.progress import Phases
from remitstats.fitting.gate import NotConvergedError
from remitstats.models.circle_form import Form, Priors
from remitstats.models.circle_measures import Measures
from remitstats.parts.priors import NormalPrior

PRIORS = Priors(cross_link=NormalPrior(mean=0.0, sd=0.25))  # of a link, in standard deviations
MEASURES = Measures(migration="emigrants", stability="income poverty")
FORM = Form(by_interval=True, by_region=False, by_state=False)


def main(arguments: list[str] | None = None) -> int:
    """Fit, and print what the gate says and, if it lets them pass, the links of the chain."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("reports/circle"))
    parser.add_argument("--states", default="")
    parser.add_argument("--draws", type=int)
    parser.add_argument("--tune", type=int)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    panel = remitstats.load_mexico()
    if options.states:
        panel = panel.select(options.states.split(","))
    model = remitstats.circle.build(panel, PRIORS, measures=MEASURES, form=FORM)
    with Phases(Console(stderr=True)) as phases:
        fit = remitstats.fit(
            model, panel, seed=options.seed, draws=options.draws, tune=options.tune, progress=phases
        )
        results = summarise(fit, panel, command="python models/fit_circle.py", progress=phases)
    results.write(options.out)
    print(results.gate)
    if not results.converged:
        return NotConvergedError.exit_code
    chain = results.link.query("level == 'nation' and interval == 'all' and claimed")
    print(chain[["reading", "from", "to", "median", "eti90_lower", "eti90_upper", "p_positive"]])
    print(results.summary["verdict"])
    return 0


if __name__ == "__main__":
    run_script(main)
