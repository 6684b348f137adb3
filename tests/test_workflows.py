"""Every workflow that ships is checked, drawn and run."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pypdf import PdfReader

from flowrunner.render.outcome import result_text
from flowrunner.render.tree import render_tree
from tests.shipped import ROOT, Shipped, shipped

NAMES = sorted(file.name for file in (ROOT / "workflows").glob("*.yaml"))

#: What each prints, with these inputs; what it writes goes to a folder of its own.
PRINTED = {
    "powersum.yaml": ([], "285"),
    "powersum-negated.yaml": ([], "-285"),
    "nested.yaml": ([], "2640"),
    "journalled.yaml": (["journal={folder}/journal.txt"], "285"),
    "invoices.yaml": (["folder={folder}"], "{folder}/all.pdf"),
    "batches.yaml": (
        [],
        "[[1, 4], [9, 16], [25, 36], [1, 8, 27, 64, 125, 216], [-1, -2, -3]]",
    ),
    "word-count.yaml": ([], '{{"files": 3, "words": 68}}'),
    "triage.yaml": (
        [],
        '[["cultivated", "antiquity"], '
        '{{"name": "draft.txt", "title": "", "words": 0}}, "Rabbits"]',
    ),
    "mirror.yaml": (
        ["folder={folder}"],
        """{{
  "fetched": [
    "celery.txt",
    "slug.py"
  ],
  "missing": [
    "workflows/texts has no file gone.txt",
    "workflows/parcel has no file gone.txt"
  ]
}}""",
    ),
    "build.yaml": (["folder={folder}"], "{folder}/notes.txt"),
    "release.yaml": (["folder={folder}"], '["parcel.zip", "notes.txt"]'),
    "report.yaml": (
        ["target={folder}/r.md"],
        '{{"file": "{folder}/r.md", "texts": 3}}',
    ),
    "reports.yaml": (
        ["folder={folder}"],
        '["{folder}/texts.md.sig", "{folder}/modules.md.sig"]',
    ),
}


@pytest.fixture(scope="module")
def repository() -> Iterator[Shipped]:
    with shipped() as running:
        yield running


@pytest.fixture(autouse=True)
def _in_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("REPORT_KEY", "the key of the tests")


def apply(repository: Shipped, name: str, *inputs: str) -> str:
    """Return what a workflow prints."""
    outcome = repository.run(Path("workflows") / name, inputs)
    assert outcome.state == "SUCCESS", outcome.errors
    return result_text(outcome.result)


def test_there_is_a_test_for_every_workflow() -> None:
    assert sorted(PRINTED) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_is_right_and_can_be_drawn(name: str, repository: Shipped) -> None:
    file = Path("workflows") / name
    assert repository.project.validate([file]) == {file: ()}
    assert name.removesuffix(".yaml") in render_tree(repository.plan(file))


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_prints_its_result(name: str, tmp_path: Path, repository: Shipped) -> None:
    inputs, printed = PRINTED[name]
    given = [each.format(folder=tmp_path) for each in inputs]
    for _ in range(2):  # again over what the first run wrote
        out = apply(repository, name, *given)
        assert _unwrapped(out) == _unwrapped(printed.format(folder=tmp_path))


def test_the_command_prints_it_too() -> None:
    command = [sys.executable, "-m", "flowrunner", "apply", "workflows/word-count.yaml"]
    assert subprocess.check_output(command, encoding="utf-8") == '{"files": 3, "words": 68}\n'


def _unwrapped(printed: str) -> str:
    """Undo the line breaks of a long result: its length depends on the path of the folder."""
    return re.sub(r"(?<=[\[{]) | (?=[\]}])", "", " ".join(printed.split()))


def test_what_is_built_is_in_the_folder(tmp_path: Path, repository: Shipped) -> None:
    apply(repository, "build.yaml", f"folder={tmp_path}")
    assert (tmp_path / "notes.txt").read_text("utf-8") == "parcel.zip: 4 examples passed\n"
    apply(repository, "release.yaml", f"folder={tmp_path}")
    assert sorted(path.name for path in (tmp_path / "public").iterdir()) == [
        "notes.txt",
        "parcel.zip",
    ]


def test_powersum_is_three_lines() -> None:
    text = (ROOT / "workflows" / "powersum.yaml").read_text(encoding="utf-8")
    assert text == "chord:\n  header: power x10\n  body: amass\n"


def test_every_subscriber_has_a_page(tmp_path: Path, repository: Shipped) -> None:
    apply(repository, "invoices.yaml", f"folder={tmp_path}")
    pages = [page.extract_text() for page in PdfReader(tmp_path / "all.pdf").pages]
    rows = (ROOT / "workflows" / "subscribers.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert len(pages) == len(rows)
    assert all(row.split(",")[0] in page for row, page in zip(rows, pages, strict=True))
