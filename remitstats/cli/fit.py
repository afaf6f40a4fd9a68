"""`remitstats fit MODEL` and `remitstats run`: the same job, without and with the report."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from remitstats.cli.progress import Phases
    from remitstats.pipeline import Job, Outcome

Out = Annotated[Path, typer.Option("--out", help="Folder to write to.", metavar="DIR")]
Fits = Annotated[
    Path, typer.Option("--fits", help="Folder where finished fits are kept.", metavar="DIR")
]
PanelFile = Annotated[
    Path | None,
    typer.Option("--panel", help="A panel of your own; default: Mexico.", metavar="FILE"),
]
States = Annotated[
    str | None, typer.Option("--states", help="Two-digit state codes to keep.", metavar="14,32")
]
Draws = Annotated[int | None, typer.Option("--draws", help="Kept iterations of every chain.")]
Tune = Annotated[int | None, typer.Option("--tune", help="Discarded iterations of every chain.")]
Chains = Annotated[int | None, typer.Option("--chains", help="Number of chains.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of everything random.")]
Engine = Annotated[str, typer.Option("--engine", help="laplace or nuts.")]
Quick = Annotated[
    bool, typer.Option("--quick", help="A trial of few draws; the gate will not pass the country.")
]
Prior = Annotated[
    list[str] | None,
    typer.Option("--prior", help="Change a prior; may be repeated.", metavar="NAME=A,B"),
]
DesignEffect = Annotated[
    float | None,
    typer.Option("--design-effect", help="Design effect of the census sample."),
]


def run(
    *,
    out: Out = Path("reports"),
    fits: Fits = Path("fits"),
    panel: PanelFile = None,
    states: States = None,
    draws: Draws = None,
    tune: Tune = None,
    chains: Chains = None,
    seed: Seed = 1,
    engine: Engine = "laplace",
    quick: Quick = False,
    prior: Prior = None,
    design_effect: DesignEffect = None,
) -> None:
    """Fit the reliance model on all of Mexico and write the HTML report."""
    job = _job(
        out=out,
        fits=fits,
        panel=panel,
        states=states,
        draws=draws,
        tune=tune,
        chains=chains,
        seed=seed,
        engine=engine,
        quick=quick,
        prior=prior,
        design_effect=design_effect,
    )
    from remitstats import pipeline  # noqa: PLC0415  (start-up stays quick)

    with _phases() as phases:
        outcome, page = pipeline.run(job, phases)
    _end(outcome, page)


def fit(
    model: Annotated[str, typer.Argument(help="Model to fit: reliance.")],
    *,
    out: Out = Path("reports"),
    fits: Fits = Path("fits"),
    panel: PanelFile = None,
    states: States = None,
    draws: Draws = None,
    tune: Tune = None,
    chains: Chains = None,
    seed: Seed = 1,
    engine: Engine = "laplace",
    quick: Quick = False,
    prior: Prior = None,
    design_effect: DesignEffect = None,
) -> None:
    """Fit one model and write its tables (results.json, summaries), without the report."""
    from remitstats.models import check_name  # noqa: PLC0415  (start-up stays quick)

    check_name(model)
    job = _job(
        out=out,
        fits=fits,
        panel=panel,
        states=states,
        draws=draws,
        tune=tune,
        chains=chains,
        seed=seed,
        engine=engine,
        quick=quick,
        prior=prior,
        design_effect=design_effect,
    )
    from remitstats import pipeline  # noqa: PLC0415

    with _phases() as phases:
        outcome = pipeline.fit_reliance(job, phases)
    _end(outcome, job.out / "results.json")


def _job(
    *,
    out: Path,
    fits: Path,
    panel: Path | None,
    states: str | None,
    draws: int | None,
    tune: int | None,
    chains: int | None,
    seed: int,
    engine: str,
    quick: bool,
    prior: list[str] | None,
    design_effect: float | None,
) -> Job:
    from remitstats.errors import RemitstatsError  # noqa: PLC0415  (start-up stays quick)
    from remitstats.fitting.settings import Settings  # noqa: PLC0415

    base = Settings(engine=engine, seed=seed)
    base = base.quick() if quick else base
    settings = Settings(
        engine=engine,
        seed=seed,
        draws=base.draws if draws is None else draws,
        tune=base.tune if tune is None else tune,
        chains=base.chains if chains is None else chains,
    )
    codes, numbers = _codes(states), _numbers(prior or [])

    # Imported only now, so that an option that can't be used is refused at once.
    from remitstats.models.reliance import Priors  # noqa: PLC0415
    from remitstats.parts.sampling_error import SamplingDesign  # noqa: PLC0415
    from remitstats.pipeline import Job  # noqa: PLC0415

    try:
        design = SamplingDesign() if design_effect is None else SamplingDesign(
            design_effect=design_effect
        )  # fmt: skip
    except ValueError as error:
        raise RemitstatsError(f"--design-effect can't be used: {error}.") from error
    return Job(
        out=out,
        fits=fits,
        panel=panel,
        states=codes,
        settings=settings,
        priors=Priors().with_values(numbers),
        design=design,
        command=_command(),
    )


def _codes(states: str | None) -> tuple[str, ...]:
    """Return the codes of an option such as ``14,32``; without the option, none."""
    from remitstats.errors import RemitstatsError  # noqa: PLC0415  (start-up stays quick)

    if states is None:
        return ()
    codes = tuple(part.strip() for part in states.split(",") if part.strip())
    if not codes:
        raise RemitstatsError(
            f"--states {states!r} names no state: write codes such as --states 14,32, or leave "
            "the option out for all."
        )
    return codes


def _command() -> str:
    """Return the command as it was given; bytes that are no text are shown in escapes."""
    command = shlex.join(["remitstats", *sys.argv[1:]])
    return command.encode("utf-8", "backslashreplace").decode("utf-8")


def _numbers(priors: list[str]) -> dict[str, tuple[float, ...]]:
    """Return the numbers of options such as ``state_sd=1,0.05``."""
    from remitstats.errors import RemitstatsError  # noqa: PLC0415  (start-up stays quick)

    found: dict[str, tuple[float, ...]] = {}
    for text in priors:
        name, _, numbers = text.partition("=")
        name = name.strip()
        if name in found:
            raise RemitstatsError(f"--prior {name} is given twice: once is enough.")
        try:
            found[name] = tuple(float(number) for number in numbers.split(","))
        except ValueError:
            raise RemitstatsError(
                f"--prior {text!r} can't be read: write NAME=NUMBER,NUMBER, such as "
                "--prior state_sd=1,0.05."
            ) from None
    return found


def _phases() -> Phases:
    from rich.console import Console  # noqa: PLC0415  (start-up stays quick)

    from remitstats.cli.progress import Phases  # noqa: PLC0415

    return Phases(Console(stderr=True))


def _end(outcome: Outcome, path: Path) -> None:
    """Say how it went, print the path of what was written, exit 3 if it did not converge."""
    results, summary = outcome.results, outcome.results.summary
    kept = " (a finished fit was used again)" if outcome.reused else ""
    if results.converged:
        typer.echo(
            f"Converged{kept}: R-hat at most {summary['r_hat_max']:.4f}, bulk and tail ESS at "
            f"least {summary['ess_bulk_min']:.0f} and {summary['ess_tail_min']:.0f} for "
            f"{summary['quantities']:,} quantities."
        )
    else:
        typer.echo(f"NOT CONVERGED{kept}: no finding is reported.", err=True)
        for reason in summary["reasons"]:
            typer.echo(f"  - {reason}", err=True)
    typer.echo(str(path))
    if not results.converged:
        raise typer.Exit(3)
