"""On flowrunner's workers one ``print`` is one log line."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from celery import Celery
from celery.signals import task_postrun

from flowrunner.engines.worker_prints import log_prints_whole
from flowrunner.masking.streams import mask_streams


class Records(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


@contextmanager
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the prints of a block are logged as, as on a worker."""
    app = Celery("prints", set_as_current=False)
    log_prints_whole(app)
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    for name in ("CELERY_LOG_REDIRECT", "CELERY_LOG_REDIRECT_LEVEL"):
        monkeypatch.setenv(name, "")
    logger, records = logging.getLogger("celery.redirected"), Records()
    logger.addHandler(records)
    app.log.redirect_stdouts("WARNING")
    yield records.texts
    logger.removeHandler(records)
    monkeypatch.undo()


def test_a_print_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with logged(monkeypatch) as lines:
        print("a", "b", 3)
        print("50 %s")
        print("two\nlines")
        print()
        print("a", end="")
        print("b")
        sys.stdout.buffer.write("größer\n".encode())
    assert lines == ["a b 3", "50 %s", "two\nlines", "ab", "größer"]


def test_a_progress_bar_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with logged(monkeypatch) as lines:
        for done in range(3):
            print(f"\r{done}/2", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
    assert lines == ["2/2"]


def test_threads_and_streams_have_lines_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    with logged(monkeypatch) as lines:
        print("a", end="")
        print("error", file=sys.stderr)
        other = Thread(target=lambda: print("other", "thread"))
        other.start()
        other.join()
        print("b")
    assert lines == ["error", "other thread", "ab"]


def test_a_line_ends_with_its_task(monkeypatch: pytest.MonkeyPatch) -> None:
    with logged(monkeypatch) as lines:
        print("no end", end="")
        assert lines == []
        task_postrun.send(sender=None)
    assert lines == ["no end"]


def test_a_line_that_is_masked_ends_with_its_task(monkeypatch: pytest.MonkeyPatch) -> None:
    with logged(monkeypatch) as lines:
        mask_streams()
        print("no end", end="")
        task_postrun.send(sender=None)
        print("next")
    assert lines == ["no end", "next"]


def test_a_print_of_several_lines_is_one_record_on_a_worker_that_masks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with logged(monkeypatch) as lines:
        mask_streams()
        print("two\nlines")
    assert lines == ["two\nlines"]
