"""The loop that follows runs: its rules, and that every way to drive a run goes through it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any, NoReturn
from uuid import UUID

import pytest

from flowrunner.app import Project
from flowrunner.cli.main import main
from flowrunner.engines import loop
from flowrunner.engines.protocol import RunStalledError, RunTimeoutError
from flowrunner.plan import Retry, Sequence
from flowrunner.runs.run_ledger import ledger_of
from flowrunner.runs.step_state import StepError
from flowrunner.runs.unfolding import Unfolding
from flowrunner.settings import load_settings
from flowrunner.supervisor import Supervisor
from tests.cli.commands import Ended
from tests.engines.plans import PLUGIN, call, chain, planned
from tests.engines.services import ClusterAddress, Redis, Worker
from tests.shapes import plan_of
from tests.unfolding import call as dynamic_call


class Port:
    """An engine whose looks find what a script says; it never really waits."""

    def __init__(self, *script: Callable[[], Any], pauses: tuple[float, float] = (0.01, 0.5)):
        self.shortest_pause, self.longest_pause = pauses
        self.script = list(script)
        self.published: list[Sequence] = []
        self.waits: list[float] = []
        self.unchanged: list[float] = []

    def poll(self) -> None:
        if self.script:
            self.script.pop(0)()

    def publish(self, sections: Iterable[Sequence]) -> None:
        self.published += sections

    def check_stall(self, unchanged: float) -> None:
        self.unchanged.append(unchanged)
        if not self.script:
            raise RunStalledError("nothing more in the script")

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)


def begun() -> Unfolding:
    ledger = ledger_of(planned(chain(call("tag"), call("tag"))))
    ledger.begin()
    return ledger


def nothing() -> None:
    """A look that finds nothing new."""


FIRST, SECOND = "root.0", "root.1"


def test_it_returns_the_value_of_a_run_that_has_ended() -> None:
    ledger = begun()
    port = Port(
        lambda: ledger.record(FIRST, "SUCCESS", result=lambda: 1),
        nothing,
        lambda: ledger.record(SECOND, "SUCCESS", result=lambda: 2),
    )
    assert loop.follow(ledger, port) == 2
    assert len(port.waits) == 2


def test_it_looks_less_often_while_nothing_changes() -> None:
    ledger = begun()
    port = Port(*[nothing] * 12, lambda: ledger.record(FIRST, "STARTED"), nothing)
    with pytest.raises(RunStalledError):
        loop.follow(ledger, port)
    assert port.waits[0] == pytest.approx(0.015)
    assert port.waits[10] == 0.5
    assert port.waits[12] == pytest.approx(0.01)
    assert port.unchanged[12] == 0


def test_it_gives_up_a_run_that_takes_too_long() -> None:
    port = Port(*[nothing] * 3)
    began = monotonic()
    with pytest.raises(RunTimeoutError, match="the run took longer than 0 s"):
        loop.follow(begun(), port, timeout=0)
    assert monotonic() - began < 5


def test_it_waits_no_longer_than_until_a_retry_is_due() -> None:
    ready = plan_of(dynamic_call("c", "tag", retry=Retry(1, delay=0.2)))
    ledger = ledger_of(ready)
    ledger.begin()
    (first,) = ready.calls()
    port = Port(
        lambda: ledger.record("c", "FAILURE", StepError(first, "ValueError", "no")),
        nothing,
        pauses=(0.5, 0.5),
    )
    with pytest.raises(RunStalledError):
        loop.follow(ledger, port)
    assert 0 < port.waits[0] <= 0.2


def test_a_cancelled_run_ends_after_a_look_that_finds_nothing_new() -> None:
    """A worker reports a start before it looks whether the run was cancelled."""
    ledger = begun()
    ledger.cancelled = True
    port = Port(
        lambda: ledger.record(FIRST, "STARTED"),
        nothing,
        lambda: ledger.record(FIRST, "SUCCESS", result=lambda: 1),
        nothing,
        nothing,
    )
    assert loop.follow(ledger, port) is None
    states = {path: step.state for path, step in ledger.steps.items()}
    assert states == {FIRST: "SUCCESS", SECOND: "REVOKED"}


# Every way to drive a run.

BROKEN = "the loop is broken"


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> NoReturn:
        raise RunStalledError(BROKEN)

    monkeypatch.setattr(loop, "follow", fail)


@pytest.fixture(scope="module")
def address(redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterAddress]:
    """A cluster whose worker drives no runs."""
    address = ClusterAddress(redis.url(6), redis.url(7))
    environment = {"FLOWRUNNER_RUNS": "none"}
    with Worker(address, tmp_path_factory.mktemp("loop"), environment=environment):
        yield address


@pytest.fixture(params=["embedded", "cluster"])
def run(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Ended]:
    monkeypatch.chdir(tmp_path)
    if request.param == "cluster":
        address: ClusterAddress = request.getfixturevalue("address")
        for name, value in address.environment().items():
            monkeypatch.setenv(name, value)
    else:
        monkeypatch.setenv("FLOWRUNNER_RUNS", str(tmp_path / "runs.sqlite3"))
        monkeypatch.setenv("FLOWRUNNER_PLUGINS", PLUGIN.name)
    Path("workflow.yaml").write_text("chain: [tag, tag]\n")

    def run(*arguments: str) -> Ended:
        code = main(list(arguments))
        said = capsys.readouterr()
        return Ended(code, said.out, said.err)

    return run


@pytest.mark.usefixtures("broken")
def test_apply_and_resume_follow_runs_by_the_loop(run: Callable[..., Ended]) -> None:
    for command in ("apply", "workflow.yaml"), ("resume", "last"):
        ended = run(*command)
        assert (ended.code, BROKEN in ended.err + ended.out) == (1, True), command


@pytest.mark.parametrize("run", ["cluster"], indirect=True)
@pytest.mark.parametrize("door", ["watch", "supervisor"])
@pytest.mark.usefixtures("broken")
def test_whatever_drives_a_detached_run_follows_it_by_the_loop(
    run: Callable[..., Ended], door: str
) -> None:
    detached = run("apply", "workflow.yaml", "--detach").out.strip()
    if door == "watch":
        assert run("watch", detached).code == 1
    else:
        project = Project(load_settings())
        store = project.run_store()
        assert store is not None
        with project.engine() as engine:
            Supervisor(project, engine, store)._drive(store.get(UUID(detached)))
    shown = json.loads(run("show", detached, "--output", "json").out)
    assert (shown["state"], shown["reason"]) == ("FAILURE", BROKEN)
