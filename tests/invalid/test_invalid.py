"""Each ``NAME.yaml`` here is refused with exactly the words of ``NAME.txt``.

``UPDATE_GOLDEN=1 pytest tests/invalid`` writes the texts anew; read the difference.
"""

import os
from pathlib import Path

import pytest

from flowrunner.app import Project
from flowrunner.errors import WorkflowError
from flowrunner.plugins import PluginReference
from flowrunner.render.diagnostics import format_diagnostics
from flowrunner.settings import Settings

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FILES = sorted(HERE.glob("*.yaml"))


@pytest.fixture(scope="module")
def project() -> Project:
    arithmetic = PluginReference("plugins/arithmetic.py", "test", ROOT)
    return Project(Settings(plugins=(arithmetic,)))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_wrong_file_is_refused_in_these_words(
    file: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(HERE)  # so that places read NAME.yaml:1:1 wherever the checkout lies
    with pytest.raises(WorkflowError) as caught:
        project.plan(Path(file.name))
    said = format_diagnostics(caught.value.diagnostics) + "\n"
    expected = file.with_suffix(".txt")
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(said, encoding="utf-8")
    assert said == expected.read_text(encoding="utf-8")


def test_no_expected_text_is_left_without_its_file() -> None:
    assert {file.stem for file in HERE.glob("*.txt")} == {file.stem for file in FILES}
