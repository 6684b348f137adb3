"""Tables and invoices in a folder of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.invoicing import HEADING, ROW, TERMS, plugin


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., str]:
    """Return a function that writes a table of these lines and returns its path."""

    def write(*lines: str, heading: str = HEADING) -> str:
        path = tmp_path / "table.csv"
        path.write_text("\n".join((heading, *lines)) + "\n", encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def invoice(tmp_path: Path, table: Callable[..., str]) -> Callable[..., str]:
    """Return a function that makes the invoice of one row and returns its path."""

    def make(line: str = ROW, **keys: Any) -> str:
        return plugin.make_invoice(0, table(line), str(tmp_path / "out"), **{**TERMS, **keys})

    return make
