"""`remitstats validate MODEL`, for every model but the circle: calibration by simulation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from remitstats.claims.model_calibration import ModelCalibration


@dataclass(frozen=True)
class Asked:
    """What the command line asks for; every field is the option of its name."""

    model: str
    simulations: int
    draws: int
    states: str | None
    seed: int
    out: Path
    fits: Path
    panel: Path | None
    workers: int | None
    cluster: str | None


def calibrate(asked: Asked) -> None:
    """Simulate data from a model's priors, fit them, and say where the truth stood.

    Raises
    ------
    typer.Exit
        With code 3 if a headline quantity is rejected.
    """
    from rich.console import Console  # noqa: PLC0415  (start-up stays quick)

    from remitstats.cli.options import codes_of  # noqa: PLC0415
    from remitstats.cli.progress import Phases  # noqa: PLC0415
    from remitstats.estimands.files import replace_file  # noqa: PLC0415
    from remitstats.pipeline import open_panel, require_writable  # noqa: PLC0415
    from remitstats.validation.calibrating import Calibrating, run_calibration  # noqa: PLC0415
    from remitstats.validation.calibration import Length  # noqa: PLC0415
    from remitstats.validation.study import calibration_of  # noqa: PLC0415
    from remitstats.validation.subjects import subject_of  # noqa: PLC0415

    require_writable(asked.out)
    require_writable(asked.fits, "--fits")
    subject = subject_of(asked.model, open_panel(asked.panel, ()), codes_of(asked.states))
    length = Length(draws=asked.draws, tune=max(1, 2 * asked.draws // 5))
    study = Calibrating(subject, asked.simulations, asked.seed, length)
    with Phases(Console(stderr=True)) as phases:
        records = run_calibration(
            study, asked.fits, workers=asked.workers, cluster=asked.cluster, progress=phases
        )
    found = calibration_of(subject, records, study.describe() | {"command": command_of(asked)})
    show(found)
    path = asked.out / "validation" / f"{asked.model}.json"
    typer.echo(str(replace_file(path, found.to_json())))
    if found.rejected_headlines:
        raise typer.Exit(3)


def command_of(asked: Asked) -> str:
    """Return the command that gives the same again: without folders and how it was shared out."""
    from remitstats.cli.options import command_again  # noqa: PLC0415  (start-up stays quick)
    from remitstats.validation.calibration import Length  # noqa: PLC0415

    words = ["validate", asked.model, "--simulations", str(asked.simulations)]
    if asked.draws != Length().draws:
        words += ["--draws", str(asked.draws)]
    return command_again(words, asked.states, asked.seed, asked.panel)


def show(found: ModelCalibration) -> None:
    """Print what was found of each quantity."""
    from rich.console import Console  # noqa: PLC0415  (start-up stays quick)
    from rich.table import Table  # noqa: PLC0415

    console = Console()
    levels = [str(level) for level in found.coverage]
    table = Table("quantity", "uniform", "bias (sd)", *(f"{level}%" for level in levels))
    for row in found.quantities.to_dict("records"):
        mark = "NO" if row["rejected"] else "yes"
        shares = (f"{row[f'coverage_{level}']:.0f}" for level in levels)
        table.add_row(row["quantity"], mark, f"{row['bias']:+.2f}", *shares)
    mean = (f"{share:.1f}" for share in found.coverage.values())
    table.add_row("all", f"{len(found.rejected)} not", "", *mean)
    console.print(table)
    console.print(
        f"{found.simulations} simulations; fits that never passed: {found.failed} (of them ended "
        f"in an error: {found.broken}); made again: {found.again}."
    )
