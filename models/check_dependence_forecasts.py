"""Score forecasts of the dependence model against what came and against simpler forecasts.

python models/check_dependence_forecasts.py --out docs/dependence_forecasts.csv

Three origins, eight quarters each; exponential smoothing and a seasonal ARIMA are fitted to each of
some municipalities (--most of each way of reporting), on which all forecasts are scored.
"""

import argparse
from pathlib import Path

import remitstats
from remitstats.cli import run_script
from remitstats.estimands.dependence_forecast import ARIMA, ETS, MODEL, NAIVE, ORIGINS

METHODS = (MODEL, NAIVE, ETS, ARIMA)


def main(arguments: list[str] | None = None) -> int:
    """Score, write the table, and print means over origins and horizons."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/dependence_forecasts.csv"))
    parser.add_argument("--states", default="")
    parser.add_argument("--origins", default=",".join(ORIGINS))
    parser.add_argument("--most", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--draws", type=int, default=150)
    parser.add_argument("--tune", type=int, default=120)
    options = parser.parse_args(arguments)
    panel = remitstats.load_mexico()
    if options.states:
        panel = panel.select(options.states.split(","))
    table = remitstats.forecast_check(
        panel,
        origins=options.origins.split(","),
        methods=METHODS,
        most=options.most,
        seed=options.seed,
        draws=options.draws,
        tune=options.tune,
        progress=lambda what, _share: print(what, flush=True),
    )
    table.round(4).to_csv(options.out, index=False)
    for origin, gate in table.attrs["gates"].items():
        print(f"{origin}: {gate.splitlines()[-1]}")
    values = ["crps", "coverage_50", "coverage_80", "coverage_95"]
    print(table.groupby(["reporting", "method"])[values].mean().round(3).to_string())
    return 0


if __name__ == "__main__":
    run_script(main)
