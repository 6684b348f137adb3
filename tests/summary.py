"""The tables at the end of a session: of all processes of pytest-xdist together."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any, TypeAlias

import pytest

from tests.chaos.table import table
from tests.conformance.scoreboard import Scoreboard

__all__ = [
    "counts_of",
    "is_full",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
]

#: By table and row: how often each column was counted.
Counts: TypeAlias = dict[str, dict[str, Counter[str]]]

_COUNTS = pytest.StashKey[Counts]()


def is_full(name: str) -> bool:
    """Tell whether ``FLOWRUNNER_CONFORMANCE`` or ``FLOWRUNNER_CHAOS`` asks for everything."""
    return os.environ.get(f"FLOWRUNNER_{name.upper()}") == "full"


def counts_of(config: pytest.Config, name: str) -> dict[str, Counter[str]]:
    """Return the counts of the table ``conformance`` or ``chaos``."""
    return config.stash.setdefault(_COUNTS, {}).setdefault(name, {})


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the counts of a process of pytest-xdist to the one that prints them."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["counts"] = {
            name: {row: dict(count) for row, count in rows.items()}
            for name, rows in session.config.stash.setdefault(_COUNTS, {}).items()
        }


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add the counts of a process; one that has crashed has none."""
    for name, rows in getattr(node, "workeroutput", {}).get("counts", {}).items():
        for row, count in rows.items():
            counts_of(node.config, name).setdefault(row, Counter()).update(count)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the tables."""
    config = terminalreporter.config
    for title, name, lines in (
        ("conformance", "conformance", Scoreboard(counts_of(config, "conformance")).lines()),
        ("faults", "chaos", table(counts_of(config, "chaos"))),
    ):
        if lines:
            terminalreporter.section(title + ("" if is_full(name) else ", a sample"))
            for line in lines:
                terminalreporter.write_line(line)
