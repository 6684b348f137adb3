"""The page of limits, made from the constants that the code refuses by."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Final, NamedTuple

from flowrunner.budget import FREE_CHARACTERS, UNTRUSTED
from tests.shipped import ROOT

__all__ = ["LIMITS", "NO_LIMITS", "constants", "limits_page"]


def number(value: int) -> str:
    return f"{value:,}"


def size(value: int) -> str:
    """Return bytes in the largest unit that they are whole numbers of."""
    units = ((1024**2, "MiB"), (10**6, "MB"), (1024, "KiB"), (1, "bytes"))
    return next((f"{value // each:,} {name}" for each, name in units if value % each == 0))


def integer(value: int) -> str:
    """Return an integer at the end of a range of powers of two."""
    power = abs(value).bit_length() - (value in (-(2**63), 2**63))
    return f"{'-' if value < 0 else ''}2^{power}{' - 1' if value == 2**power - 1 else ''}"


def days(value: float) -> str:
    return f"{value / 86_400:,.0f} days"


class Limit(NamedTuple):
    """A row: what is limited, and the constant that says by how much."""

    of: str
    module: str
    name: str
    shown: Callable[[Any], str] = number
    unit: str = ""


#: The rows of the table, by the part of a workflow that they are about.
LIMITS: Final[dict[str, tuple[Limit, ...]]] = {
    "Files": (
        Limit("a workflow file, or a file that it uses", "loader.reading", "MAXIMUM_BYTES", size),
        Limit("a JSON file with inputs (`--inputs`)", "loader.reading", "MAXIMUM_JSON_BYTES", size),
        Limit("a settings file", "settings.file", "MAXIMUM_BYTES", size),
        Limit(
            "the number of values in a file: mappings, lists, scalars",
            "loader.composer",
            "MAXIMUM_NODES",
        ),
        Limit(
            "the number of values that the aliases of a file add",
            "loader.composer",
            "MAXIMUM_ALIASED_NODES",
        ),
        Limit("nesting of values", "loader.composer", "MAXIMUM_DEPTH", unit="levels"),
        Limit(
            "an integer in a file",
            "loader.scalars",
            "MAXIMUM_INTEGER",
            integer,
            "positive or negative",
        ),
        Limit("errors of keys and types that are reported", "loader.schema_check", "MOST_ERRORS"),
        Limit("errors of one input that are reported", "loader.violation", "MOST_VIOLATIONS"),
        Limit("a `pattern`", "loader.pattern", "LONGEST_PATTERN", unit="characters"),
        Limit("the memory that a compiled `pattern` takes", "loader.pattern", "_MOST_MEMORY", size),
    ),
    "Used files": (
        Limit("files that a workflow uses", "planner.used_files", "MOST_FILES"),
        Limit("nesting of used files", "planner.used_files", "MOST_NESTED", unit="levels"),
        Limit("`use` steps of a workflow", "planner.used_files", "MOST_USES"),
        Limit("nesting of a `use` step", "planner.steps.use", "DEEPEST", unit="levels"),
    ),
    "Steps": (
        Limit("calls of a workflow", "planner.context", "MAXIMUM_CALLS"),
        Limit("members of an `each` whose list is a result", "deferred", "MOST_MEMBERS"),
        Limit("retries of a call: `max`", "planner.policies", "MOST_RETRIES"),
        Limit(
            "`timeout`, `delay`, `cap`, `countdown`, `time_limit`, `soft_time_limit`",
            *("duration", "MOST_SECONDS", days),
        ),
    ),
    "Expressions": (
        Limit("one expression", "expressions.limits", "LONGEST_EXPRESSION", unit="characters"),
        Limit(
            "all expressions of one string",
            *("expressions.limits", "MOST_EXPRESSION_TEXT", number, "characters"),
        ),
        Limit("nesting of brackets", "expressions.limits", "DEEPEST_NESTING", unit="levels"),
        Limit(
            "a string that an expression makes",
            *("expressions.limits", "LONGEST_TEXT", number, "characters"),
        ),
        Limit(
            "a list that an expression makes, including the lists in it",
            *("expressions.limits", "LONGEST_LIST", number, "items"),
        ),
        Limit("an integer, largest value", "expressions.limits", "LARGEST_INTEGER", integer),
        Limit("an integer, smallest value", "expressions.limits", "SMALLEST_INTEGER", integer),
        Limit(
            "a string that `int` or `float` reads",
            *("expressions.functions", "_LONGEST_NUMBER", number, "characters"),
        ),
        Limit(
            "the digits to which `round` rounds, positive or negative",
            "expressions.functions",
            "_MOST_DIGITS",
        ),
        Limit(
            "the work of one evaluation of an expression",
            *("expressions.limits", "_MOST_WORK", number, "units"),
        ),
        Limit(
            "the work of all checks and expressions before a run, for a file of up to "
            f"{FREE_CHARACTERS:,} characters (a longer file gets proportionally more)",
            *("budget", "MOST_WORK", number, "units"),
        ),
    ),
    "Results": (
        Limit("nesting of values in a result", "values", "MAXIMUM_DEPTH", unit="levels"),
        Limit("an integer in a result", "values", "MAXIMUM_DIGITS", unit="digits"),
        Limit(
            "a result that is recorded on this machine",
            *("runs.sqlite_store", "LARGEST_RESULT", size),
        ),
        Limit(
            "a canvas that is queued for plain workers (Celery workers without flowrunner)",
            "engines.celery",
            "LARGEST_CANVAS",
            size,
        ),
    ),
    "Records": (
        Limit("embedded runs that are recorded", "runs.sqlite_store", "MOST_RUNS"),
        Limit(
            "the time for which embedded runs are stored", "runs.sqlite_store", "LONGEST_KEPT", days
        ),
        Limit(
            "errors that a handler (`on_error`, `finally`) receives", "runs.outcome", "MOST_ERRORS"
        ),
        Limit(
            "all strings of these errors together", "runs.outcome", "MOST_TEXT", unit="characters"
        ),
        Limit("one string of the first error", "runs.outcome", "LONGEST_TEXT", unit="characters"),
        Limit("paths of skipped calls that a handler receives", "runs.outcome", "MOST_SKIPPED"),
    ),
}

#: Constants with the name of a limit that refuse nothing: they decide how things are shown or done.
NO_LIMITS: Final = frozenset(
    {
        "loader.shape_cures._LONGEST_VALUE",
        "loader.shape_cures._MOST_NAMES",
        "planner.continuations.SMALLEST_PART",
        "planner.exception_classes.DEEPEST",
        "planner.exception_names.MOST_WARNINGS",
        "planner.dependencies.MOST_CIRCLES",
        "planner.dependencies.MOST_NAMED",
        "message_format.LONGEST_REPR",
        "planner.series_parallel.MOST_NESTED",
        "hints.forms.DEEPEST",
        "planner.types.inference._MOST_MEMBERS",
        "runs.store.MOST_CANDIDATES",
    }
)

#: Where everything that refuses a workflow or its values is.
_PLACES: Final = (
    *("loader", "expressions", "planner", "runs"),
    *("values.py", "deferred.py", "template.py", "given_inputs.py", "settings/file.py"),
)
_PREFIXES: Final = ("MAXIMUM_", "MOST_", "LONGEST_", "DEEPEST", "LARGEST_", "SMALLEST_")

_HEAD: Final = """\
# Limits

