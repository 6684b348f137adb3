"""Texts that are kept in ``golden/``, to be read."""

from __future__ import annotations

import os
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"
SUFFIXES = {"tree": "txt", "mermaid": "mmd", "dot": "dot", "json": "json"}


def assert_golden(name: str, kind: str, text: str, *, expand: bool = False) -> None:
    """Compare a text in a format with what is kept; ``UPDATE_GOLDEN=1`` keeps it."""
    golden = GOLDEN / f"{name}{'.expanded' if expand else ''}.{SUFFIXES[kind]}"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(f"{text}\n", encoding="utf-8")
    assert f"{text}\n" == golden.read_text(encoding="utf-8")
