"""`remitstats circle …`: questions to a finished fit of the circle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from remitstats.cli.options import Fits, Out, States

app = typer.Typer(help="Ask a finished fit of the circle.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Ask a finished fit of the circle."""


@app.command()
def impulse(
    *,
    cut: Annotated[
        list[str] | None,
        typer.Option("--cut", help="A link to leave out; may be repeated.", metavar="FROM:TO"),
    ] = None,
    years: Annotated[int, typer.Option("--years", help="How far, in tens of years.")] = 30,
    fits: Fits = Path("fits"),
    fit: Annotated[
        Path | None, typer.Option("--fit", help="A fit; default: the newest.", metavar="FILE")
    ] = None,
    panel: Annotated[
        Path | None,
        typer.Option("--panel", help="What was fitted; default: Mexico.", metavar="FILE"),
    ] = None,
) -> None:
    """Show what one standard deviation more of migration goes with later, with links cut.

    For example: remitstats circle impulse --cut reliance:underdevelopment
    """
    from remitstats.errors import RemitstatsError  # noqa: PLC0415  (start-up stays quick)

    if years < 10 or years % 10:
        raise RemitstatsError(f"--years must be a multiple of 10, found {years}.")
    pairs = [_pair(text) for text in cut or []]
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from remitstats.estimands.circle_impulse import impulse_table  # noqa: PLC0415
    from remitstats.fitting.gate import NotConvergedError, gate  # noqa: PLC0415
    from remitstats.fitting.store import load_fit  # noqa: PLC0415
    from remitstats.pipeline import open_panel  # noqa: PLC0415

    tree = load_fit(fit or _newest(fits))
    verdict = gate(tree)
    if not verdict.converged:
        typer.echo(f"NOT CONVERGED: nothing follows from this fit.\n{verdict.explain()}", err=True)
        raise typer.Exit(NotConvergedError.exit_code)
    rows = impulse_table(tree, open_panel(panel, ()), pairs, years // 10)
    table = Table("links", "variable", "years", "median", "90% interval")
    for row in rows.to_dict("records"):
        ends = f"{row['eti90_lower']:.3f} to {row['eti90_upper']:.3f}"
        table.add_row(
            row["links"], row["variable"], str(row["years"]), f"{row['median']:.3f}", ends
        )
    Console().print(table)


@app.command()
def compare(
    *,
    folds: Annotated[int, typer.Option("--folds", help="Parts the states are divided into.")] = 8,
    seed: Annotated[int, typer.Option("--seed", help="Seed of folds and draws.")] = 1,
    out: Out = Path("reports"),
    panel: Annotated[
        Path | None,
        typer.Option("--panel", help="A panel of your own; default: Mexico.", metavar="FILE"),
    ] = None,
    states: States = None,
) -> None:
    """Compare the circle with reduced ones by what they say of data they have not seen."""
    from math import isnan  # noqa: PLC0415

    from rich.console import Console  # noqa: PLC0415  (start-up stays quick)
    from rich.table import Table  # noqa: PLC0415

    from remitstats.claims.circle_comparison import COMPARISON  # noqa: PLC0415
    from remitstats.cli.options import codes_of, command_given  # noqa: PLC0415
    from remitstats.cli.progress import Phases  # noqa: PLC0415
    from remitstats.estimands.files import replace_file  # noqa: PLC0415
    from remitstats.models.circle_data import prepare_data  # noqa: PLC0415
    from remitstats.pipeline import open_panel, require_writable  # noqa: PLC0415
    from remitstats.validation.circle_comparison import compare as compare_circles  # noqa: PLC0415

    require_writable(out)
    data = prepare_data(open_panel(panel, codes_of(states)))
    with Phases(Console(stderr=True)) as phases:
        found = compare_circles(
            data, folds=folds, seed=seed, command=command_given(), progress=phases
        )
    table = Table(
        *("circle", "states left out", "±", "weight", "90% interval", "best"),
        *("k-hat above limit", "misses the last wave, times"),
    )
    ratio = found.prediction.groupby("variant", sort=False)["ratio"].mean()
    for row in found.density.to_dict("records"):
        table.add_row(
            row["variant"],
            f"{row['difference']:.1f}",
            f"{row['se']:.1f}",
            f"{row['weight']:.2f}",
            f"{row['weight_eti90_lower']:.2f} to {row['weight_eti90_upper']:.2f}",
            f"{row['best_share']:.2f}",
            "" if isnan(row["psis_states_above"]) else f"{row['psis_states_above']:.0f}",
            f"{ratio[row['variant']]:.3f}" if row["variant"] in ratio else "",
        )
    Console().print(table)
    typer.echo(str(replace_file(out / COMPARISON, found.to_json())))


def _pair(text: str) -> tuple[str, str]:
    from remitstats.errors import RemitstatsError  # noqa: PLC0415  (start-up stays quick)

    origin, mark, to = (part.strip() for part in text.partition(":"))
    if not (origin and mark and to):
        raise RemitstatsError(
            f"--cut {text!r} can't be read: write FROM:TO, such as reliance:underdevelopment."
        )
    return origin, to


def _newest(fits: Path) -> Path:
    from remitstats.errors import RemitstatsError  # noqa: PLC0415  (start-up stays quick)

    found = sorted(fits.glob("circle-*.nc"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise RemitstatsError(
            f"There is no fit of the circle in {fits}: run 'remitstats fit circle' first, or name "
            "one with --fit."
        )
    return found[-1]