These limits catch mistakes and attacks; real workflows stay below them.

- A file that exceeds a limit is refused before anything runs, with the location.
- Some values exist only during the run, such as the results of tasks. If such a value exceeds a
  limit, its step fails.
- The limits on recorded runs, recorded results, reported errors and handlers fail nothing.
  flowrunner deletes the oldest runs, does not record a larger result, and leaves out or shortens
  the rest.

*Work* is counted in units: each check before a run and each operation of an expression costs some
units. With `--no-plugins`, a step, a call or an evaluation of an expression costs @UNTRUSTED@ times
as many units.

`UPDATE_GOLDEN=1 pytest tests/docs` generates this page from the code.

| area | what is limited | limit |
| --- | --- | --- |
"""


def limits_page() -> str:
    """Return the page."""
    return _HEAD.replace("@UNTRUSTED@", str(UNTRUSTED)) + "".join(f"{row}\n" for row in _rows())


def _rows() -> Iterator[str]:
    for part, limits in LIMITS.items():
        for position, limit in enumerate(limits):
            value = getattr(import_module(f"flowrunner.{limit.module}"), limit.name)
            amount = f"{limit.shown(value)} {limit.unit}".rstrip()
            yield f"| {part if not position else ''} | {limit.of} | {amount} |".replace(
                "|  |", "| |"
            )


def constants() -> Iterator[str]:
    """Yield the names of all constants that are named like limits, where workflows are refused."""
    package = ROOT / "flowrunner"
    for place in _PLACES:
        found = package / place
        for file in sorted(found.rglob("*.py")) if found.is_dir() else [found]:
            module = ".".join(file.relative_to(package).with_suffix("").parts)
            for statement in ast.parse(file.read_text(encoding="utf-8")).body:
                match statement:
                    case (
                        ast.AnnAssign(target=ast.Name(name)) | ast.Assign(targets=[ast.Name(name)])
                    ) if name.lstrip("_").startswith(_PREFIXES):
                        yield f"{module}.{name}"
