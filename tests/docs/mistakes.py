"""The page of mistakes, made from ``tests/invalid``: what is written, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from flowrunner.app import Project
from flowrunner.errors import Diagnostic, WorkflowError

__all__ = ["SECTIONS", "mistakes_page"]

#: The files of each section, by their stems.
SECTIONS: Final[dict[str, tuple[str, ...]]] = {
    "each": ("each",),
    "when": ("when",),
    "switch": ("switch",),
    "id": ("values-of-steps", "ids", "names"),
    "on_error": ("on-error", "handlers", "handler-arguments", "only-finally"),
    "retry": ("retry",),
    "tolerate": ("tolerate",),
    "max_parallel": ("max-parallel",),
    "graph": ("graph", "graph-needs"),
    "use": ("use",),
    "env": ("env", "env-mapping", "secrets"),
    "inputs": ("inputs-definitions", "patterns", "unknown-input", "input-without-inputs"),
    "outputs": ("outputs", "outputs-empty", "outputs-list"),
    "defaults": ("defaults", "defaults-of-steps"),
    "Types": ("types",),
    "Values that must be known before the run": ("known-at-run-time",),
    "Expressions": ("expressions", "bare-expression"),
    "Calls": (
        *("unknown-task", "missing-argument", "too-many-arguments", "unknown-argument"),
        *("argument-twice", "arguments-in-a-call", "index-name", "count-in-task"),
        *("count-negative", "count-exponent", "count-separate", "count-too-many"),
    ),
    "chain, group, chord": (
        *("chord-without-body", "header-without-chord", "list-as-step", "queue-of-a-group"),
    ),
    "map, starmap, chunks": ("items",),
    "Steps": (
        *("two-step-keys", "two-steps", "no-step", "empty-step", "unknown-step-key"),
        *("unknown-key", "wrong-kinds", "wrong-types", "language-version"),
    ),
    "Keys in the wrong place": ("keys-in-the-wrong-place",),
    "Values written otherwise": ("written-otherwise",),
    "Keys of other systems": ("other-systems",),
    "YAML": (
        *("angle-brackets", "colon-in-text", "duplicate-key", "indentation", "tab", "yaml-1.1"),
        *("two-documents", "list-at-the-top", "empty", "only-comments", "alias-bomb"),
    ),
}

#: Files whose lines are too long or too strange to be shown.
NOT_SHOWN: Final = frozenset(
    {
        *("control-characters", "raw-control-character", "wide-characters", "long-line"),
        "everything-at-once",
    }
)

BAR: Final = "\\|"

_HEAD: Final = """\
# Mistakes

This page lists the errors that flowrunner reports before anything runs.
`UPDATE_GOLDEN=1 pytest tests/docs` generates it from [`tests/invalid`](../tests/invalid), where
each wrong file lies beside its exact output.

A terminal shows each error with its location:

```text
error: unknown task 'powr'
  ┌─ workflows/powersum.yaml:2:11
  │
2 │   header: powr x10
  │           ^^^^ no plugin provides it; did you mean 'power'?
  │
  = known tasks: amass, negate, power, slow_power (flowrunner tasks)
```
"""


def mistakes_page(folder: Path, project: Project) -> str:
    """Return the page for the files of a folder, which is the working directory."""
    parts = [_HEAD]
    placed = {name for names in SECTIONS.values() for name in names} | NOT_SHOWN
    others = sorted({file.stem for file in folder.glob("*.yaml")} - placed)
    for title, names in {**SECTIONS, **({"More": others} if others else {})}.items():
        rows = [row for name in names for row in _rows(folder / f"{name}.yaml", project)]
        parts.append(
            "\n".join(
                [f"## {title}", "", "| in the file | error | fix |", "| --- | --- | --- |", *rows]
            )
        )
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _rows(file: Path, project: Project) -> Iterator[str]:
    try:
        project.plan(Path(file.name))
    except WorkflowError as error:
        for each in error.diagnostics:
            cure = " ".join([each.label, *_cures(each)])
            cells = (_code(_line(each)), _plain(each.message), _plain(cure))
            yield f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"


def _cures(diagnostic: Diagnostic) -> Iterator[str]:
    for note in diagnostic.notes:
        if not note.startswith("known tasks"):
            yield f"({note})" if diagnostic.label else note


def _line(diagnostic: Diagnostic) -> str:
    place = diagnostic.location
    if place is None:
        return ""
    line = place.source.text.splitlines()[place.line - 1 : place.line]
    return line[0].strip().removeprefix("- ") if line else ""


def _code(line: str) -> str:
    return f"`{line}`" if line else ""


def _plain(text: str) -> str:
    return text.replace("<", "&lt;").replace("*", "\\*").replace("\n", " ").strip()
