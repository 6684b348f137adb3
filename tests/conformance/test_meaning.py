"""The evaluator says what people expect of each construct."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.conformance.behaviour import lot
from tests.conformance.building import Fails
from tests.conformance.constructs import CONSTRUCTS
from tests.conformance.expression import (
    CannotEvaluateError,
    Compared,
    Joined,
    Length,
    Listed,
    Literal,
    Name,
    Not,
    Part,
    Range,
    Text,
    bare,
    evaluated,
    template,
)
from tests.conformance.language import random_document
from tests.conformance.meaning import meaning
from tests.conformance.shape import Retry, Shape, Task
from tests.conformance.workflow_file import workflow_files
from tests.conformance.workflow_reader import WorkflowReader


@pytest.mark.parametrize(("shape", "expected"), CONSTRUCTS.values(), ids=CONSTRUCTS.keys())
def test_a_construct_means_what_is_written(shape: Shape, expected: Any) -> None:
    means = meaning(shape)
    if isinstance(expected, Fails):
        assert (means.failed, means.skipped) == (expected.failed, expected.skipped)
    else:
        assert means.value == expected
        assert not means.failed


@pytest.mark.parametrize(
    ("task", "executions"),
    [
        (Task("a"), 1),
        (Task("a", "fail"), 1),
        (Task("a", "retry_once"), 2),
        (Task("a", "fail_once", retry=Retry(3)), 2),
        (Task("a", "fail_twice", retry=Retry(3)), 3),
        (Task("a", "fail", retry=Retry(3)), 4),
        (Task("a", "fail", retry=Retry(3, never=("PlannedFailureError",))), 1),
    ],
)
def test_executions_are_counted(task: Task, executions: int) -> None:
    assert meaning(task).executions == {"a": executions}


NAMES = {"prev": [1, "x"], "n": {"k": 5}, "inputs.p": 2}


@pytest.mark.parametrize(
    ("expression", "text", "value"),
    [
        (Name("inputs.p"), "${inputs.p}", 2),
        (Part(Name("prev"), 1), "${prev[1]}", "x"),
        (Part(Name("n"), "k"), "${n.k}", 5),
        (Length(Name("prev")), "${len(prev)}", 2),
        (Range(1, 3), "${range(1, 3)}", [1, 2]),
        (Listed((Name("n"), Literal(None))), "${[n, null]}", [{"k": 5}, None]),
        (Compared("<", Name("inputs.p"), Literal(3)), "${(inputs.p < 3)}", True),
        (Compared("!=", Name("n"), Literal([])), "${(n != [])}", True),
        (Joined("or", Literal(True), Name("n")), "${(true or n)}", True),
        (Not(Literal(False)), "${(not false)}", True),
        (Text("a", Name("n"), "b"), "a${n}b", 'a{"k": 5}b'),
        (Literal("x"), "x", "x"),
        ([1, {"a": Name("n")}], [1, {"a": "${n}"}], [1, {"a": {"k": 5}}]),
    ],
)  # fmt: skip
def test_an_expression_has_a_text_and_a_value(expression: Any, text: Any, value: Any) -> None:
    assert template(expression) == text
    assert evaluated(expression, NAMES) == value


@pytest.mark.parametrize(
    "expression",
    [
        Part(Name("prev"), 2),
        Part(Name("prev"), "k"),
        Part(Name("n"), "j"),
        Length(Name("inputs.p")),
        Compared("<", Name("prev"), Literal(1)),
        Not(Literal(1)),
        Joined("and", Literal(True), Literal(None)),
    ],
    ids=bare,
)
def test_an_expression_without_a_value(expression: Any) -> None:
    with pytest.raises(CannotEvaluateError):
        evaluated(expression, NAMES)


def test_a_lot_follows_from_the_arguments_but_not_from_the_trial() -> None:
    assert lot([[1, "k0-abcdef/t0"], "k0-abcdef/t1"]) == lot([[1, "k7-012345/t0"], "t1"])
    assert lot([1]) != lot([2])


FILES = {
    "w.yaml": """
chain:
  - {"task": "tag", "args": [1, "k/a"],
        "on_error": {"task": "tag", "args": ["k/h"]}}
  - each: [1, 2]
    id: "e"
    do:
      switch:
        - when: "true"
          do: {"task": "tag", "times": 2, "kwargs": {"label": "k/r"}}
        - else: {"chunks": {"id": "c", "task": "tag", "over": [[1]], "size": 1}}
      id: "s"
  - graph:
      x:
        use: "w-1.yaml"
  - chord:
      header: []
      body: {"task": "tag", "args": ["k/b"]}
    id: "n"
""",
    "w-1.yaml": 'group:\n  - {"task": "tag", "args": ["k/u"]}\n',
}


@pytest.mark.parametrize(
    ("path", "step", "file", "lines"),
    [
        ("chain[0]", "a", "w.yaml", (3, 4)),
        ("chain[0].on_error", "h", "w.yaml", (4, 4)),
        ("chain[1].each", "e", "w.yaml", (5, 13)),
        ("chain[1].each[1].switch", "s@1", "w.yaml", (8, 13)),
        ("chain[1].each[0].switch[0].do[1]", "r.1@0", "w.yaml", (10, 10)),
        ("chain[1].each[0].switch[1].else.chunks[0]", "c#0@0", "w.yaml", (11, 11)),
        ("chain[2].graph.x.use.group[0]", "u", "w-1.yaml", (2, 2)),
        ("chain[3].chord.body", "b", "w.yaml", (18, 18)),
        ("chain[3].chord", "n", "w.yaml", (16, 20)),
    ],
)
def test_a_path_leads_to_its_step(path: str, step: str, file: str, lines: tuple[int, int]) -> None:
    place = WorkflowReader(FILES, "k/").place(path)
    assert (place.step, place.file) == (step, file)
    assert all(place.has(file, line) for line in lines)


def test_random_documents_are_the_same_for_the_same_seed() -> None:
    first, again = (random_document(Random(5)) for _ in range(2))
    assert workflow_files(first, "k/", "w") == workflow_files(again, "k/", "w")
