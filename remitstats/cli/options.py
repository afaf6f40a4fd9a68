"""The options that `remitstats run` and `remitstats fit` share, written down once."""

from __future__ import annotations

import inspect
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from remitstats.catalogue import Model
    from remitstats.parts.sampling_error import SamplingDesign
    from remitstats.pipeline import Job


Out = Annotated[Path, typer.Option("--out", help="Folder to write to.", metavar="DIR")]
Fits = Annotated[
    Path, typer.Option("--fits", help="Folder where finished fits are kept.", metavar="DIR")
]
PanelFile = Annotated[
    Path | None,
    typer.Option("--panel", help="A panel of your own; default: Mexico.", metavar="FILE"),
]
States = Annotated[
    str | None, typer.Option("--states", help="Codes of the states to keep.", metavar="14,32")
]
Language = Annotated[
    str,
    typer.Option(
        "--lang",
        help="Language that the report opens with, en or es (español); it holds both.",
        metavar="LANG",
    ),
]


@dataclass(frozen=True)
class FitOptions:
    """What a fit is asked for on the command line; every field is the option of its name."""

    out: Out = Path("reports")
    fits: Fits = Path("fits")
    panel: PanelFile = None
    states: States = None
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
        typer.Option(
            "--prior",
            help="Change a prior (or MODEL.NAME=A,B); may be repeated.",
            metavar="NAME=A,B",
        ),
    ] = None
    design_effect: Annotated[
        float | None,
        typer.Option("--design-effect", help="Design effect of the census sample."),
    ] = None

    def job(self, models: Sequence[Model]) -> Job:
        """Return the job that is asked for.

        Parameters
        ----------
        models : sequence of Model
            What is to be fitted; tells whose priors are meant.

        Raises
        ------
        RemitstatsError
            If an option can't be used.
        """
        from remitstats.fitting.settings import AskedSettings  # noqa: PLC0415  (start-up quick)

        settings = AskedSettings(
            engine=self.engine,
            seed=self.seed,
            draws=self.draws,
            tune=self.tune,
            chains=self.chains,
            quick=self.quick,
        )
        codes, numbers = codes_of(self.states), numbers_of(self.prior or [])

        # Imported only now, so that an option that can't be used is refused at once.
        from remitstats.pipeline import Job  # noqa: PLC0415

        return Job(
            out=self.out,
            fits=self.fits,
            panel=self.panel,
            states=codes,
            settings=settings,
            priors=priors_of(numbers, models),
            design=design_of(self.design_effect, models),
            command=command_given(),
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


def names_of(models: str | None) -> tuple[str, ...] | None:
    """Return the names of an option such as ``reliance,circle``; without the option, None."""
    if models is None:
        return None
    return tuple(part.strip() for part in models.split(",") if part.strip())


def language_of(language: str) -> str:
    """Return the language that an option names.

    Raises
    ------
    RemitstatsError
        If there are no reports in it.
    """
    if language == "en":  # the catalogues are read only where they are needed
        return language
    from remitstats.report.texts import require_language  # noqa: PLC0415  (start-up stays quick)

    return require_language(language)


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


def priors_of(numbers: Mapping[str, tuple[float, ...]], models: Iterable[Model]) -> dict[str, Any]:
    """Return the changed priors by model.

    Parameters
    ----------
    numbers : mapping of str to tuple of float
        By ``PRIOR`` or ``MODEL.PRIOR``; a name without its model must be that of one model only.
    models : iterable of Model
        Those to be fitted.

    Raises
    ------
    RemitstatsError
        If a name is unknown or that of several models, or the numbers do not fit the prior.
    """
    if not numbers:
        return {}
    from remitstats.errors import RemitstatsError, unknown  # noqa: PLC0415  (start-up stays quick)
    from remitstats.parts.prior_values import with_values  # noqa: PLC0415

    defaults = {model.name: model.load("priors")() for model in models}
    owners: dict[str, list[str]] = {}
    for model, priors in defaults.items():
        for field in fields(priors):
            owners.setdefault(field.name, []).append(model)
    changed: dict[str, dict[str, tuple[float, ...]]] = {}
    for name, values in numbers.items():
        model, dot, prior = name.rpartition(".")
        if dot and model not in defaults:
            raise unknown("model", model, defaults)
        having = [model] if dot else owners.get(prior, [])
        if len(having) > 1:
            forms = " or ".join(f"--prior {model}.{prior}=…" for model in having)
            raise RemitstatsError(f"Several models have a prior '{prior}': write {forms}.")
        if not having or prior not in owners or having[0] not in owners[prior]:
            known = [p for p, models in owners.items() if not dot or model in models]
            raise unknown("prior", prior, known)
        changed.setdefault(having[0], {})[prior] = values
    return {model: with_values(defaults[model], values) for model, values in changed.items()}


def design_of(design_effect: float | None, models: Iterable[Model]) -> SamplingDesign | None:
    """Return the assumed census sample that an option asks for; without the option, None.

    Raises
    ------
    RemitstatsError
        If it can't be used, or by none of the models.
    """
    if design_effect is None:
        return None
    from remitstats.errors import RemitstatsError  # noqa: PLC0415  (start-up stays quick)
    from remitstats.parts.sampling_error import SamplingDesign  # noqa: PLC0415

    models = list(models)
    if not any(model.design for model in models):
        names = ", ".join(model.name for model in models)
        raise RemitstatsError(f"--design-effect means nothing to {names}: leave it out.")
    try:
        return SamplingDesign(design_effect=design_effect)
    except ValueError as error:
        raise RemitstatsError(f"--design-effect can't be used: {error}.") from error


def command_given() -> str:
    """Return the command as it was given; bytes that are no text are shown in escapes."""
    command = shlex.join(["remitstats", *sys.argv[1:]])
    return command.encode("utf-8", "backslashreplace").decode("utf-8")


def command_again(words: Sequence[str], states: str | None, seed: int, panel: Path | None) -> str:
    """Return a command that gives the same again anywhere: without folders.

    Parameters
    ----------
    words : sequence of str
        What was asked for, but for the options below.
    states, seed, panel
        The options of these names; left out where they were not given.
    """
    command = ["remitstats", *words]
    if states:
        command += ["--states", states]
    if seed != 1:
        command += ["--seed", str(seed)]
    if panel is not None:
        command += ["--panel", panel.name]
    return shlex.join(command)
