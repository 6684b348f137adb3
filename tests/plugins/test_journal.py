"""The journal: a line for each failure and one for each run."""

import os
import subprocess
from pathlib import Path

from tests.forking import run_command_text

ROOT = Path(__file__).parents[2]


def apply(journal: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ("apply", "workflows/journalled.yaml", "-i", f"journal={journal}", *arguments)
    return run_command_text(*command, cwd=ROOT, env=os.environ)


def test_every_run_leaves_a_line_and_every_failure_another(tmp_path: Path) -> None:
    journal = tmp_path / "journal.txt"
    assert apply(journal).stdout == "285\n"
    failed = apply(journal, "-i", "expo=-1")
    assert (failed.returncode, failed.stdout) == (1, "")
    good, failure, bad = journal.read_text(encoding="utf-8").splitlines()
    assert good.endswith(" journalled: SUCCESS")
    assert failure.startswith("  chord.header[0]: ZeroDivisionError: 0")
    assert bad.endswith(" journalled: FAILURE")
