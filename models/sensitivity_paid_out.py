"""Fit the model of pay-outs under other assumptions and write what changes to docs.

python models/sensitivity_paid_out.py        # some minutes each; add --states 12,20 for a trial
"""

import argparse
from pathlib import Path

import pandas as pd
from rich.console import Console

import remitstats
from remitstats.cli import run_script
from remitstats.cli.progress import Phases
from remitstats.estimands.files import write_csv
from remitstats.models.paid_out import Noise

VARIATIONS: dict[str, tuple[float, Noise]] = {  # kilometres, noise
    "as shipped": (20.0, Noise()),
    "noise 0.4": (20.0, Noise(sd=0.4)),
    "noise 0.8": (20.0, Noise(sd=0.8)),
    "neighbours only": (0.0, Noise()),
    "within 30 km": (30.0, Noise()),
}


def main(arguments: list[str] | None = None) -> int:
    """Fit each variation; write one row a variation with what the page reports of the nation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/paid_out_sensitivity.csv"))
    parser.add_argument("--states", default="")
    parser.add_argument("--seed", type=int, default=1)
    for name in ("draws", "tune", "chains"):
        parser.add_argument(f"--{name}", type=int)
    options = parser.parse_args(arguments)
    panel = remitstats.load_mexico()
    states = tuple(filter(None, options.states.split(",")))
    panel = panel.select(states) if states else panel
    rows = []
    with Phases(Console(stderr=True)) as phases:
        for number, (name, (within, noise)) in enumerate(VARIATIONS.items()):
            phases(name, number / len(VARIATIONS))
            fit = remitstats.fit(
                remitstats.paid_out.build(panel, noise=noise, within=within),
                panel,
                seed=options.seed,
                draws=options.draws,
                tune=options.tune,
                chains=options.chains,
            )
            found = remitstats.summarise_paid_out(fit, panel)
            rows.append({"assumption": name, **row_of(found)})
    write_csv(options.out, pd.DataFrame(rows).round(3))
    return 0


def row_of(found: remitstats.PaidOutResults) -> dict[str, object]:
    """Return what the page says of the nation in one row."""
    part = found.disagreement.set_index("part")["median"]
    pair = found.correlation.set_index("pair")["median"]
    nation = found.group.query("level == 'nation'").set_index("quantity")["median"]
    return {
        "converged": found.converged,
        "r_hat_max": found.gate.r_hat_max,
        "ess_bulk_min": found.gate.ess_bulk_min,
        "paid_elsewhere_percent": nation["outside"],
        "hubs": len(found.hub),
        **{f"part_{name}": part[name] for name in ("sampling", "places", "rates", "rest")},
        "correlation_lived": pair["lived"],
    }


if __name__ == "__main__":
    run_script(main)
