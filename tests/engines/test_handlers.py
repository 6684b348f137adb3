"""``on_error`` and ``finally`` on every engine: exactly once each, in order, with the outcome."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import sleep
from typing import Any
from uuid import uuid4

import pytest

from flowrunner import plan
from flowrunner.engines.celery import CeleryEngine
from flowrunner.engines.protocol import Engine
from flowrunner.engines.thread_pool import DaemonThreadPool
from flowrunner.errors import BrokerError, WorkflowError
from flowrunner.run import InterruptedRunError, run_plan
from flowrunner.runs.outcome import Outcome, outcome_to_json
from flowrunner.runs.run_ledger import RunLedger
from flowrunner.semantics import Failure, evaluate_run
from tests.engines.conftest import embedded, processes
from tests.engines.plans import HANG, call, chain, chord, group, planned, tasks

PARTS = ("main", "on_error", "finally")


@dataclass
class Log:
    """A file for each part, to which its task adds a line when it is executed."""

    folder: Path

    def file(self, part: str) -> str:
        return str(self.folder / part)

    def call(self, part: str, *, fails: bool = False) -> plan.Call:
        return call("appends_and_fails" if fails else "appends", self.file(part))

    def given(self, part: str) -> list[Any]:
        """Return what each execution was given, in their order."""
        path = Path(self.file(part))
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def count(self) -> dict[str, int]:
        return {part: len(self.given(part)) for part in PARTS}


@dataclass
class Run:
    """A run, and the ledger that followed it."""

    outcome: Outcome
    ledger: RunLedger
    paths: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.paths = [error.call.path for error in self.outcome.errors]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def run(engine: Engine, ready: plan.Plan, *, timeout: float | None = HANG) -> Run:
    ledger = RunLedger(ready)
    return Run(run_plan(ready, engine, ledger=ledger, run=uuid4(), timeout=timeout), ledger)


#: Which parts fail → the run's state, how often each part runs, the paths of the errors.
CASES: dict[str, tuple[set[str], str, tuple[int, int, int], list[str]]] = {
    "nothing": (set(), "SUCCESS", (1, 0, 1), []),
    "main": ({"main"}, "FAILURE", (1, 1, 1), ["root"]),
    "on_error": ({"on_error"}, "SUCCESS", (1, 0, 1), []),
    "finally": ({"finally"}, "FAILURE", (1, 0, 1), ["finally"]),
    "main, on_error": ({"main", "on_error"}, "FAILURE", (1, 1, 1), ["root", "on_error"]),
    "main, finally": ({"main", "finally"}, "FAILURE", (1, 1, 1), ["root", "finally"]),
    "all": (set(PARTS), "FAILURE", (1, 1, 1), ["root", "on_error", "finally"]),
}


@pytest.mark.parametrize(("failing", "state", "counts", "paths"), CASES.values(), ids=CASES.keys())
def test_each_part_runs_once_and_hides_no_failure_before_it(
    engine: Engine,
    log: Log,
    failing: set[str],
    state: str,
    counts: tuple[int, int, int],
    paths: list[str],
) -> None:
    main, on_error, finally_ = (log.call(part, fails=part in failing) for part in PARTS)
    ready = planned(main, on_error=on_error, finally_=finally_)
    ran = run(engine, ready)
    assert (ran.outcome.state, ran.paths) == (state, paths)
    assert tuple(log.count().values()) == counts
    assert ran.outcome.has_result == ("main" not in failing)
    assert ran.outcome.result == (None if "main" in failing else [])
    unneeded = ran.ledger.steps["on_error"].state == "UNNEEDED"
    assert unneeded == ("main" not in failing)

    functions = {definition.name: definition.function for definition in tasks()}
    value, failure = evaluate_run(
        ready, lambda name, args, kwargs: functions[name](*args, **kwargs), lambda *_: None
    )
    assert (value, [path for path, _ in failure.causes]) == (ran.outcome.result, ran.paths)


def test_they_are_given_the_outcome_so_far_as_the_data_that_programs_get(
    engine: Engine, log: Log
) -> None:
    failing = chord([call("own_error"), group(call("lines"), call("tag"))], call("tag"))
    ready = planned(
        chain(failing, call("tag")),
        on_error=log.call("on_error", fails=True),
        finally_=log.call("finally"),
    )
    ran = run(engine, ready)
    whole = outcome_to_json(ran.outcome)
    first = {path for path in ran.paths if path.startswith("root")}
    assert first == {"root.0.header.0", "root.0.header.1.0"}
    assert ran.paths[2:] == ["on_error"]
    left_out = {"errors": 0, "caught": 0, "skipped": 0}
    ((on_error,),) = log.given("on_error")
    assert on_error == {
        **whole,
        "errors": whole["errors"][:2],
        "ended": on_error["ended"],
        "seconds": on_error["seconds"],
        "left_out": left_out,
    }
    ((final,),) = log.given("finally")
    then = {name: final[name] for name in ("ended", "seconds")}
    assert final == {**whole, **then, "left_out": left_out}
    assert on_error["seconds"] <= final["seconds"] <= whole["seconds"]
    assert on_error["ended"] < final["ended"] < whole["ended"]
    assert on_error["skipped"] == ["root.0.body", "root.1"]


def test_finally_is_given_the_result(engine: Engine, log: Log) -> None:
    ran = run(engine, planned(call("tag", "é😀"), finally_=log.call("finally")))
    ((given,),) = log.given("finally")
    assert (given["state"], given["result"]) == ("SUCCESS", ["é😀"])
    assert ran.outcome.result == ["é😀"]


def test_a_handler_is_any_step_and_its_first_calls_are_given_the_outcome(
    engine: Engine, log: Log
) -> None:
    members = [log.call("finally"), chain(), group(log.call("finally")), group()]
    ignoring = replace(log.call("main"), immutable=True)
    after = chain(call("amass_lengths"), log.call("on_error"))
    ran = run(engine, planned(call("tag"), finally_=chord([*members, ignoring], after)))
    assert ran.outcome.state == "SUCCESS"
    assert [given[0]["result"] for given in log.given("finally")] == [[], []]
    assert log.given("main") == [[]]
    # A chain of none hands on the outcome itself, a dict of twelve entries.
    assert log.given("on_error") == [[[1, 12, 1, 0, 0]]]


@pytest.mark.parametrize("handler", [chain(), group(), group(chain())], ids=str)
def test_an_empty_handler_changes_nothing(engine: Engine, handler: plan.Node) -> None:
    ran = run(engine, planned(call("own_error"), on_error=handler, finally_=handler))
    assert (ran.outcome.state, ran.paths) == ("FAILURE", ["root"])


def test_what_a_failing_handler_skips_is_listed_after_what_the_main_part_skips(
    engine: Engine, log: Log
) -> None:
    failing = chain(call("gives_set"), log.call("on_error"))
    ready = planned(chain(call("own_error"), log.call("main")), on_error=failing, finally_=failing)
    ran = run(engine, ready)
    assert ran.paths == ["root.0", "on_error.0", "finally.0"]
    assert [step.path for step in ran.outcome.skipped] == ["root.1", "on_error.1", "finally.1"]
    assert log.count() == {"main": 0, "on_error": 0, "finally": 0}


@pytest.mark.parametrize("task", ["speechless", "unpicklable", "local_error", "gives_giant"])
def test_whatever_is_raised_can_be_told(engine: Engine, log: Log, task: str) -> None:
    ran = run(engine, planned(call(task), on_error=log.call("on_error")))
    (error,) = outcome_to_json(ran.outcome)["errors"]
    assert log.given("on_error")[0][0]["errors"] == [error]


class Hurried:
    """An engine whose first runs have next to no time; the others have what they are given."""

    def __init__(self, engine: Engine, *, runs: int) -> None:
        self._engine = engine
        self._runs = runs
        self.timeouts: list[float] = []

    def run(self, *args: Any, timeout: float, **options: Any) -> Any:
        self.timeouts.append(timeout)
        limit = 0.2 if len(self.timeouts) <= self._runs else timeout
        return self._engine.run(*args, timeout=limit, **options)


def test_a_timeout_is_an_error_and_each_handler_has_as_long_again(
    engine: Engine, log: Log, tmp_path: Path
) -> None:
    here, until = (str(tmp_path / name) for name in ("here", "until"))
    waiting = call("waits_for", here, until)
    ready = planned(waiting, on_error=waiting, finally_=log.call("finally"))
    hurried: Any = Hurried(engine, runs=2)
    try:
        ran = run(hurried, ready, timeout=HANG)
    finally:
        Path(until).touch()
    assert hurried.timeouts == [HANG, HANG, HANG]
    assert ran.outcome.state == "FAILURE"
    assert ran.outcome.reason == "the run took longer than 0.2 s; 'on_error' took longer than 60 s"
    ((given,),) = log.given("finally")
    assert given["reason"] == ran.outcome.reason
    assert ran.paths == []


def test_a_run_that_stalls_is_an_error_and_so_is_a_handler_that_does(log: Log) -> None:
    with embedded() as engine:
        stalling = replace(call("legacy.ignores"), immutable=True)
        ready = planned(stalling, on_error=log.call("on_error"), finally_=stalling)
        ran = run(engine, ready)
    assert ran.outcome.state == "FAILURE"
    first, second = ran.outcome.reason.split("; 'finally': ")
    assert "these steps returned no result: root;" in first
    assert "these steps returned no result: finally;" in second
    assert log.count() == {"main": 0, "on_error": 1, "finally": 0}


class Ailing:
    """An engine that raises something at the given run."""

    def __init__(self, engine: Engine, error: Callable[[], BaseException], *, at: int) -> None:
        self._engine = engine
        self._error = error
        self._left = at

    def run(self, *args: Any, **options: Any) -> Any:
        self._left -= 1
        if self._left == -1:
            raise self._error()
        return self._engine.run(*args, **options)


def gone() -> BrokerError:
    return BrokerError("the broker has gone")


def test_without_a_broker_no_handler_runs_and_that_is_said(engine: Engine, log: Log) -> None:
    ready = planned(log.call("main"), on_error=chain(), finally_=log.call("finally"))
    ailing: Any = Ailing(engine, gone, at=0)
    with pytest.raises(BrokerError, match="gone; so 'on_error' and 'finally' did not run"):
        run(ailing, ready)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (gone, "'finally': the broker has gone"),
        (lambda: ValueError("odd"), "BUG: 'finally' did not run: ValueError: odd"),
    ],
)
def test_what_keeps_finally_from_running_does_not_take_the_result_with_it(
    engine: Engine, log: Log, error: Callable[[], Exception], reason: str
) -> None:
    ailing: Any = Ailing(engine, error, at=1)
    ran = run(ailing, planned(call("tag", 1), finally_=log.call("finally")))
    assert (ran.outcome.state, ran.outcome.result) == ("FAILURE", [1])
    assert ran.outcome.reason == reason


def test_an_interrupt_of_on_error_leaves_the_run_failed_and_finally_to_be_run(
    engine: Engine, log: Log
) -> None:
    interrupted: Any = Ailing(engine, KeyboardInterrupt, at=1)
    main, on_error, finally_ = (log.call(part, fails=part == "main") for part in PARTS)
    with pytest.raises(InterruptedRunError) as caught:
        run(interrupted, planned(main, on_error=on_error, finally_=finally_))
    assert caught.value.outcome.state == "FAILURE"
    assert caught.value.outcome.reason == "'on_error' was interrupted"
    assert log.count() == {"main": 1, "on_error": 0, "finally": 1}


@pytest.mark.parametrize("kind", ["embedded", "processes"])
def test_what_a_timeout_leaves_running_keeps_no_place_from_the_handlers(
    log: Log, tmp_path: Path, kind: str
) -> None:
    here, until = (str(tmp_path / name) for name in ("here", "until"))
    ready = planned(
        group(call("waits_for", here, until), log.call("main")), finally_=log.call("finally")
    )
    with {"embedded": embedded, "processes": processes}[kind](1) as engine:
        hurried: Any = Hurried(engine, runs=1)
        ran = run(hurried, ready)
        assert ran.outcome.reason == "the run took longer than 0.2 s"
        assert log.count() == {"main": 0, "on_error": 0, "finally": 1}
        Path(until).touch()
        assert run(engine, planned(call("power", 3))).outcome.result == 9


def pool_of(engine: Engine) -> DaemonThreadPool:
    pool: DaemonThreadPool = engine._worker.pool  # type: ignore[attr-defined]
    return pool


def test_a_task_that_ends_after_its_run_gives_back_the_place_that_it_was_lent(
    tmp_path: Path,
) -> None:
    here, until = (str(tmp_path / name) for name in ("here", "until"))
    with embedded(1) as engine:
        hurried: Any = Hurried(engine, runs=1)
        run(hurried, planned(call("waits_for", here, until), finally_=call("tag")))
        assert pool_of(engine).threads == 2
        Path(until).touch()
        pool = pool_of(engine)
        while pool.unfinished:
            sleep(0.005)
        assert pool.limit == 1
        members = [call("tag", number) for number in range(20)]
        assert len(run(engine, planned(group(*members))).outcome.result) == 20
        assert pool.threads == 1


def test_what_an_engine_cannot_run_is_said_of_handlers_too(engine: Engine) -> None:
    limited = planned(call("tag"), finally_=call("legacy.bound", time_limit=5))
    elsewhere = planned(call("tag"), on_error=call("tag", queue="nowhere"))
    with pytest.raises((WorkflowError, BrokerError), match=r"'time_limit'|'nowhere'"):
        engine.check(elsewhere if isinstance(engine, CeleryEngine) else limited)


def test_a_hundred_failures_are_told_whole_and_the_others_counted(engine: Engine, log: Log) -> None:
    members = [call("own_error", number) for number in range(130)]
    ran = run(engine, planned(group(*members), on_error=log.call("on_error")))
    ((given,),) = log.given("on_error")
    assert len(ran.outcome.errors) == 130
    assert (len(given["errors"]), given["left_out"]["errors"]) == (100, 30)


def test_the_reference_gives_a_handler_what_failed_so_far() -> None:
    def call_task(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        raise ValueError(*args)

    ready = planned(call("a"), on_error=call("b"), finally_=call("c"))
    _, failure = evaluate_run(ready, call_task, lambda value, failure: sorted(failure.paths))
    assert isinstance(failure, Failure)
    assert [(path, error.args) for path, error in failure.causes] == [
        ("root", ()),
        ("on_error", (["root"],)),
        ("finally", (["on_error", "root"],)),
    ]
