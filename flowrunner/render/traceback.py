"""A task's traceback as its author wants to read it: the task's own frames first."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["own_frames"]

#: Frames of the machinery that called the task.
_MACHINERY: Final = re.compile(
    r'^File "[^"]*[/\\](?:celery|billiard|kombu)[/\\](?:app|concurrency|worker|canvas)'
    r'|^File "[^"]*[/\\]flowrunner[/\\](?:engines|hints)[/\\]'
)
#: A line of a traceback: the margin of a group of exceptions, and what is indented from there.
_LINE: Final = re.compile(r"^(?P<margin>(?: +\| ?)?)(?P<indent> *)(?P<text>.*)", re.DOTALL)


def own_frames(text: str) -> str:
    """Return a traceback without the frames of Celery and of flowrunner's engines.

    A text that is no traceback, or has no other frames, is returned as it is.
    """
    kept: list[str] = []
    own = 0
    dropping = False
    for line in text.rstrip().splitlines():
        match = _LINE.match(line)
        assert match is not None, "BUG: any text is a line"  # noqa: S101
        if match["indent"] == "  " and match["text"].startswith('File "'):
            dropping = _MACHINERY.match(match["text"]) is not None
            own += not dropping
        elif len(match["indent"]) < 4:
            dropping = False
        if not dropping:
            kept.append(line)
    return "\n".join(kept) if own else text.rstrip()
