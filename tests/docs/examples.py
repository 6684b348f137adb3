"""The workflows that a page of the documentation shows, and what it says of each.

A block is an example when it stands under ``<!-- example: NAME -->``; ``; one canvas`` or
``; dynamic`` after the name says which plan it has. The comments that it ends in say what
comes out, which the reader sees as well::

    # prints 285
    # -i count=3 prints 5
    # fails: PART OF THE ERRORS
    # refused: PART OF THE DIAGNOSTICS

Under ``<!-- file: NAME -->`` stands a file that examples of the page use. Any other block of YAML
is marked ``<!-- theirs -->``, of another system, or ``<!-- part -->``, of no whole workflow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Example", "Said", "examples_of", "files_of", "unmarked_blocks"]

_BLOCK = re.compile(
    r"(?:<!-- (?P<mark>.+?) -->\n)?```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.M | re.S
)
_SAID = re.compile(r"# (?:(?P<inputs>-i \S.*?) )?(?P<verb>prints|fails:|refused:) (?P<what>.+)")


@dataclass(frozen=True)
class Said:
    """What comes out of an example with these inputs: ``verb`` is prints, fails or refused."""

    inputs: tuple[str, ...]
    verb: str
    what: str


@dataclass(frozen=True)
class Example:
    """A workflow that a page shows."""

    name: str
    text: str
    said: tuple[Said, ...]
    kind: str = ""


def examples_of(page: Path) -> Iterator[Example]:
    """Yield the examples of a page, in its order."""
    for mark, _, text in _blocks(page):
        if mark.startswith("example: "):
            name, _, kind = mark.removeprefix("example: ").partition("; ")
            yield Example(name, text, tuple(_said(text)), kind)


def files_of(page: Path) -> dict[str, str]:
    """Return the files that examples of a page use, by name."""
    marks = ((mark, text) for mark, _, text in _blocks(page) if mark.startswith("file: "))
    return {mark.removeprefix("file: "): text for mark, text in marks}


def unmarked_blocks(page: Path) -> list[str]:
    """Return the blocks of YAML that nothing is said of."""
    known = ("example: ", "file: ", "theirs", "part")
    return [
        text for mark, kind, text in _blocks(page) if kind == "yaml" and not mark.startswith(known)
    ]


def _blocks(page: Path) -> Iterator[tuple[str, str, str]]:
    for found in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        yield found["mark"] or "", found["kind"], found["text"]


def _said(text: str) -> Iterator[Said]:
    for line in text.splitlines():
        found = _SAID.fullmatch(line)
        if found is not None:
            inputs = tuple(each.strip() for each in (found["inputs"] or "").split("-i ") if each)
            yield Said(inputs, found["verb"].rstrip(":"), found["what"])
