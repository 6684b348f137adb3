"""Streams and log lines that show no secret, not even one that is written in parts."""

from __future__ import annotations

import logging
import sys
from functools import wraps
from threading import get_ident
from typing import Any, Final

from flowrunner.masking.masks import masked_text

__all__ = ["MaskedStream", "finish_streams", "mask_logs", "mask_streams"]

#: Characters after which a line is written that has no end: memory has a limit.
LONGEST_LINE: Final = 1_000_000


class MaskedStream:
    """A text stream in front of another one; it writes whole lines, of each thread by itself."""

    #: What is written to the stream is masked; a stream that logs what it gets says the same.
    is_masked = True

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._waiting: dict[int, str] = {}

    def write(self, text: str) -> int:
        """Write the lines that a text completes."""
        thread = get_ident()
        ready, end, rest = (self._waiting.pop(thread, "") + text).rpartition("\n")
        if len(rest) > LONGEST_LINE:
            ready, end, rest = f"{ready}{end}{rest}", "", ""
        if rest:
            self._waiting[thread] = rest
        if ready or end:
            self._stream.write(masked_text(f"{ready}{end}"))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def finish(self) -> None:
        """Write what waits of this thread: nothing comes after it."""
        if waiting := self._waiting.pop(get_ident(), ""):
            self._stream.write(masked_text(waiting))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def mask_streams() -> None:
    """Let this process's standard streams show no secret."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not getattr(stream, "is_masked", False):
            setattr(sys, name, MaskedStream(stream))


def finish_streams() -> None:
    """Write what waits of this thread: whatever it has printed has come to its end."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, MaskedStream):
            stream.finish()


_MASKED = "flowrunner_masked"


def mask_logs() -> None:
    """Let every handler of this process, those that come later too, write no secret.

    In the handlers' class: a plugin or Celery may add one at any time, with any formatter, and a
    record has its message and its traceback as texts only there.
    """
    formatted = logging.Handler.format
    if hasattr(formatted, _MASKED):
        return

    @wraps(formatted)
    def masked(handler: logging.Handler, record: logging.LogRecord) -> str:
        return masked_text(formatted(handler, record))

    setattr(masked, _MASKED, True)
    logging.Handler.format = masked  # type: ignore[method-assign, assignment]
