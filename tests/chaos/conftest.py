"""The table of what became of the trials, at the end of the session."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from tests.chaos.table import table

#: FLOWRUNNER_CHAOS=full tries every fault twenty times, the ordinary run a few of them once.
FULL = os.environ.get("FLOWRUNNER_CHAOS") == "full"
#: How the trials of this session have ended, by fault.
ENDINGS: dict[str, Counter[str]] = {}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = table(ENDINGS)
    if lines:
        terminalreporter.section("faults" + ("" if FULL else ", a sample"))
        for line in lines:
            terminalreporter.write_line(line)
