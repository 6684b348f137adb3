"""Tasks for ``on_error`` and ``finally``: they are given how the run has ended, and note it."""

from pathlib import Path
from typing import Any

from flowrunner import hookimpl
from flowrunner.tasks import PluginTasks

__all__ = ["flowrunner_register_tasks", "note_failures", "note_run"]


def note_failures(outcome: dict[str, Any], journal: str) -> int:
    """Add a line to the journal for every step that failed; return how many there are."""
    lines = [
        f"  {error['path']}: {error['type']}: {error['message']}" for error in outcome["errors"]
    ]
    _add(journal, lines)
    return len(lines)


def note_run(outcome: dict[str, Any], journal: str) -> None:
    """Add a line to the journal: when the run started, and how it ended."""
    _add(journal, [f"{outcome['started']} {outcome['workflow']}: {outcome['state']}"])


def _add(journal: str, lines: list[str]) -> None:
    with Path(journal).open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


@hookimpl
def flowrunner_register_tasks(registry: PluginTasks) -> None:
    """Register every task of this file."""
    for task in (note_failures, note_run):
        registry.add(task)
