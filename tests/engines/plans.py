"""Plans and runs, in few words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

from flowrunner import plan
from flowrunner.engines.protocol import Engine
from flowrunner.model import HANDLER_NAMES
from flowrunner.planner.continuations import sequence_of
from flowrunner.plugins import PluginReference, load_plugins
from flowrunner.runs.run_ledger import ledger_of
from flowrunner.runs.step_state import StepError
from flowrunner.runs.unfolding import Unfolding
from flowrunner.tasks import TaskRegistry
from tests.shapes import HERE, plan_of, with_paths

PLUGIN = PluginReference(str(Path(__file__).with_name("tasks_plugin.py")), "the tests")

#: Seconds, far longer than any run takes; a run that needs them hangs.
HANG = 60.0


def tasks() -> TaskRegistry:
    return load_plugins([PLUGIN]).tasks()


def call(task: str, *args: Any, immutable: bool = False, **options: Any) -> plan.Call:
    return plan.Call("", task, HERE, args=args, options=options, immutable=immutable)


def chain(*steps: plan.Node) -> plan.Chain:
    return plan.Chain("", steps, HERE)


def group(*members: plan.Node) -> plan.Group:
    return plan.Group("", members, HERE)


def chord(header: list[plan.Node], body: plan.Node) -> plan.Chord:
    return plan.Chord("", group(*header), body, HERE)


def planned(root: plan.Node, **handlers: plan.Node | None) -> plan.Plan:
    """Return a plan; ``finally_`` stands for the document's ``finally``."""
    found = []
    for name in HANDLER_NAMES:
        node = handlers.get({"finally": "finally_"}.get(name, name))
        if node is not None:
            tree = with_paths(node, name)
            found.append(plan.Handler(name, tree, *sequence_of(tree, has_input=True)))
    return replace(plan_of(with_paths(root)), handlers=tuple(found))


@dataclass
class Ran:
    """How a run has gone; ``errors`` by the path of the call."""

    value: Any
    ledger: Unfolding
    errors: dict[str, StepError] = field(init=False)

    def __post_init__(self) -> None:
        self.errors = {error.call.path: error for error in self.ledger.errors}

    @property
    def states(self) -> dict[str, str]:
        return {path: step.state for path, step in self.ledger.steps.items()}


def run(engine: Engine, root: plan.Node, *, timeout: float | None = HANG) -> Ran:
    ready = planned(root)
    ledger = ledger_of(ready)
    return Ran(engine.run(ready, run=uuid4(), ledger=ledger, timeout=timeout), ledger)


@contextmanager
def in_background(engine: Engine, root: plan.Node) -> Iterator[Callable[[], Ran]]:
    """Start a run in a thread; what this yields waits for it, and raises what it raised."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(run, engine, root)
        yield lambda: future.result(HANG)


@contextmanager
def watched(engine: Engine, root: plan.Node) -> Iterator[tuple[Unfolding, Callable[[], Ran]]]:
    """Start a run in a thread; yield its ledger, and what waits for its end."""
    ready = planned(root)
    ledger = ledger_of(ready)
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(engine.run, ready, run=uuid4(), ledger=ledger, timeout=HANG)
        yield ledger, lambda: Ran(future.result(HANG), ledger)


def await_state(ledger: Unfolding, path: str, state: str) -> None:
    """Wait until an engine has noted a state of a call."""
    deadline = monotonic() + HANG
    while ledger.steps[path].state != state:
        assert monotonic() < deadline, f"{path} is {ledger.steps[path].state}, not {state}"
        sleep(0.005)


def await_file(path: Path) -> None:
    """Wait until a task has touched a file."""
    deadline = monotonic() + HANG
    while not path.exists():
        assert monotonic() < deadline, f"{path} has not come"
        sleep(0.005)
