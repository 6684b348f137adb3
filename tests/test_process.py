"""Whether a process that drove a run is still there."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from flowrunner import process
from flowrunner.process import Fate, Process, birth_of, this_process

FIRST = process._FIRST_NAMESPACE
HERE = Process("here", 1, "7", "boot", FIRST, "machine")


def test_this_process_runs() -> None:
    assert this_process().fate() == "runs"
    assert this_process().is_this_one


def test_a_process_that_has_ended_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        known = replace(this_process(), number=other.pid, birth=birth_of(other.pid) or "")
        assert known.fate() == "runs"
        other.kill()
    assert known.fate() == "gone"


@pytest.mark.parametrize(
    ("known", "fate"),
    [
        (HERE, "runs"),
        (replace(HERE, birth="8"), "gone"),  # another process has its number now
        (replace(HERE, host="renamed"), "runs"),
        (replace(HERE, boot="another"), "rebooted"),
        (replace(HERE, boot="another", host="there"), "unknown"),
        (replace(HERE, boot="another", machine="another"), "unknown"),
        (replace(HERE, boot="another", machine=""), "unknown"),
        (replace(HERE, boot="another", namespace=8), "unknown"),
        (replace(HERE, namespace=8), "unknown"),  # in a container of this machine
    ],
)
def test_only_of_this_host_is_a_process_known_to_be_gone(
    monkeypatch: pytest.MonkeyPatch, known: Process, fate: Fate
) -> None:
    monkeypatch.setattr(process, "this_process", lambda: HERE)
    monkeypatch.setattr(process, "birth_of", {1: "7"}.get)
    assert known.fate() == fate


@pytest.mark.parametrize(
    ("known", "fate"),
    [
        (Process("here", 1, ""), "runs"),
        (Process("here", 2, ""), "gone"),
        (Process("there", 2, ""), "unknown"),
    ],
)
def test_without_proc_the_name_of_the_host_has_to_do(
    monkeypatch: pytest.MonkeyPatch, known: Process, fate: Fate
) -> None:
    monkeypatch.setattr(process, "this_process", lambda: Process("here", 1, ""))
    monkeypatch.setattr(process, "birth_of", {1: ""}.get)
    assert known.fate() == fate
