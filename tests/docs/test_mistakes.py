"""docs/mistakes.md says what is said of the files in ``tests/invalid``."""

import os

import pytest

from flowrunner.app import Project
from flowrunner.plugins import PluginReference
from flowrunner.settings import Settings
from tests.docs.mistakes import NOT_SHOWN, SECTIONS, mistakes_page
from tests.shipped import ROOT

PAGE = ROOT / "docs" / "mistakes.md"
FOLDER = ROOT / "tests" / "invalid"


def test_the_page_is_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    arithmetic = PluginReference("plugins/arithmetic.py", "test", ROOT)
    page = mistakes_page(FOLDER, Project(Settings(plugins=(arithmetic,))))
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(page, encoding="utf-8")
    assert page == PAGE.read_text(encoding="utf-8")


def test_no_file_has_two_places() -> None:
    placed = [*(name for names in SECTIONS.values() for name in names), *NOT_SHOWN]
    assert len(set(placed)) == len(placed)
