"""``python benchmarks/surface.py [TREE]``: everything that a user can reach, one entry a line.

``TREE`` is the root of another checkout: ``diff`` of the two outputs shows what a change added to
commands, options, settings, keys of a workflow, diagnostics, checks, exit codes and public names,
or took from them.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

#: The modules whose names the documentation gives to users.
PUBLIC: Final = ("flowrunner", "flowrunner.hooks", "flowrunner.tasks", "flowrunner.data")


def commands() -> Iterator[str]:
    """Yield commands with their arguments and options."""
    group = importlib.import_module("flowrunner.cli.main").cli
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        yield f"command {name}"
        for parameter in command.params:
            words = " ".join([*parameter.opts, *parameter.secondary_opts])
            kind = parameter.type
            choices = "|".join(kind.choices) if isinstance(kind, click.Choice) else ""
            yield f"option {name} {words} {choices}".rstrip()


def settings() -> Iterator[str]:
    """Yield the settings."""
    definitions = importlib.import_module("flowrunner.settings.definitions").DEFINITIONS
    yield from (f"setting {name}" for name in definitions)


def keys(tree: Path) -> Iterator[str]:
    """Yield the keys that a workflow file takes, each with the definition that takes it."""

    def walk(value: Any, place: str) -> Iterator[str]:
        if isinstance(value, dict):
            for name, inner in value.items():
                if name == "properties":
                    for key in inner:
                        yield f"key {place} {key}"
                if name == "enum" and isinstance(inner, list):
                    yield f"values {place} {' '.join(map(str, inner))}"
                yield from walk(inner, place if name in KEYWORDS else f"{place}/{name}")
        elif isinstance(value, list):
            for each in value:
                yield from walk(each, place)

    yield from walk(json.loads((tree / "schemas/workflow.schema.json").read_text("utf-8")), "")


#: Keywords of JSON Schema that are no part of a place.
KEYWORDS: Final = {"properties", "items", "allOf", "anyOf", "oneOf", "then", "else", "$defs"}


def diagnostics(tree: Path) -> Iterator[str]:
    """Yield each wrong example with the places that its diagnostics name."""
    for path in sorted((tree / "tests/invalid").rglob("*.txt")):
        text = path.read_text("utf-8")
        places = re.findall(r"[┌╭]─ *(\S+)", text)
        yield f"diagnostic {path.stem} {' '.join(places)}".rstrip()


def sources(tree: Path) -> Iterator[ast.Module]:
    """Yield the parsed modules of the package."""
    for path in sorted((tree / "flowrunner").rglob("*.py")):
        yield ast.parse(path.read_text("utf-8"))


def strings(tree: Path) -> Iterator[str]:
    """Yield the checks of ``doctor`` and the variables of the environment."""
    checks: set[str] = set()
    variables: set[str] = set()
    for module in sources(tree):
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and len(node.args) > 1:
                severity, check = node.args[:2]
                if (
                    isinstance(severity, ast.Constant)
                    and severity.value in ("error", "warning", "ok")
                    and isinstance(check, ast.Constant)
                    and isinstance(check.value, str)
                ):
                    checks.add(check.value)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                variables.update(re.findall(r"\bFLOWRUNNER_[A-Z_]+", node.value))
    yield from (f"check {name}" for name in sorted(checks))
    yield from (f"variable {name}" for name in sorted(variables))


def exit_codes() -> Iterator[str]:
    """Yield the exit codes."""
    module = importlib.import_module("flowrunner.cli.exit_status")
    yield from (
        f"exit code {value} {name}"
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, int)
    )


def names() -> Iterator[str]:
    """Yield the public names and the hooks."""
    for name in PUBLIC:
        module = importlib.import_module(name)
        for public in module.__all__:
            what = getattr(module, public)
            yield f"name {name}.{public}"
            if isinstance(what, type):
                members = (key for key in vars(what) if not key.startswith("_"))
                yield from (f"name {name}.{public}.{key}" for key in members)


def main() -> None:
    """Print the surface of one tree."""
    tree = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1]).resolve()
    sys.path.insert(0, str(tree))
    for entry in (
        *commands(),
        *settings(),
        *sorted(set(keys(tree))),
        *diagnostics(tree),
        *strings(tree),
        *exit_codes(),
        *names(),
    ):
        print(entry)


if __name__ == "__main__":
    main()
