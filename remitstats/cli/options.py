"""The options that `remitstats run` and `remitstats fit` share, written down once."""

from __future__ import annotations

import inspect
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from remitstats.pipeline import Job


Out = Annotated[Path, typer.Option("--out", help="Folder to write to.", metavar="DIR")]
Fits = Annotated[
    Path, typer.Option("--fits", help="Folder where finished fits are kept.", metavar="DIR")
]


@dataclass(frozen=True)
class FitOptions:
    """What a fit is asked for on the command line; every field is the option of its name."""

    out: Out = Path("reports")
    fits: Fits = Path("fits")
    panel: Annotated[
        Path | None,
        typer.Option("--panel", help="A panel of your own; default: Mexico.", metavar="FILE"),
    ] = None
    states: Annotated[
        str | None, typer.Option("--states", help="Two-digit state codes to keep.", metavar="14,32")
    ] = None
    draws: Annotated[
        int | None, typer.Option("--draws", help="Kept iterations of every chain.")
    ] = None
    tune: Annotated[
        int | None, typer.Option("--tune", help="Discarded iterations of every chain.")
    ] = None
    chains: Annotated[int | None, typer.Option("--chains", help="Number of chains.")] = None
    seed: Annotated[int, typer.Option("--seed", help="Seed of everything random.")] = 1
    engine: Annotated[str, typer.Option("--engine", help="laplace or nuts.")] = "laplace"
    quick: Annotated[
        bool,
        typer.Option("--quick", help="A trial of few draws; the gate will not pass the country."),
    ] = False
    prior: Annotated[
        list[str] | None,
        typer.Option("--prior", help="Change a prior; may be repeated.", metavar="NAME=A,B"),
    ] = None
    design_effect: Annotated[
        float | None,
        typer.Option("--design-effect", help="Design effect of the census sample."),
    ] = None

    def job(self) -> Job:
        """Return the job that is asked for.

        Raises
        ------
        RemitstatsError
            If an option can't be used.
        """
        from remitstats.errors import RemitstatsError  # noqa: PLC0415  (start-up stays quick)
        from remitstats.fitting.settings import Settings  # noqa: PLC0415

        base = Settings(engine=self.engine, seed=self.seed)
        base = base.quick() if self.quick else base
        settings = Settings(
            engine=self.engine,
            seed=self.seed,
            draws=base.draws if self.draws is None else self.draws,
            tune=base.tune if self.tune is None else self.tune,
            chains=base.chains if self.chains is None else self.chains,
        )
        codes, numbers = codes_of(self.states), numbers_of(self.prior or [])

        # Imported only now, so that an option that can't be used is refused at once.
        from remitstats.models.reliance import Priors  # noqa: PLC0415
        from remitstats.parts.sampling_error import SamplingDesign  # noqa: PLC0415
        from remitstats.pipeline import Job  # noqa: PLC0415

        design = SamplingDesign()
        try:
            if self.design_effect is not None:
                design = SamplingDesign(design_effect=self.design_effect)
        except ValueError as error:
            raise RemitstatsError(f"--design-effect can't be used: {error}.") from error
        return Job(
            out=self.out,
            fits=self.fits,
            panel=self.panel,
            states=codes,
            settings=settings,
            priors=Priors().with_values(numbers),
            design=design,
            command=_command(),
        )


def takes_fit_options(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command with a parameter `options` take every field of `FitOptions` in its place.

    Typer reads the options of a command from its signature, and knows no groups of them.
    """
    shared = fields(FitOptions)
    kinds = get_type_hints(FitOptions, include_extras=True)

    def asked(**given: Any) -> None:
        options = FitOptions(**{field.name: given.pop(field.name) for field in shared})
        command(**given, options=options)

    own = inspect.signature(command, eval_str=True).parameters.values()
    asked.__name__, asked.__doc__ = command.__name__, command.__doc__
    asked.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            *(parameter for parameter in own if parameter.name != "options"),
            *(
                inspect.Parameter(
                    field.name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=field.default,
                    annotation=kinds[field.name],
                )
                for field in shared
            ),
        ]
    )
    return asked


def codes_of(states: str | None) -> tuple[str, ...]:
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


def numbers_of(priors: list[str]) -> dict[str, tuple[float, ...]]:
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


def _command() -> str:
    """Return the command as it was given; bytes that are no text are shown in escapes."""
    command = shlex.join(["remitstats", *sys.argv[1:]])
    return command.encode("utf-8", "backslashreplace").decode("utf-8")
