"""What every engine promises: the values of DESIGN section 3, or a clear failure."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flowrunner import plan
from flowrunner.app import run_plan
from flowrunner.engines.protocol import Engine, RunTimeoutError
from flowrunner.loader import load_workflow, parse_value
from flowrunner.node import Mapping
from flowrunner.planner import plan_workflow
from flowrunner.runs.outcome import outcome_to_json
from flowrunner.semantics import evaluate
from flowrunner.source import Source
from tests.engines.conftest import WORKERS
from tests.engines.plans import (
    HANG,
    await_file,
    await_state,
    call,
    chain,
    chord,
    group,
    run,
    tasks,
    watched,
)
from tests.shapes import HERE


def nested(depth: int) -> plan.Node:
    if depth == 0:
        return call("tag", 0)
    inner = nested(depth - 1)
    return chord(
        [chain(call("tag"), inner), group(call("tag", depth))], group(call("tag"), chain())
    )


def items(kind: Any, *values: Any) -> plan.Call:
    return plan.Call("", "tag", HERE, args=values, kind=kind, immutable=True)


VALUES: dict[str, tuple[plan.Node, Any]] = {
    "one task": (call("power", 3), 9),
    "powersum": (chord([call("power", n) for n in range(10)], call("amass")), 285),
    "a chain hands on": (chain(call("power", 2), call("power", 3)), 64),
    "a group keeps its order": (
        group(*(call("tag", n) for n in range(5))),
        [[0], [1], [2], [3], [4]],
    ),
    "a group of none": (group(), []),
    "a group of one": (group(call("tag", 1)), [[1]]),
    "a chord of none": (chord([], call("amass")), 0),
    "an empty chain": (chain(), None),
    "groups in a row": (
        chain(group(call("tag", 1), call("tag", 2)), group(call("tag"))),
        [[[[1], [2]]]],
    ),
    "map": (items("map", 1, 2), [[1], [2]]),
    "starmap": (items("starmap", [1, 2], [3]), [[1, 2], [3]]),
    "a tuple arrives as a list": (chain(call("tag", 1), call("tag")), [[1]]),
    "text of every kind": (call("tag", "é€\0\x1b\n😀"), ["é€\0\x1b\n😀"]),
    "a subclass arrives as what it is in JSON": (call("gives_subclass"), "plain"),
    "a task that is a lambda": (call("a-lambda"), "anonymous"),
    "a bound Celery task": (call("legacy.bound", 1), ["legacy.bound", True, 1]),
    "a Celery task that its app does not share": (call("legacy.unshared"), "legacy.unshared"),
    "a Celery task that retries": (call("legacy.third_time"), 2),
    "a Celery task with autoretry_for": (call("legacy.autoretry"), 2),
    "a Celery task that replaces itself": (call("legacy.replaced"), ["instead"]),
    "a Celery task that throws its result away": (
        chain(call("legacy.thrown_away", 1), call("legacy.thrown_away")),
        ["kept", ["kept", 1]],
    ),
    "a Celery task with a state of its own": (call("legacy.progress"), "done"),
}


@pytest.mark.parametrize(("root", "value"), VALUES.values(), ids=VALUES.keys())
def test_a_workflow_has_its_value(engine: Engine, root: plan.Node, value: Any) -> None:
    ran = run(engine, root)
    assert ran.errors == {}
    assert ran.value == value
    assert set(ran.states.values()) == {"SUCCESS"}


def test_chords_nest_five_deep(engine: Engine) -> None:
    root = nested(5)
    functions = {definition.name: definition.function for definition in tasks()}
    expected = evaluate(root, lambda name, args, kwargs: functions[name](*args, **kwargs))
    assert run(engine, root).value == expected


def first_in_header(depth: int) -> plan.Node:
    """Return chords that are each the first thing in the header of the next."""
    if depth == 0:
        return call("tag", 0)
    return chord([first_in_header(depth - 1), call("tag", depth)], call("tag"))


@pytest.mark.parametrize("lead", [[], [call("tag", 0)]], ids=["at once", "by a worker"])
def test_chords_nest_deeper_in_headers_than_celery_keeps_connections(
    engine: Engine, lead: list[plan.Node]
) -> None:
    root = chain(*lead, first_in_header(15))
    expected = evaluate(root, lambda name, args, kwargs: list(args))
    assert run(engine, root).value == expected


def test_megabytes_come_back_whole(engine: Engine) -> None:
    assert run(engine, call("gives_megabytes")).value == "é" * 3_000_000


FAILURES = {
    "own_error": ("OwnError", "mine"),
    "two_arguments": ("TwoArgumentsError", "this and that"),
    "speechless": ("SpeechlessError", ""),
    "unpicklable": ("ValueError", "a lock"),
    "local_error": ("LocalError", "from inside"),
    "missing_file": ("FileNotFoundError", "[Errno 2] No such file or directory"),
    "lines": ("ValueError", "first line\nsecond line"),
    "exits": ("TaskExitedError", "sys.exit(3)"),
    "interrupts": ("TaskExitedError", "KeyboardInterrupt"),
    "outsider": ("TaskExitedError", "OutsiderError"),
    "gives_set": ("NotJSONError", "set"),
    "gives_nan": ("NotJSONError", "[1] is nan"),
    "gives_object": ("NotJSONError", "object"),
    "gives_integer_keys": ("NotJSONError", "key 1"),
    "gives_giant": (None, "4300 digits"),
    "legacy.never": ("ValueError", "never"),
    "legacy.says_so_itself": ("ValueError", "by hand"),
    "legacy.exits": ("TaskExitedError", "sys.exit(4)"),
    "legacy.gives_nan": ("NotJSONError", "nan"),
}


@pytest.mark.parametrize(("task", "expected"), FAILURES.items(), ids=FAILURES.keys())
def test_whatever_goes_wrong_is_a_failure_of_that_step(
    engine: Engine, task: str, expected: tuple[str | None, str]
) -> None:
    kind, words = expected
    ran = run(engine, chord([call(task), call("tag", 1)], call("tag")))
    assert ran.value is None
    assert ran.states == {
        "root.header.0": "FAILURE",
        "root.header.1": "SUCCESS",
        "root.body": "SKIPPED",
    }
    error = ran.errors["root.header.0"]
    assert kind in (None, error.type)
    assert words in error.message


def test_a_failure_comes_with_the_tasks_own_traceback(engine: Engine) -> None:
    (error,) = run(engine, call("own_error")).ledger.errors
    assert "tasks_plugin.py" in error.traceback
    assert "in own_error" in error.traceback


def test_every_failed_step_is_named_and_every_sibling_ends(engine: Engine) -> None:
    ran = run(
        engine,
        chain(
            group(
                chain(call("own_error"), call("tag")),
                group(call("tag", 1), call("lines")),
                call("tag", 2),
            ),
            call("tag"),
        ),
    )
    assert set(ran.errors) == {"root.0.0.0", "root.0.1.1"}
    assert ran.states["root.0.1.0"] == ran.states["root.0.2"] == "SUCCESS"
    assert {step.path for step in ran.ledger.skipped()} == {"root.0.0.1", "root.1"}


SEVERAL_FAILURES = """
chain:
  - chord:
      header:
        - own_error
        - chain: [tag, {group: [missing_file, tag]}, tag]
        - {task: tag, args: [1]}
        - {map: {task: exits, over: [1]}}
      body: tag
  - group: [tag, tag]
