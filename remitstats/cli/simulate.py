"""`remitstats simulate MODEL`: a made-up country whose truth is known, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

MODELS = ("circle",)


def simulate(
    model: Annotated[str, typer.Argument(help="Model to simulate: circle.")],
    *,
    scenario: Annotated[
        str, typer.Option("--scenario", help="vicious, virtuous, 'no loop', …")
    ] = "vicious",
    seed: Annotated[int, typer.Option("--seed", help="Seed of everything random.")] = 1,
    out: Annotated[Path, typer.Option("--out", help="CSV file to write.", metavar="FILE")] = Path(
        "simulated.csv"
    ),
    panel: Annotated[
        Path | None,
        typer.Option("--panel", help="Whose municipalities; default: Mexico.", metavar="FILE"),
    ] = None,
) -> None:
    """Draw the state of every municipality and wave from a scenario and write it as a table.

    In standard deviations of each variable within its wave, as the model sees the real data.
    """
    from remitstats.errors import unknown  # noqa: PLC0415  (start-up stays quick)

    if model not in MODELS:
        raise unknown("model to simulate", model, MODELS)
    from remitstats.estimands.files import write_csv  # noqa: PLC0415
    from remitstats.models.circle_data import prepare_data  # noqa: PLC0415
    from remitstats.pipeline import open_panel, require_writable  # noqa: PLC0415
    from remitstats.simulate import SCENARIOS, circle_table, simulate_circle  # noqa: PLC0415

    if scenario not in SCENARIOS:
        raise unknown("scenario", scenario, SCENARIOS)
    require_writable(out.absolute().parent)
    data = prepare_data(open_panel(panel, ()))
    table = circle_table(simulate_circle(data, SCENARIOS[scenario], seed=seed))
    typer.echo(str(write_csv(out, table)))
