"""Every workflow that ships is checked, drawn and run."""

import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader

ROOT = Path(__file__).parent.parent
NAMES = sorted(file.name for file in (ROOT / "workflows").glob("*.yaml"))

#: What each prints, with these inputs; the invoices go to a folder of their own.
PRINTED = {
    "powersum.yaml": ([], "285"),
    "powersum-negated.yaml": ([], "-285"),
    "nested.yaml": ([], "2640"),
    "journalled.yaml": (["-i", "journal={folder}/journal.txt"], "285"),
    "invoices.yaml": (["-i", "folder={folder}"], "{folder}/all.pdf"),
}


def flowrunner(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "flowrunner", *arguments],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout


def test_there_is_a_test_for_every_workflow() -> None:
    assert sorted(PRINTED) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_is_right_and_can_be_drawn(name: str) -> None:
    flowrunner("validate", f"workflows/{name}")
    assert "tasks · " in flowrunner("graph", f"workflows/{name}")


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_prints_its_result(name: str, tmp_path: Path) -> None:
    inputs, printed = PRINTED[name]
    given = [each.format(folder=tmp_path) for each in inputs]
    for _ in range(2):  # again over what the first run wrote
        out = flowrunner("apply", f"workflows/{name}", *given)
        assert out == printed.format(folder=tmp_path) + "\n"


def test_powersum_is_three_lines() -> None:
    text = (ROOT / "workflows" / "powersum.yaml").read_text(encoding="utf-8")
    assert text == "chord:\n  header: power x10\n  body: amass\n"


def test_every_subscriber_has_a_page(tmp_path: Path) -> None:
    flowrunner("apply", "workflows/invoices.yaml", "-i", f"folder={tmp_path}")
    pages = [page.extract_text() for page in PdfReader(tmp_path / "all.pdf").pages]
    rows = (ROOT / "workflows" / "subscribers.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert len(pages) == len(rows)
    assert all(row.split(",")[0] in page for row, page in zip(rows, pages, strict=True))
