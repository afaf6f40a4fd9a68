"""Fit the dependence model: change a prior, a measure or a sub-region here, or give options.

python models/fit_dependence.py --states 14,32 --out my-results
"""

import argparse
from pathlib import Path

import remitstats
from remitstats.cli import run_script
from remitstats.fitting.gate import NotConvergedError
from remitstats.models.dependence import Measures, Priors
from remitstats.parts.priors import ScalePrior

PRIORS = Priors(
    walk_sd=ScalePrior(upper=1.0, tail=0.05),  # P(sd > 1) = 0.05, a year's step of the logarithm
)
MEASURES = Measures(unit="constant pesos")  # or "dollars", not deflated


def main(arguments: list[str] | None = None) -> int:
    """Fit, write the tables, and print what the gate says and, if it lets them pass, growth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("reports/dependence"))
    parser.add_argument("--states", default="")
    parser.add_argument("--seed", type=int, default=1)
    for name in ("draws", "tune", "chains"):
        parser.add_argument(f"--{name}", type=int)
    options = parser.parse_args(arguments)
    panel = remitstats.load_mexico()
    if options.states:
        panel = panel.select(options.states.split(","))
    model = remitstats.dependence.build(panel, PRIORS, MEASURES)
    lengths = {name: getattr(options, name) for name in ("draws", "tune", "chains")}
    fit = remitstats.fit(model, panel, seed=options.seed, **lengths)
    command = "python models/fit_dependence.py"
    results = remitstats.summarise_dependence(fit, panel, command=command)
    results.write(options.out)
    print(results.gate)
    if not results.converged:
        return NotConvergedError.exit_code
    nation = results.path_growth.query("level == 'nation'")
    print(nation[["period", "median", "eti90_lower", "eti90_upper", "p_positive"]].round(2))
    print(results.nation[["quantity", "of", "median", "eti90_lower", "eti90_upper"]].round(1))
    return 0


if __name__ == "__main__":
    run_script(main)
