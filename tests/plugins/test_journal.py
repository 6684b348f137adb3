"""The journal: a line for each failure and one for each run."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def apply(journal: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flowrunner", "apply", "workflows/journalled.yaml"]
    return subprocess.run(
        [*command, "-i", f"journal={journal}", *arguments],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_every_run_leaves_a_line_and_every_failure_another(tmp_path: Path) -> None:
    journal = tmp_path / "journal.txt"
    assert apply(journal).stdout == "285\n"
    failed = apply(journal, "-i", "expo=-1")
    assert (failed.returncode, failed.stdout) == (1, "")
    good, failure, bad = journal.read_text(encoding="utf-8").splitlines()
    assert good.endswith(" journalled: SUCCESS")
    assert failure.startswith("  chord.header[0]: ZeroDivisionError: 0")
    assert bad.endswith(" journalled: FAILURE")
