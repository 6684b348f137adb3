"""Everything that a run needs, looked at on demand: ``flowrunner doctor``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from flowrunner.app import Project
from flowrunner.errors import ConfigurationError, Finding, FlowrunnerError
from flowrunner.plan import Plan

__all__ = ["UNREACHABLE_CHECKS", "examine", "runs_file"]

#: An error of one of these checks means that broker or result backend cannot be reached.
UNREACHABLE_CHECKS: Final = ("broker", "result backend")


def examine(project: Project, plan: Plan | None = None) -> list[Finding]:
    """Return what every check finds, within some seconds, of what a plan needs.

    Without a plan, of what any workflow may call.
    """
    return [*_loading(project), *_engine(project, plan)]


def _loading(project: Project) -> Iterator[Finding]:
    try:
        count, tasks = len(project.plugins.loaded), len(project.registry.names())
    except FlowrunnerError as error:
        yield Finding(
            "error",
            "plugins",
            str(error),
            "workflows cannot call the tasks that it has",
            "fix it, or do not name it",
        )
        return
    app = "" if project.settings.app is None else f" and the app {project.settings.app.name}"
    plugins = f"{count} plugin{'s' * (count != 1)}{app}"
    yield Finding("ok", "plugins", f"{plugins} loaded, with {tasks} task{'s' * (tasks != 1)}")


def _engine(project: Project, plan: Plan | None) -> Iterator[Finding]:
    if not project.has_cluster:
        yield Finding(
            "ok",
            "engine",
            "runs are embedded: no broker is configured, and they need none",
        )
        file = project.runs_file
        if file is not None:
            yield runs_file(file)
        return
    try:
        engine = project.celery_engine(lenient=True)
    except ConfigurationError as error:
        what, _, cure = str(error).partition("; ")
        yield Finding("error", "settings", what, "no run can start", cure or "change the setting")
        return
    except FlowrunnerError:
        return  # it has just been told
    for problem in engine.unfit:
        what, _, cure = problem.partition(": ")
        yield Finding("error", "app settings", what, "runs on this app are refused", cure)
    if engine.has_addresses:
        yield from engine.findings(engine.needs(plan))


def runs_file(file: Path) -> Finding:
    """Look whether the file that keeps embedded runs can be written."""
    place = file if file.exists() else next(each for each in file.parents if each.exists())
    if place.is_dir() == (place == file) or not os.access(place, os.W_OK):
        return Finding(
            "error",
            "runs",
            f"{file} cannot be written",
            "embedded runs are recorded there, so that they can be shown and resumed",
            "make the file writable, or name another file in the setting 'runs'",
        )
    return Finding("ok", "runs", f"embedded runs are recorded in {file}")
