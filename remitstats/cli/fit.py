"""`remitstats fit MODEL` and `remitstats run`: the same job, without and with the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remitstats.cli.options import FitOptions, Fits, Out, takes_fit_options

if TYPE_CHECKING:
    from remitstats.cli.progress import Phases
    from remitstats.pipeline import Outcome

__all__ = ["Fits", "Out", "fit", "run"]


@takes_fit_options
def run(options: FitOptions) -> None:
    """Fit the reliance model on all of Mexico and write the HTML report."""
    job = options.job()
    from remitstats import pipeline  # noqa: PLC0415  (start-up stays quick)

    with _phases() as phases:
        outcome, page = pipeline.run(job, phases)
    _end(outcome, page)


@takes_fit_options
def fit(
    model: Annotated[str, typer.Argument(help="Model to fit: reliance.")], options: FitOptions
) -> None:
    """Fit one model and write its tables (results.json, summaries), without the report."""
    from remitstats.models import check_name  # noqa: PLC0415  (start-up stays quick)

    check_name(model)
    job = options.job()
    from remitstats import pipeline  # noqa: PLC0415

    with _phases() as phases:
        outcome = pipeline.fit_reliance(job, phases)
    _end(outcome, job.out / "results.json")


def _phases() -> Phases:
    from rich.console import Console  # noqa: PLC0415  (start-up stays quick)

    from remitstats.cli.progress import Phases  # noqa: PLC0415

    return Phases(Console(stderr=True))


def _end(outcome: Outcome, path: Path) -> None:
    """Say how it went, print the path of what was written, exit 3 if it did not converge."""
    gate = outcome.results.gate
    kept = " (a finished fit was used again)" if outcome.reused else ""
    if gate.converged:
        typer.echo(
            f"Converged{kept}: R-hat at most {gate.r_hat_max:.4f}, bulk and tail ESS at least "
            f"{gate.ess_bulk_min:.0f} and {gate.ess_tail_min:.0f} for {gate.quantities:,} "
            "quantities."
        )
    else:
        typer.echo(f"NOT CONVERGED{kept}: no finding is reported.\n{gate.explain()}", err=True)
    typer.echo(str(path))
    if not gate.converged:
        from remitstats.fitting.gate import NotConvergedError  # noqa: PLC0415

        raise typer.Exit(NotConvergedError.exit_code)
