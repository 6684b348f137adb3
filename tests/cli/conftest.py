"""A project to run commands in."""

from pathlib import Path

import pytest

from tests.cli.commands import PLUGIN, Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    project = Folder(tmp_path)
    (tmp_path / "plugins").mkdir()
    project.write("plugins/tasks.py", PLUGIN)
    project.write("pyproject.toml", '[tool.flowrunner]\nplugins = ["plugins"]\n')
    project.write("powersum.yaml", "chord:\n  header: power x10\n  body: amass\n")
    return project
