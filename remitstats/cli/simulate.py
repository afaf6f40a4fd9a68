"""`remitstats simulate MODEL`: a made-up country whose truth is known, as a table or a panel."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

MODELS = ("circle", "country")


def simulate(
    model: Annotated[str, typer.Argument(help="What to simulate: circle, or country.")],
    *,
    scenario: Annotated[
        str, typer.Option("--scenario", help="vicious, virtuous, 'no loop', …")
    ] = "vicious",
    seed: Annotated[int, typer.Option("--seed", help="Seed of everything random.")] = 1,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            help="CSV file to write; of a country a new folder, without the .csv.",
            metavar="FILE",
        ),
    ] = Path("simulated.csv"),
    panel: Annotated[
        Path | None,
        typer.Option("--panel", help="Whose municipalities; default: Mexico.", metavar="FILE"),
    ] = None,
) -> None:
    """Draw made-up data and write them.

    circle: the state of every municipality and wave from a scenario, as a table in standard
    deviations of each variable within its wave, as the model sees the real data.

    country: the panel of an invented country that is not Mexico, as a folder of tables, to try out
    `remitstats run --panel`; --scenario and --panel mean nothing to it.
    """
    from remitstats.errors import unknown  # noqa: PLC0415  (start-up stays quick)

    if model not in MODELS:
        raise unknown("model to simulate", model, MODELS)
    if model == "country":
        _simulate_country(out, seed)
        return
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


def _simulate_country(out: Path, seed: int) -> None:
    """Write the invented country as a folder."""
    from remitstats.errors import RemitstatsError  # noqa: PLC0415  (start-up stays quick)

    if seed < 0:
        raise RemitstatsError(f"--seed must be 0 or more, found {seed}.")
    from remitstats.panel.file import write_folder  # noqa: PLC0415
    from remitstats.pipeline import require_writable  # noqa: PLC0415
    from remitstats.simulate.country import simulated_country  # noqa: PLC0415

    folder = out.with_suffix("") if out.suffix == ".csv" else out
    require_writable(folder.absolute().parent)
    write_folder(simulated_country(seed), folder)
    typer.echo(str(folder))
