"""`remitstats fit MODEL`, `remitstats run` and `remitstats report`: fits and what shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from remitstats.catalogue import NAMES, choose, find
from remitstats.cli.options import (
    FitOptions,
    Fits,
    Language,
    Out,
    PanelFile,
    States,
    codes_of,
    command_given,
    language_of,
    names_of,
    takes_fit_options,
)
from remitstats.errors import RemitstatsError

if TYPE_CHECKING:
    from remitstats.cli.progress import Phases

__all__ = ["Fits", "Out", "fit", "report", "run"]

Models = Annotated[
    str | None,
    typer.Option("--models", help=f"Models: {', '.join(NAMES)}.", metavar="NAME,NAME"),
]


@takes_fit_options
def run(options: FitOptions, *, models: Models = None, lang: Language = "en") -> None:
    """Fit the models on all of Mexico and write the HTML report, in English and Spanish."""
    names = names_of(models)
    language = language_of(lang)
    job = replace(options.job(choose(names)), language=language)
    from remitstats import pipeline  # noqa: PLC0415  (start-up stays quick)

    with _phases() as phases:
        done = pipeline.run(job, names, phases)
    _say_left_out(done.left_out)
    _end(
        {name: outcome.results for name, outcome in done.outcomes.items()},
        done.page,
        {name for name, outcome in done.outcomes.items() if outcome.reused},
    )


@takes_fit_options
def fit(
    model: Annotated[str, typer.Argument(help=f"Model to fit: {', '.join(NAMES)}.")],
    options: FitOptions,
) -> None:
    """Fit one model and write its tables (results.json, summaries), without the report."""
    entry = find(model)
    job = options.job((entry,))
    from remitstats import pipeline  # noqa: PLC0415  (start-up stays quick)

    with _phases() as phases:
        outcome = pipeline.fit_model(job, model, phases)
    reused = {model} if outcome.reused else set()
    _end({model: outcome.results}, job.folder(entry) / "results.json", reused)


def report(
    *,
    out: Out = Path("reports"),
    fits: Fits = Path("fits"),
    panel: PanelFile = None,
    states: States = None,
    models: Models = None,
    lang: Language = "en",
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option("--compare", help="Show what changed between two runs.", metavar="A B"),
    ] = None,
) -> None:
    """Write the report of earlier fits again, without fitting, in English and Spanish.

    Results under --out are used as they stand; of a model that has none there, the newest fit in
    --fits is summarised again. Both must be of the panel and states asked for.

    With --compare, only what changed between the results in two folders is shown, and written to
    compare.html under --out.
    """
    if compare is not None:
        from remitstats.cli.compare import show_comparison  # noqa: PLC0415  (start-up stays quick)

        if panel is not None or states is not None or models is not None:
            raise RemitstatsError(
                "--compare takes the results in two folders as they are: --panel, --states and "
                "--models can't be used with it."
            )
        show_comparison(*compare, out, language_of(lang))
        return
    names = names_of(models)
    codes, language = codes_of(states), language_of(lang)
    from remitstats.pipeline import Job  # noqa: PLC0415  (start-up stays quick)
    from remitstats.rebuild import rebuild  # noqa: PLC0415

    job = Job(out, fits, panel=panel, states=codes, command=command_given(), language=language)
    with _phases() as phases:
        done = rebuild(job, names, phases)
    for name, source in done.sources.items():
        typer.echo(f"{name}: from {source}", err=True)
    _end(done.results, done.page)


def _phases() -> Phases:
    from rich.console import Console  # noqa: PLC0415  (start-up stays quick)

    from remitstats.cli.progress import Phases  # noqa: PLC0415

    return Phases(Console(stderr=True))


def _say_left_out(left_out: Mapping[str, str]) -> None:
    for name, why in left_out.items():
        typer.echo(f"The model {name} was left out. {why}", err=True)


def _end(
    results: Mapping[str, Any], path: Path, reused: set[str] | frozenset[str] = frozenset()
) -> None:
    """Say how it went, print the path of what was written, exit 3 if one did not converge."""
    for name, found in results.items():
        gate = found.gate
        of = f"{name}: " if len(results) > 1 else ""
        kept = " (a finished fit was used again)" if name in reused else ""
        if gate.converged:
            typer.echo(
                f"{of}Converged{kept}: R-hat at most {gate.r_hat_max:.4f}, bulk and tail ESS at "
                f"least {gate.ess_bulk_min:.0f} and {gate.ess_tail_min:.0f} for "
                f"{gate.quantities:,} quantities."
            )
        else:
            typer.echo(
                f"{of}NOT CONVERGED{kept}: no finding is reported.\n{gate.explain()}", err=True
            )
    typer.echo(str(path))
    if not all(found.converged for found in results.values()):
        from remitstats.fitting.gate import NotConvergedError  # noqa: PLC0415

        raise typer.Exit(NotConvergedError.exit_code)
