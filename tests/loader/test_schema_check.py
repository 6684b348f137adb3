"""A file that is wrong all over: its first errors are reported, in the order of the file."""

from __future__ import annotations

import pytest

from flowrunner.loader import load_workflow
from flowrunner.loader.schema_check import MOST_ERRORS
from flowrunner.source import Source

HALF = MOST_ERRORS // 2


def lines_of_problems(text: str) -> list[int]:
    problems = load_workflow(Source("wrong.yaml", text)).problems
    return sorted(each.location.line for each in problems if each.location is not None)


@pytest.mark.parametrize(
    ("start", "wrong"),
    [
        ("chain:", "- {task: power, tpyo: 1}"),
        ("chain:", "- {chain: [power, {task: power, immutable: 3}]}"),
        ("chain:", "- not a task"),
        ("chain:", "- 3"),
        ("task: power\nenv:", "- 1a{}"),
        ("graph:", "  'a-{}': power"),
        ("graph:", "  a{}: {{chord: {{header: power, body: 3}}}}"),
        ("task: power\ninputs:", "  a{}: {{type: int}}"),
        ("task: power\ndefaults:", "  a{}: {{queue: 3}}"),
    ],
)
def test_of_more_errors_the_first_are_reported(start: str, wrong: str) -> None:
    before = start.count("\n") + 2
    lines = (wrong.format(number) if "{}" in wrong else wrong for number in range(MOST_ERRORS + 50))
    found = lines_of_problems("\n".join([start, *lines]) + "\n")
    assert found[:MOST_ERRORS] == list(range(before, before + MOST_ERRORS))


def test_errors_in_and_after_nested_steps_are_taken_in_the_order_of_the_file() -> None:
    inner = ["    - {task: power, tpyo: 1}"] * HALF
    after = ["- {task: power, tpyo: 1}"] * MOST_ERRORS
    found = lines_of_problems("\n".join(["chain:", "- group:", *inner, *after]) + "\n")
    assert found == list(range(3, 3 + MOST_ERRORS))
