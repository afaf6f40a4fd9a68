"""`remitstats many PLAN`: fit the variations of a plan and compare them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remitstats.cli.options import Fits, Out

if TYPE_CHECKING:
    from remitstats.fitting.jobs import FitOutcome


def many(
    plan: Annotated[Path, typer.Argument(help="TOML file that lists the variations.")],
    *,
    out: Out = Path("reports"),
    fits: Fits = Path("fits"),
    workers: Annotated[
        int | None, typer.Option("--workers", help="Processes; default: one a core.", metavar="N")
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", help="Dask scheduler to run on.", metavar="tcp://HOST:PORT"),
    ] = None,
) -> None:
    """Fit the variations of a plan, several at once, and write a table that compares them."""
    from rich.console import Console  # noqa: PLC0415  (start-up stays quick)

    from remitstats.cli.progress import Phases  # noqa: PLC0415
    from remitstats.pipeline import require_writable  # noqa: PLC0415
    from remitstats.plan import read_plan  # noqa: PLC0415
    from remitstats.variations import fit_variations  # noqa: PLC0415

    asked = read_plan(plan)
    require_writable(out)
    require_writable(fits, "--fits")
    table = out / f"{asked.path.stem}.csv"
    with Phases(Console(stderr=True)) as phases:
        outcomes = fit_variations(
            asked.jobs, table, folder=fits, workers=workers, cluster=cluster, progress=phases
        )
    show(outcomes)
    typer.echo(str(table))
    code = exit_code(outcomes)
    if code:
        raise typer.Exit(code)


def exit_code(outcomes: Sequence[FitOutcome]) -> int:
    """Return 2 if a variation failed, 3 if one did not converge, else 0."""
    if any(outcome.error for outcome in outcomes):
        return 2
    return 0 if all(outcome.converged for outcome in outcomes) else 3


def show(outcomes: Sequence[FitOutcome]) -> None:
    """Print one row a variation: whether it converged and, if not, why and what to try."""
    from rich.console import Console  # noqa: PLC0415  (start-up stays quick)
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table("variation", "converged", "seconds", "remarks")
    for outcome in outcomes:
        advice = outcome.gate.advice() if outcome.gate is not None else []
        remarks = [f"{reason}; try: {remedy}" if remedy else reason for reason, remedy in advice]
        if outcome.error:
            remarks = [outcome.error]
        if outcome.reused:
            remarks.append("a finished fit was used again")
        if outcome.lost and not outcome.error:
            remarks.append(f"attempt {outcome.attempts}: before, {'; '.join(outcome.lost)}")
        said = "failed" if outcome.error else "yes" if outcome.converged else "NO"
        cells = (outcome.name, said, f"{outcome.seconds:.0f}", "\n".join(remarks))
        table.add_row(*map(Text, cells))
    Console().print(table)
