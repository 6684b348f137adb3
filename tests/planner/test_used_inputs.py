"""What a file is used with is checked as if it were given to a run, where it is given."""

from __future__ import annotations

from typing import Any

import pytest

from flowrunner import model
from flowrunner.loader import load_workflow, parse_value
from flowrunner.node import Mapping, Node, Scalar, plain
from flowrunner.plan import Deferred, Secret
from flowrunner.planner.problems import Problems
from flowrunner.planner.scope import UNKNOWN
from flowrunner.planner.used_inputs import UsedInputs, used_inputs
from flowrunner.source import Source

USED = """\
inputs:
  count: {type: integer, minimum: 1}
  names: [ada]
  label: {type: string, default: none}
task: call
"""


def resolved(node: Node) -> Any:
    """Resolve ``${late}``, ``${unknown}``, ``${secret}``, and ``${3}`` to a number."""
    match node:
        case Mapping():
            return {key.value: resolved(each) for key, each in node.entries}
        case Scalar(value="${late}" as text):
            return Deferred(text, node.location)
        case Scalar(value="${unknown}"):
            return UNKNOWN
        case Scalar(value="${secret}"):
            return Secret("${env.TOKEN}", node.location)
        case Scalar(value=str() as text) if text.startswith("${"):
            return plain(parse_value(Source("", text[2:-1])))
        case Scalar():
            return node.value
        case _:
            return [resolved(each) for each in node.items]


def used_with(text: str | None) -> tuple[UsedInputs, list[str]]:
    source, problems = Source("main.yaml", text or "x"), Problems()
    given = None if text is None else parse_value(source)
    assert given is None or isinstance(given, Mapping)
    here = Scalar("used.yaml", parse_value(source).location)
    use = model.Use(here, here.location, given)
    workflow = load_workflow(Source("used.yaml", USED))
    found = used_inputs(workflow, use, resolved, problems, assume_missing=False)
    return found, [
        ": ".join(filter(None, (str(each.location), each.message, each.label, *each.notes)))
        for each in problems.in_order()
    ]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{count: 3}", {"count": 3, "names": ["ada"], "label": "none"}),
        ("{count: '${3}', label: x}", {"count": 3, "names": ["ada"], "label": "x"}),
        (
            "{count: '${unknown}', names: [a, '${unknown}']}",
            {"count": UNKNOWN, "names": UNKNOWN, "label": "none"},
        ),
    ],
)
def test_values(text: str, values: dict[str, Any]) -> None:
    found, told = used_with(text)
    assert (found.values, found.schemas, told) == (values, {}, [])


def test_what_only_run_time_knows_is_checked_then() -> None:
    found, told = used_with("{count: '${late}', names: ['${late}']}")
    assert isinstance(found.values["count"], Deferred)
    assert isinstance(found.values["names"][0], Deferred)
    assert found.schemas == {
        "count": {"type": "integer", "minimum": 1},
        "names": {"type": "array"},
    }
    assert not told


def test_a_secret_is_one_text_whatever_it_stands_in() -> None:
    found, told = used_with("{count: 1, label: '${secret}', names: [x, '${secret}']}")
    assert not told
    label, names = found.values["label"], found.values["names"]
    assert (label.text, names.text) == ("${env.TOKEN}", "${inputs.names}")
    assert names.names == {"inputs": {"names": ["x", label]}}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            None,
            "1:1: input 'count' of used.yaml has no value: "
            "set it beside 'use': with: {count: …}: the input is defined at used.yaml:2:3",
        ),
        (
            "{count: 0}",
            "1:9: input 'count' must be at least 1, not 0: the input is defined at used.yaml:2:3",
        ),
        (
            "{count: 1, label: '${[1]}'}",
            "1:19: input 'label' must be a string, not a list: "
            "the input is defined at used.yaml:4:3",
        ),
        (
            "{count: 1, lable: x}",
            "1:12: used.yaml has no input 'lable': did you mean 'label'?",
        ),
        (
            "{count: 1, other: x}",
            "1:12: used.yaml has no input 'other': known inputs: count, label, names",
        ),
        (
            "{count: 1, names: ['${late}', '${secret}']}",
            "1:19: input 'names' mixes a secret with a value known only at run time: "
            "use two inputs",
        ),
    ],
)
def test_problems_stand_where_the_input_is_given(text: str | None, problem: str) -> None:
    assert used_with(text)[1] == [f"main.yaml:{problem}"]
