"""An integer may come as a whole float: it is one for everything that uses the input."""

from __future__ import annotations

from typing import Any

import pytest

from tests.planner.planning import refused, value
from tests.planner.test_use import files as files
from tests.planner.test_use import planned as planned_files
from tests.planner.test_use import told
from tests.planner.test_use import value as value_of

INPUTS = "inputs: {n: {type: integer, default: 4.0}}\n"
NESTED = """\
inputs:
  n:
    type: object
    properties:
      size: {type: integer}
      ratio: {type: number}
      rows: {type: array, items: {type: [integer, 'null']}}
    additionalProperties: {type: integer}
"""
USED = INPUTS + 'task: call\nargs: ["${inputs.n}", "n=${inputs.n}"]\nimmutable: true\n'
MAIN = "chain: [{{task: call, args: [3.0, 1.0e17]}}, {{use: parts/used.yaml, with: {{n: {}}}}}]"
SHOWN = 'task: call\nargs: ["${inputs.n}", "n=${inputs.n}"]\n'


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ({}, 4),
        ({"n": "3.0"}, 3),
        ({"n": "1.472953e+06"}, 1472953),
        ({"n": "-0.0"}, 0),
        ({"n": "9007199254740992.0"}, 2**53),
        ({"n": "9007199254740993"}, 9007199254740993),
    ],
)
def test_a_whole_float_is_the_integer(given: dict[str, str], number: int) -> None:
    assert repr(value(INPUTS + SHOWN, given)) == repr([number, f"n={number}"])


def test_it_counts_calls() -> None:
    assert value(INPUTS + "group: {task: call, times: '${inputs.n}'}", {"n": "2.0"}) == [[0], [1]]


def test_so_it_is_within_a_value() -> None:
    given = {"n": "{size: 3.0, ratio: 3.0, rows: [1.0, null], more: 2.0}"}
    expected = {"size": 3, "ratio": 3.0, "rows": [1, None], "more": 2}
    assert repr(value(NESTED + 'task: call\nargs: ["${inputs.n}"]', given)) == repr([expected])


@pytest.mark.parametrize("type_", ["number", "[integer, number]"])
def test_a_number_may_be_a_float(type_: str) -> None:
    assert repr(value(f"inputs: {{n: {{type: {type_}}}}}\n{SHOWN}", {"n": "3.0"})) == repr(
        [3.0, "n=3.0"]
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("9007199254740994.0", "input 'n' must be an integer, not the float 9007199254740994.0"),
        ("-1e17", "input 'n' must be an integer, not the float -1e+17"),
        ("2.5", "input 'n' must be an integer, not 2.5"),
        ("true", "input 'n' must be an integer, not true"),
        ("'3'", "input 'n' must be an integer, not the string '3'"),
    ],
)
def test_what_is_no_integer_for_sure_is_refused(given: str, said: str) -> None:
    assert refused(INPUTS + SHOWN, {"n": given}) == [said]


def test_a_default_that_is_not_exact_is_refused() -> None:
    assert refused(
        "inputs: {n: {type: array, items: {type: integer}, default: [1e17]}}\n" + SHOWN
    ) == ["the default of input 'n' must be an integer, not the float 1e+17 at [0]"]


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("3.0", [3, "n=3"]),
        ("'${1.5 * 2}'", [3, "n=3"]),
        ("'${prev[0]}'", [3, "n=3"]),  # at run time
    ],
)
def test_with_gives_integers(given: str, found: Any) -> None:
    assert repr(value_of(planned_files(MAIN.format(given), used=USED))) == repr(found)


@pytest.mark.usefixtures("files")
def test_what_with_gives_at_run_time_is_checked_then() -> None:
    (failed,) = value_of(planned_files(MAIN.format("'${prev[1]}'"), used=USED))
    assert failed.endswith(
        "input 'n' must be an integer, not the float 1e+17: "
        "a float is exact only up to ±2^53; write the digits"
    )


@pytest.mark.usefixtures("files")
def test_a_secret_that_is_a_float_does_not_fit() -> None:
    main = "env: [N]\nchain: [{use: parts/used.yaml, with: {n: '${float(env.N)}'}}]"
    (said,) = told(main, environment={"N": "31415"}, used=INPUTS + SHOWN)
    assert "the secret for input 'n' does not match its definition" in said
    assert "31415" not in said
