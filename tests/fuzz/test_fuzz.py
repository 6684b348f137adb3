"""A few hostile files in the ordinary suite; ``python -m tests.fuzz`` checks 10,000."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.fuzz.__main__ import fuzz

FILES = int(os.environ.get("FLOWRUNNER_FUZZ_FILES", "12"))


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
def test_hostile_files_end_soon_and_in_little_memory(tmp_path: Path) -> None:
    figures = fuzz(FILES, 2026, tmp_path)
    assert figures.wrong == []
    assert sum(figures.codes.values()) >= FILES
