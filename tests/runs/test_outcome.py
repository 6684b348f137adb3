"""The outcome as data: what programs and handlers are told, and in which bounds."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from flowrunner.plan import Call
from flowrunner.runs.outcome import Outcome, handler_input, outcome_to_json
from flowrunner.runs.step_state import StepError
from flowrunner.values import require_json
from tests.shapes import HERE

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def call(number: int) -> Call:
    return Call(f"group[{number}]", "tag", HERE)


def outcome(*texts: str, skipped: int = 0, **known: Any) -> Outcome:
    """Return a failed run with an error of each text, which is its message and traceback."""
    errors = [StepError(call(n), "ValueError", text, text) for n, text in enumerate(texts)]
    calls = tuple(map(call, range(skipped)))
    return Outcome(
        UUID(int=1), "w", "FAILURE", NOON, NOON, errors=tuple(errors), skipped=calls, **known
    )


def test_a_handler_is_told_what_programs_are_told_and_what_was_left_out() -> None:
    small = outcome("a", "b", skipped=2, result={"a": 1}, reason="why")
    data = handler_input(small)
    assert data.pop("left_out") == {"errors": 0, "caught": 0, "skipped": 0}
    assert data == outcome_to_json(small)


@pytest.mark.parametrize("text", ["\ud800", "é😀\0\x1b\n", "\udcff" * 3])
def test_whatever_a_message_holds_survives_json(text: str) -> None:
    data = handler_input(outcome(text, reason=text))
    require_json(data)
    assert json.loads(json.dumps(data, ensure_ascii=False).encode()) == data


def test_notes_have_no_more_room_than_other_texts() -> None:
    error = StepError(call(0), "ValueError", "no", notes=("x" * 150_000, "y" * 110_000, "z"))
    data = handler_input(replace(outcome(), errors=(error, error)))
    (told,) = data["errors"]
    (first,) = told["notes"]
    assert "50,000 characters left out" in first
    assert data["left_out"]["errors"] == 1


def test_errors_and_skipped_steps_beyond_a_cap_are_counted() -> None:
    data = handler_input(outcome(*["no"] * 150, skipped=1_200))
    assert [error["path"] for error in data["errors"]] == [f"group[{n}]" for n in range(100)]
    assert len(data["skipped"]) == 1_000
    assert data["left_out"] == {"errors": 50, "caught": 0, "skipped": 200}


def test_tracebacks_are_whole_as_long_as_there_is_room() -> None:
    data = handler_input(outcome("x" * 75_000, "y" * 40_000, "z" * 10_001))
    assert [len(error["traceback"]) for error in data["errors"]] == [75_000, 40_000]
    assert data["left_out"]["errors"] == 1


def test_the_first_error_is_told_however_long_it_is() -> None:
    data = handler_input(outcome("a" + "x" * 9_999_998 + "z", "b"))
    (error,) = data["errors"]
    for text in (error["message"], error["traceback"]):
        assert text.startswith("ax")
        assert "\n… 9,900,000 characters left out …\n" in text
        assert text.endswith("xz")
    assert data["left_out"]["errors"] == 1


def test_the_result_is_whole() -> None:
    assert handler_input(outcome(result="x" * 5_000_000))["result"] == "x" * 5_000_000
