"""What an exception tells, whatever its class does."""

from __future__ import annotations

from typing import Any

import pytest

from flowrunner.engines.task_failure import TaskFailure, carry_failure, failure_of


class HostileError(Exception):
    """Fails at whatever it is asked."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")

    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__

    def __setattr__(self, name: str, value: Any) -> None:
        raise RuntimeError(f"no {name}")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("not comparable")


class Words(str):
    """A string of a class of its own."""


class WordyError(Exception):
    def __str__(self) -> str:
        return Words("many")


def test_a_hostile_exception_is_told_by_its_type() -> None:
    found = failure_of(HostileError("x"))
    assert found.type == "HostileError"
    assert found.message == "(no message: HostileError.__str__ raises RuntimeError)"
    assert found.traceback
    assert found.notes == ()


def test_a_message_is_a_plain_string() -> None:
    assert type(failure_of(WordyError()).message) is str


@pytest.mark.parametrize("kind", [HostileError, WordyError])
def test_an_exception_tells_what_was_raised_in_another_process(kind: type[Exception]) -> None:
    error, told = kind(), TaskFailure("ShopError", "no", "trace", ("a note",))
    carry_failure(error, told)
    assert failure_of(error) == told


def test_notes_that_are_no_list_are_one_note() -> None:
    error = ValueError("no")
    error.__notes__ = "order 7"  # type: ignore[assignment]
    assert failure_of(error).notes == ("'order 7'",)


def test_an_exception_of_its_own_cause_is_told() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    trace = failure_of(first).traceback
    assert "ValueError: first" in trace
    assert "ValueError: second" in trace
