"""What users may rely on, as plain values; as a script, writes it to docs/public-api.json."""

from __future__ import annotations

import importlib
import inspect
import json
import types
from pathlib import Path
from typing import Any

import typer

import remitstats
from remitstats.cli.app import app

LIST = Path(__file__).parents[2] / "docs" / "public-api.json"


def python_api() -> dict[str, Any]:
    """Return the names of `import remitstats`, and of models what makes them."""
    found: dict[str, Any] = {}
    for name in sorted(remitstats.__all__):
        value = getattr(remitstats, name)
        if isinstance(value, types.ModuleType):
            found[name] = {"module": value.__name__}
            if value.__name__.startswith("remitstats.models."):
                found[f"{name}.build"] = parameters(value.build)
                found[f"{name}.Priors"] = parameters(value.Priors)
        else:
            found[name] = parameters(value)
            if inspect.isclass(value):
                for method, what in members(value):
                    found[f"{name}.{method}"] = what
    return found


def members(owner: type) -> list[tuple[str, Any]]:
    """Return public methods with their parameters, and properties."""
    found = []
    for name, value in inspect.getmembers_static(owner):
        if name.startswith("_") or (issubclass(owner, BaseException) and hasattr(Exception, name)):
            continue
        if isinstance(value, classmethod | staticmethod | types.FunctionType):
            found.append((name, parameters(getattr(owner, name))))
        elif isinstance(value, property):
            found.append((name, "attribute"))
    return found


def parameters(function: Any) -> dict[str, Any]:
    """Return each parameter: how it is passed, and its default if that is a plain value."""
    found = {}
    if inspect.isclass(function) and function.__init__ is Exception.__init__:
        return found
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "self":
            continue
        how: dict[str, Any] = {"kind": parameter.kind.name.lower()}
        if parameter.default is not parameter.empty:
            plain = isinstance(parameter.default, str | int | float | bool | None)
            how["default"] = parameter.default if plain else "…"
        found[parameter.name] = how
    return found


def command_api(command: Any = None, path: str = "remitstats") -> dict[str, list[str]]:
    """Return the options and arguments of every command of the command line."""
    command = command or typer.main.get_command(app)
    given = [word for item in command.params for word in item.opts + item.secondary_opts]
    found = {path: sorted(given)}
    for name, inner in getattr(command, "commands", {}).items():
        found |= command_api(inner, f"{path} {name}")
    return found


def public_api() -> dict[str, Any]:
    """Return both."""
    importlib.import_module("remitstats.models")
    return {"python": python_api(), "command line": command_api()}


if __name__ == "__main__":
    LIST.write_text(
        json.dumps(public_api(), indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