"""


def test_every_failure_says_what_where_and_on_which_worker(
    engine: Engine, request: pytest.FixtureRequest
) -> None:
    nothing = parse_value(Source("inputs", "{}"))
    assert isinstance(nothing, Mapping)
    planned = plan_workflow(load_workflow(Source("w.yaml", SEVERAL_FAILURES)), tasks(), nothing)
    outcome = outcome_to_json(run_plan(planned, engine, timeout=HANG))
    assert outcome["state"] == "FAILURE"
    found = {error.pop("path"): error for error in outcome["errors"]}
    header = "chain[0].chord.header"
    expected = {
        f"{header}[0]": ("own_error", 5, "OwnError", "mine"),
        f"{header}[1].chain[1].group[0]": ("missing_file", 6, "FileNotFoundError", "[Errno 2] No "),
        f"{header}[3].map": ("exits", 8, "TaskExitedError", "the task called sys.exit(3)"),
    }
    assert set(found) == set(expected)
    for path, (step, line, kind, message) in expected.items():
        error = found[path]
        assert (error["step"], error["file"], error["line"]) == (step, "w.yaml", line)
        assert error["type"] == kind
        assert error["message"].startswith(message)
        assert "Traceback" in error["traceback"]
        assert f"in {step}" in error["traceback"]
        if request.node.callspec.params["engine"] in WORKERS:
            assert error["worker"].startswith("celery@")
        else:
            assert error["worker"] is None  # it is this process
    assert outcome["skipped"] == [
        f"{header}[1].chain[2]",
        "chain[0].chord.body",
        "chain[1].group[0]",
        "chain[1].group[1]",
    ]


def test_a_run_ends_when_the_last_sibling_has_ended_and_not_before(
    engine: Engine, tmp_path: Path
) -> None:
    here, until = tmp_path / "here", tmp_path / "until"
    root = chord(
        [call("own_error"), chain(call("waits_for", str(here), str(until)), call("tag", 1))],
        call("tag"),
    )
    with watched(engine, root) as (ledger, result):
        await_state(ledger, "root.header.0", "FAILURE")
        await_file(here)
        assert not ledger.ended
        until.touch()
        ran = result()
    # What the sibling goes on with belongs to it; what would have joined them does not run.
    assert ran.states == {
        "root.header.0": "FAILURE",
        "root.header.1.0": "SUCCESS",
        "root.header.1.1": "SUCCESS",
        "root.body": "SKIPPED",
    }


def test_an_engine_runs_on_after_a_failure(engine: Engine) -> None:
    run(engine, call("own_error"))
    assert run(engine, call("power", 2)).value == 4


def test_runs_go_side_by_side(engine: Engine) -> None:
    def total(start: int) -> Any:
        return run(engine, chord([call("power", start + n) for n in range(4)], call("amass"))).value

    with ThreadPoolExecutor(6) as pool:
        totals = list(pool.map(total, range(6)))
    assert totals == [sum((start + n) ** 2 for n in range(4)) for start in range(6)]


def test_a_timeout_ends_a_run_while_a_task_runs(engine: Engine, tmp_path: Path) -> None:
    here, until, after = (str(tmp_path / name) for name in ("here", "until", "after"))
    try:
        with pytest.raises(RunTimeoutError, match=r"longer than 0\.2 s"):
            run(engine, chain(call("waits_for", here, until), call("touches", after)), timeout=0.2)
    finally:
        Path(until).touch()
    run(engine, call("tag"))
    assert not Path(after).exists()
