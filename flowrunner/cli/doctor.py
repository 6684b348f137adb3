"""``flowrunner doctor``."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowrunner.cli.exit_status import FAILED, SUCCEEDED, UNREACHABLE
from flowrunner.cli.options import FILE, input_options, output_option, project_options
from flowrunner.cli.output import print_json, wants_colour, wants_unicode

if TYPE_CHECKING:
    from flowrunner.app import Project
    from flowrunner.errors import Finding
    from flowrunner.loader import WorkflowFiles
    from flowrunner.plan import Plan

__all__ = ["command"]


@click.command("doctor")
@click.argument("file", type=FILE, required=False)
@input_options
@output_option
@project_options
def command(
    file: Path | None,
    inputs: tuple[str, ...],
    inputs_file: Path | None,
    output: str,
    project: Project,
) -> int:
    """Check everything that a run of FILE needs, or without FILE a run of any workflow.

    For each error or warning, the command also prints why it matters and how to fix it. It runs no
    task. It exits with 0 if there is no error, 1 if there is one, 3 if the broker or the result
    backend cannot be reached.
    """
    from flowrunner.doctor import examine
    from flowrunner.loader import WorkflowFiles
    from flowrunner.render.findings import findings_to_json, format_findings

    project.settings.require_plugins("doctor checks the tasks of plugins")
    plan, files = None, WorkflowFiles()
    if file is not None:
        plan = project.plan(file, inputs=inputs, inputs_file=inputs_file, files=files)
    findings = [*examine(project, plan), *_exceptions(project, plan, files)]
    if output == "json":
        print_json(findings_to_json(findings))
    else:
        click.echo(
            format_findings(
                findings,
                width=shutil.get_terminal_size().columns,
                colour=wants_colour(sys.stdout),
                unicode=wants_unicode(sys.stdout),
            ),
            color=True,
        )
    return _status(findings)


def _exceptions(project: Project, plan: Plan | None, files: WorkflowFiles) -> Iterator[Finding]:
    """Yield a warning for each name in ``only`` and ``never`` that retries nothing."""
    from flowrunner.cli.exception_names import exception_warnings
    from flowrunner.errors import Finding, FlowrunnerError

    def pickled() -> bool:
        if plan is None or not project.has_cluster:
            return False
        try:
            return bool(project.celery_engine(lenient=True).plain_workers(plan))
        except FlowrunnerError:  # the other checks tell it
            return False

    for each in exception_warnings(project, files, pickled=pickled):
        place = "" if each.location is None else f"{each.location}: "
        why = "; ".join(each.notes)
        yield Finding("warning", "exceptions", f"{place}{each.message}", why, each.label)


def _status(findings: Sequence[Finding]) -> int:
    from flowrunner.doctor import UNREACHABLE_CHECKS

    errors = {each.check for each in findings if each.severity == "error"}
    if errors & set(UNREACHABLE_CHECKS):
        return UNREACHABLE
    return FAILED if errors else SUCCEEDED
