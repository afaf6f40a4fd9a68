"""`remitstats validate MODEL`: what estimates and verdicts are worth on simulated panels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remitstats.cli.options import Fits, Out, States

if TYPE_CHECKING:
    import pandas as pd

    from remitstats.claims.circle_calibration import Calibration
    from remitstats.validation.circle import Trial

CIRCLE = "circle"
OF_THE_CIRCLE = ("panels", "every", "scenarios", "chains")
OF_THE_OTHERS = ("simulations", "draws", "states")
OF_SIMULATION = ("simulations", "draws", *OF_THE_CIRCLE, "workers", "cluster")


def validate(
    context: typer.Context,
    model: Annotated[
        str,
        typer.Argument(
            help="Model to validate: circle, reliance, macro, dependence, dependence_state, "
            "depopulation, paid_out or transition."
        ),
    ],
    *,
    simulations: Annotated[
        int, typer.Option("--simulations", help="How many (all models but the circle).")
    ] = 200,
    draws: Annotated[
        int,
        typer.Option("--draws", help="Kept iterations of every chain of such a simulation's fit."),
    ] = 500,
    states: States = None,
    panels: Annotated[int, typer.Option("--panels", help="Panels of every scenario.")] = 100,
    every: Annotated[
        int,
        typer.Option("--every", help="One block of municipalities in how many; 1: the country."),
    ] = 2,
    scenarios: Annotated[
        str | None,
        typer.Option("--scenarios", help="Some scenarios only.", metavar="'no loop,vicious'"),
    ] = None,
    chains: Annotated[
        int,
        typer.Option(
            "--chains",
            help="Fit the first panels of every scenario by chains as well, this many, instead.",
            min=0,
        ),
    ] = 0,
    sensitivity: Annotated[
        bool,
        typer.Option(
            "--sensitivity",
            help="Instead of simulating: how far priors and data move the posterior "
            "(circle, macro, reliance).",
        ),
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Seed of everything random.")] = 1,
    out: Out = Path("reports"),
    fits: Fits = Path("fits"),
    panel: Annotated[
        Path | None,
        typer.Option("--panel", help="A panel of your own; default: Mexico.", metavar="FILE"),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", help="Processes; default: one a core.", metavar="N")
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", help="Dask scheduler to run on.", metavar="tcp://HOST:PORT"),
    ] = None,
) -> None:
    """Simulate data whose truth is known, fit them, and say how often what is stated is right.

    Of the circle, whole countries of several scenarios (--panels, --every, --scenarios) and how
    often its verdict holds; with --chains the first panels of each are fitted by Markov chains and
    held against the approximation that tries them all. Of other models, data drawn from the priors
    (--simulations, --draws, --states) and where the truth stands among the posterior draws. What is
    finished is kept with the fits: what was interrupted goes on.

    With --sensitivity nothing is simulated: the model is fitted to the panel, or its finished fit
    is found, and its priors and its likelihood are raised to powers near one.
    """
    from remitstats.errors import unknown  # noqa: PLC0415  (start-up stays quick)
    from remitstats.validation.subjects import MODELS  # noqa: PLC0415

    if sensitivity:
        from remitstats.cli.sensitivity import Asked as AskedScaling  # noqa: PLC0415
        from remitstats.cli.sensitivity import scale  # noqa: PLC0415

        _refuse_with_sensitivity(context)
        scale(AskedScaling(model, states, seed, out, fits, panel))
        return
    if model not in (CIRCLE, *MODELS):
        raise unknown("model to validate", model, (CIRCLE, *MODELS))
    _refuse(context, model, OF_THE_OTHERS if model == CIRCLE else OF_THE_CIRCLE)
    if model != CIRCLE:
        from remitstats.cli.calibrate import Asked, calibrate  # noqa: PLC0415

        calibrate(
            Asked(model, simulations, draws, states, seed, out, fits, panel, workers, cluster)
        )
        return
    from rich.console import Console  # noqa: PLC0415

    from remitstats.claims.circle_calibration import CALIBRATION  # noqa: PLC0415
    from remitstats.cli.options import command_given  # noqa: PLC0415
    from remitstats.cli.progress import Phases  # noqa: PLC0415
    from remitstats.estimands.files import replace_file  # noqa: PLC0415
    from remitstats.models.circle_data import prepare_data  # noqa: PLC0415
    from remitstats.pipeline import open_panel, require_writable  # noqa: PLC0415
    from remitstats.simulate import SCENARIOS  # noqa: PLC0415
    from remitstats.validation.circle import Study, Trial  # noqa: PLC0415
    from remitstats.validation.circle_study import calibration_of, run_study  # noqa: PLC0415

    chosen = [part.strip() for part in scenarios.split(",")] if scenarios else list(SCENARIOS)
    study = Study(panels=panels, every=every, scenarios=tuple(chosen), seed=seed)
    require_writable(out)
    require_writable(fits, "--fits")
    trial = Trial(study, prepare_data(open_panel(panel, ())))
    if chains:
        _by_chains(trial, chains, out, fits, workers, cluster)
        return
    with Phases(Console(stderr=True)) as phases:
        records = run_study(trial, fits, workers=workers, cluster=cluster, progress=phases)
    found = calibration_of(trial, records, command_given())
    show(found)
    typer.echo(str(replace_file(out / CALIBRATION, found.to_json())))
    if found.missed:
        raise typer.Exit(3)


def _by_chains(
    trial: Trial, panels: int, out: Path, fits: Path, workers: int | None, cluster: str | None
) -> None:
    """Fit some panels of the circle's study by chains too, and say what that changes."""
    from rich.console import Console  # noqa: PLC0415  (start-up stays quick)

    from remitstats.claims.circle_calibration import (  # noqa: PLC0415
        BY_CHAINS,
        CALIBRATION,
        bars_by_chains,
    )
    from remitstats.cli.options import command_given  # noqa: PLC0415
    from remitstats.cli.progress import Phases  # noqa: PLC0415
    from remitstats.estimands.files import replace_file  # noqa: PLC0415
    from remitstats.validation.circle_chains import run_both_ways, summary_of  # noqa: PLC0415

    with Phases(Console(stderr=True)) as phases:
        found = run_both_ways(
            trial, panels, fits, workers=workers, cluster=cluster, progress=phases
        )
    summary = summary_of(trial, found, command_given())
    bars = bars_by_chains(summary, out / CALIBRATION)
    show_bars(bars)
    typer.echo(summary.agreement.round(3).to_string(index=False))
    typer.echo(str(replace_file(out / BY_CHAINS, summary.to_json())))
    if not bars["met"].all():
        raise typer.Exit(3)


