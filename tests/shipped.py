"""Workflows run as a reader of the repository runs them: with its plugins, in its root folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flowrunner.app import Project, run_plan
from flowrunner.engines.protocol import Engine
from flowrunner.plan import Plan
from flowrunner.plugins import PluginReference
from flowrunner.runs.outcome import Outcome
from flowrunner.settings import Settings

__all__ = ["ROOT", "Shipped", "shipped"]

ROOT = Path(__file__).parent.parent

#: No workflow here takes longer, in seconds: one that hangs is a failure.
HANG = 60


@dataclass(frozen=True)
class Shipped:
    """The repository's plugins, and an embedded engine that has their tasks."""

    project: Project
    engine: Engine

    def plan(self, file: Path, inputs: Sequence[str] = ()) -> Plan:
        """Return the plan of a file."""
        return self.project.plan(file, inputs=inputs)

    def run(self, file: Path, inputs: Sequence[str] = ()) -> Outcome:
        """Return how a run of a file has ended."""
        return run_plan(self.plan(file, inputs), self.engine, timeout=HANG)


@contextmanager
def shipped() -> Iterator[Shipped]:
    """Give the repository's plugins and an engine that runs while they are used."""
    project = Project(Settings(plugins=(PluginReference("plugins", "test", ROOT),)))
    with project.engine() as engine:
        yield Shipped(project, engine)
