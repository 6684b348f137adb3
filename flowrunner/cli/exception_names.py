"""Warnings of names in ``only`` and ``never`` that no exception has, or that workers lose."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowrunner.app import Project
    from flowrunner.errors import Diagnostic
    from flowrunner.loader import WorkflowFiles

__all__ = ["exception_warnings"]


def exception_warnings(
    project: Project, files: WorkflowFiles, *, pickled: Callable[[], bool]
) -> list[Diagnostic]:
    """Return what is to be said of the exceptions that these workflows name.

    ``pickled`` tells whether workers keep only what survives pickling; it is asked if that matters.
    """
    if project.settings.no_plugins:  # no function is at hand
        return []
    texts = (workflow.source.text for workflow in files.workflows)
    if not any("only" in text or "never" in text for text in texts):
        return []
    from flowrunner.planner.exception_names import exception_warnings as found_in

    found = found_in(files.workflows, project.registry, pickled=project.has_cluster)
    return [*found.unknown, *(found.lost if found.lost and pickled() else ())]
