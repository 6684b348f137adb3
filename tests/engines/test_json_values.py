"""Values that JSON changes: unchanged on every engine, or a failure of the task that made them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flowrunner import plan
from flowrunner.engines.protocol import Engine
from tests.engines.plain_project.proj.values import VALUES
from tests.engines.plans import call, chain, group, run

#: What arrives as it is; a tuple arrives as a list.
ARRIVES = (
    *("tuple", "large numbers", "floats", "megabytes", "depth", "suspicious words", "odd keys"),
)

#: What the step that made it fails with: what it is, and where.
REFUSED = {
    "set": "the result['orders'][1] is a set; return a list",
    "number keys": "the result['by number'] has the key 1, a int",
    "nan": "the result[1]['x'] is nan, which JSON does not have",
    "infinity": "the result[0] is -inf, which JSON does not have",
    "bytes": "the result[0] is a bytes; return a string",
    "datetime": "the result['when'] is a datetime.datetime; return a string",
    "date": "the result is a datetime.date; return a string",
    "decimal": "the result[0] is a decimal.Decimal; return a string",
    "uuid": "the result is a uuid.UUID; return a string",
    "object": "the result[0] is a object; return None, a boolean",
    "dataclass": "values.Order; return a dict, for instance dataclasses.asdict(value)",
    "model": "values.Model; return a dict, for instance value.model_dump(mode='json')",
    "own json": "values.OwnJSON; return None, a boolean",
    "generator": "the result is a generator; return a list",
    "mark": "the result[0] is a dict of only '__type__' and '__value__'",
    "unknown mark": "the result[0] is a dict of only '__type__' and '__value__'",
    "surrogate": "the result[0] contains half of a surrogate pair",
    "surrogate key": "a key of the result[0] contains half of a surrogate pair",
    "giant": "the result[0] is an integer of more than 4300 digits",
    "abyss": "is nested more than 200 levels deep",
}


def as_it_arrives(kind: str) -> Any:
    return json.loads(json.dumps(VALUES[kind]()))


def given_and_handed_on(kind: str) -> plan.Node:
    """A value as the run's own, and as what the next task gets."""
    return group(call("gives", kind), chain(call("gives", kind), call("tag")))


def test_the_table_has_every_value() -> None:
    assert {*ARRIVES, *REFUSED} == set(VALUES)


@pytest.mark.parametrize("kind", ARRIVES)
def test_what_json_carries_arrives_unchanged(engine: Engine, kind: str) -> None:
    value = as_it_arrives(kind)
    assert repr(run(engine, given_and_handed_on(kind)).value) == repr([value, [value]])


@pytest.mark.parametrize(("kind", "words"), REFUSED.items(), ids=REFUSED.keys())
def test_what_json_would_change_fails_where_it_was_made(
    engine: Engine, kind: str, words: str
) -> None:
    ran = run(engine, given_and_handed_on(kind))
    assert set(ran.errors) == {"root.0", "root.1.0"}
    assert ran.states["root.1.1"] == "SKIPPED"
    for error in ran.errors.values():
        assert error.type == "NotJSONError"
        assert words in error.message
        assert len(error.message) < 2000


@pytest.mark.parametrize(
    "argument",
    [
        *(2**63 - 1, -(2**63), 2**70, 0.1, 5e-324, 1.7976931348623157e308, -0.0),
        *("2026-01-01", "é😀\0", [], {}, {"": [None, True]}, "x" * 1_000_000),
    ],
    ids=lambda argument: repr(argument)[:20],
)
def test_an_argument_arrives_unchanged(engine: Engine, argument: Any) -> None:
    assert repr(run(engine, call("tag", argument)).value) == repr([argument])