def _given(context: typer.Context, options: tuple[str, ...]) -> list[str]:
    """Return those of some options that were given."""
    found = []
    for name in options:
        source = context.get_parameter_source(name)
        if source is not None and source.name != "DEFAULT":
            found.append(f"--{name}")
    return found


def _refuse_with_sensitivity(context: typer.Context) -> None:
    """Refuse options of simulations where nothing is simulated.

    Raises
    ------
    RemitstatsError
        Naming them.
    """
    from remitstats.errors import RemitstatsError  # noqa: PLC0415  (start-up stays quick)

    given = _given(context, OF_SIMULATION)
    if given:
        raise RemitstatsError(
            f"{' and '.join(given)} can't be used with --sensitivity, which simulates nothing."
        )


def _refuse(context: typer.Context, model: str, options: tuple[str, ...]) -> None:
    """Refuse options that mean nothing for a model, instead of passing over them.

    Raises
    ------
    RemitstatsError
        Naming them.
    """
    from remitstats.errors import RemitstatsError  # noqa: PLC0415  (start-up stays quick)

    given = _given(context, options)
    if given:
        raise RemitstatsError(
            f"{' and '.join(given)} can't be used with the model '{model}'. The circle takes "
            "--panels, --every, --scenarios and --chains; other models take --simulations, "
            "--draws and --states."
        )


def show_bars(bars: pd.DataFrame) -> None:
    """Print what is asked of the rule, and what was found."""
    from rich.console import Console  # noqa: PLC0415  (start-up stays quick)
    from rich.table import Table  # noqa: PLC0415

    table = Table("bar", "asked", "found", "met")
    for row in bars.to_dict("records"):
        table.add_row(
            row["bar"], row["asked"], f"{row['found']:.3f}", "yes" if row["met"] else "NO"
        )
    Console().print(table)


def show(found: Calibration) -> None:
    """Print the bars, and what was found in which scenario."""
    from rich.console import Console  # noqa: PLC0415  (start-up stays quick)
    from rich.table import Table  # noqa: PLC0415

    console = Console()
    show_bars(found.bars)
    wide = found.outcomes.pivot_table(
        index="scenario", columns="verdict", values="count", sort=False
    )
    table = Table("scenario", *map(str, wide.columns))
    for scenario, counts in wide.iterrows():
        table.add_row(str(scenario), *(f"{count:.0f}" for count in counts))
    console.print(table)
