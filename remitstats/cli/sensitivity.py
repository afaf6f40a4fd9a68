"""`remitstats validate MODEL --sensitivity`: how far priors and data move the posterior."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from remitstats.claims.prior_sensitivity import PriorSensitivity


@dataclass(frozen=True)
class Asked:
    """What the command line asks for; every field is the option of its name."""

    model: str
    states: str | None
    seed: int
    out: Path
    fits: Path
    panel: Path | None


def scale(asked: Asked) -> None:
    """Fit the model to the panel, or find the finished fit, and power-scale it.

    Raises
    ------
    RemitstatsError
        If the model can't be power-scaled, or an option can't be used.
    """
    import json  # noqa: PLC0415  (start-up stays quick)

    from rich.console import Console  # noqa: PLC0415

    from remitstats.claims.prior_sensitivity import FOLDER, PriorSensitivity  # noqa: PLC0415
    from remitstats.cli.options import codes_of, command_again  # noqa: PLC0415
    from remitstats.cli.progress import Phases  # noqa: PLC0415
    from remitstats.estimands.files import replace_file  # noqa: PLC0415
    from remitstats.fitting.settings import AskedSettings  # noqa: PLC0415
    from remitstats.pipeline import Job, open_panel, stored_fit  # noqa: PLC0415
    from remitstats.validation.scaling import scaling_of  # noqa: PLC0415
    from remitstats.validation.sensitivity import chance_of, sensitivity_of  # noqa: PLC0415

    scaling = scaling_of(asked.model)
    job = Job(
        asked.out,
        asked.fits,
        asked.panel,
        codes_of(asked.states),
        AskedSettings(seed=asked.seed),
    )
    panel = open_panel(job.panel, job.states)
    with Phases(Console(stderr=True)) as phases:
        tree = stored_fit(job, asked.model, panel, phases)
        phases("log densities of the draws", 0.0)
        scaled = scaling(tree, panel)
        table, chance = sensitivity_of(scaled), chance_of(scaled)
        phases("log densities of the draws", 1.0)
    told = tree["provenance"].attrs
    study = {
        "model": asked.model,
        "states": list(job.states),
        "settings": json.loads(told["settings"]),
        "panel": told["panel_hash"],
        "code_version": told["code_version"],
        "command": command_again(
            ["validate", asked.model, "--sensitivity"], asked.states, asked.seed, asked.panel
        ),
    }
    found = PriorSensitivity(study, table, chance)
    show(found)
    path = asked.out / FOLDER / f"{asked.model}.json"
    typer.echo(str(replace_file(path, found.to_json())))


def show(found: PriorSensitivity) -> None:
    """Print the sensitivities of each quantity, and what they show."""
    from rich.console import Console  # noqa: PLC0415  (start-up stays quick)
    from rich.table import Table  # noqa: PLC0415

    words = {
        "": "",
        "conflict": "both move it: do they disagree?",
        "strong prior": "the prior speaks, not the data",
        "unclear": "the priors move it; the data: unclear",
    }
    table = Table("quantity", "to the priors", "to the data", "")
    rows = found.quantities.to_dict("records")
    for row, diagnosis in zip(rows, found.diagnosis, strict=True):
        numbers = (f"{row[name]:.3f}" for name in ("prior", "likelihood"))
        table.add_row(row["quantity"], *numbers, words[diagnosis])
    console = Console()
    console.print(table)
    least = (f"{found.counts_from(name):.3f}" for name in ("prior", "likelihood"))
    console.print(
        "How far posteriors move with the logarithm of a power; counts from {} (priors) and {} "
        "(data) on.".format(*least)
    )
