"""What tasks print on flowrunner's own workers: one log line for each ``print``."""

from __future__ import annotations

import logging
import sys
from threading import local
from typing import Any, Final

from celery import Celery
from celery.signals import task_postrun
from celery.utils.log import LoggingProxy

from flowrunner.engines.celery_patches.workers import is_logging_itself, redirect_prints
from flowrunner.task_output import LONGEST_LINE, BytesOf, as_shown

__all__ = ["PrintLogger", "log_prints_whole"]


#: What stands for stdout and stderr in this process.
_redirected: Final[list[PrintLogger]] = []


class PrintLogger(LoggingProxy):  # type: ignore[misc]
    """Logs what is printed when the end of a line has been written, each thread's for itself.

    Several lines that are written at once are one log record, as Celery has it. The handlers of
    the log mask secrets.
    """

    is_masked = True

    def __init__(self, logger: logging.Logger, loglevel: Any = None) -> None:
        super().__init__(logger, loglevel)
        self._here = local()
        self.encoding, self.errors = "utf-8", "backslashreplace"
        self.buffer = BytesOf(self)  # some tasks write bytes

    def write(self, data: Any) -> int:
        """Keep a text until its line ends; returns its length, as files do."""
        if is_logging_itself(self):
            return 0  # the logger's own words, about what it could not write
        text = data.decode("utf-8", "replace") if isinstance(data, bytes) else str(data)
        pieces = self._here.__dict__.setdefault("pieces", [])
        pieces.append(text)
        size = self._here.__dict__.get("size", 0) + len(text)
        self._here.size = size
        if text.endswith("\n") or size > LONGEST_LINE:
            self.end_line()
        return len(text)

    def end_line(self) -> None:
        """Log what this thread has printed without an end of its line."""
        pieces = self._here.__dict__.pop("pieces", None)
        self._here.size = 0
        if pieces:
            lines = "".join(pieces).split("\n")
            super().write("\n".join(map(as_shown, lines)))


def log_prints_whole(app: Celery) -> None:
    """Let an app's workers log what is printed by the ``print``."""

    def redirect(
        logger: logging.Logger, loglevel: Any = None, stdout: bool = True, stderr: bool = True
    ) -> PrintLogger:
        proxies = PrintLogger(logger, loglevel), PrintLogger(logger, loglevel)
        _redirected[:] = proxies
        if stdout:
            sys.stdout = proxies[0]
        if stderr:
            sys.stderr = proxies[1]
        return proxies[0]

    redirect_prints(app, redirect)
    task_postrun.connect(_end_lines, weak=False)


def _end_lines(**_: Any) -> None:
    for stream in _redirected:
        stream.end_line()
