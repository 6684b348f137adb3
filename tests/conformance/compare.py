"""The same random shapes literally in Celery and with flowrunner, side by side, on one Redis.

``python -m tests.conformance.compare 300`` prints the table that the README shows. Shapes that
nobody writes by hand (something empty) are left out.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Literal, TypeAlias

from celery import Celery
from celery.exceptions import TimeoutError as CeleryTimeoutError

from flowrunner.app import Project
from flowrunner.plugins import PluginReference
from flowrunner.settings import Settings
from tests.conformance.counts import VARIABLE, RedisCounts
from tests.conformance.generator import random_shape, with_failures
from tests.conformance.literal import by_hand, literal_app
from tests.conformance.meaning import meaning
from tests.conformance.shape import Chain, Group, Shape
from tests.conformance.trial import Laboratory
from tests.conformance.walk import children, with_children
from tests.engines.services import ClusterAddress, Redis, Worker

PLUGIN = PluginReference(str(Path(__file__).with_name("tasks_plugin.py")), "the comparison")

#: Seconds that a literal canvas is waited for: many times what the slowest right one takes.
PATIENCE = 60.0
SEED = 7

End: TypeAlias = Literal["right", "flattened", "wrong", "failed", "never"]


@dataclass(frozen=True)
class Ended:
    """How a canvas has ended, after how many seconds, and of what it has failed."""

    end: End
    seconds: float
    reason: str = ""


def flattened(shape: Shape) -> Shape:
    """Return the shape as Celery is known to read it: a group right inside a group is spliced."""
    inside = tuple(map(flattened, children(shape)))
    if isinstance(shape, Chain) and len(inside) == 1:
        return inside[0]
    if isinstance(shape, Chain):
        return Chain(inside)
    body = () if isinstance(shape, Group) else inside[-1:]
    members = inside[: len(inside) - len(body)]
    spliced = [
        each
        for member in members
        for each in (member.members if isinstance(member, Group) else (member,))
    ]
    return with_children(shape, (*spliced, *body))


def run_literally(shape: Shape, app: Celery) -> Ended:
    """Run a shape as it is written and wait for it."""
    started = monotonic()

    def ended(end: End, reason: object = "") -> Ended:
        return Ended(end, monotonic() - started, str(reason))

    try:
        result = by_hand(shape, app).apply_async()
        # get() alone would give every member of a group its own patience, one after another.
        while not (result.ready() or result.failed()):
            if monotonic() - started > PATIENCE:
                return ended("never")
            sleep(0.25)
        if result.failed():
            return ended("failed", "a task has failed")
        # An embedded engine of the same process forbids to wait, as Celery's workers do.
        value = result.get(timeout=PATIENCE, disable_sync_subtasks=False)
    except CeleryTimeoutError:
        return ended("never")
    except Exception as error:  # its own failure, a ChordError, or Celery's stumbling over it
        return ended("failed", repr(error))
    if value == meaning(shape).value:
        return ended("right")
    return ended("flattened" if value == meaning(flattened(shape)).value else "wrong")


def literal_ends(shapes: list[Shape], app: Celery) -> list[Ended]:
    """Run shapes side by side, so that the waiting for those that never end overlaps."""
    with ThreadPoolExecutor(48) as pool:
        return list(pool.map(lambda shape: run_literally(shape, app), shapes))


def table(rows: list[tuple[str, Callable[[Counter[str]], int]]], scores: list[Counter[str]]) -> str:
    """Return rows of a share of each score."""
    lines = []
    for title, figure in rows:
        cells = (f"{figure(s):6,} {figure(s) / s.total():7.1%}" for s in scores)
        lines.append("  ".join([f"  {title:54}", *cells]))
    return "\n".join(lines)


def compare(count: int) -> str:
    random = Random(SEED)
    shapes = [random_shape(random, plain=True) for _ in range(count)]
    failing: list[Shape] = []
    while len(failing) < count:
        shape = with_failures(random, random_shape(random, plain=True), 1)
        if shape is not None and meaning(shape).failed:
            failing.append(shape)
    with TemporaryDirectory() as name, Redis(Path(name)) as redis:
        folder = Path(name)
        hand, own = (
            ClusterAddress(redis.url(database), redis.url(database + 1)) for database in (0, 2)
        )
        environment = {"FLOWRUNNER_PLUGINS": PLUGIN.name, VARIABLE: redis.url(15)}
        with (
            Worker(hand, folder, app="tests.conformance.literal", environment=environment),
            Worker(own, folder, environment=environment),
        ):
            app = literal_app(hand.broker, hand.backend)
            ends, failed_ends = literal_ends(shapes, app), literal_ends(failing, app)
            settings = Settings(plugins=(PLUGIN,), broker=own.broker, backend=own.backend)
            project = Project(settings)
            with project.engine() as engine:
                laboratory = Laboratory(
                    "redis", project, engine, RedisCounts(redis.url(15)), folder, 8
                )
                trials, failed_trials = laboratory.run(shapes), laboratory.run(failing)
    literal, literal_failed = (
        Counter[str](each.end for each in every) for every in (ends, failed_ends)
    )
    verdicts, failed_verdicts = (
        Counter[str](
            {"failed": "ended", "hung": "never"}.get(trial.score, trial.score) for trial in every
        )
        for every in (trials, failed_trials)
    )
    slowest = max((each.seconds for each in ends if each.end == "right"), default=0.0)
    title = f"{count:,} random shapes to depth 4, seed {SEED}"
    return "\n".join(
        [
            f"{title:56}  literal Celery      flowrunner",
            table(
                [
                    ("the value that the nesting says", lambda s: s["right"]),
                    (
                        "… or that of groups in groups flattened",
                        lambda s: s["right"] + s["flattened"],
                    ),
                    ("another value", lambda s: s["wrong"]),
                    (
                        "an exception, with no task that fails",
                        lambda s: s["failed"] + s["refused"] + s["ended"],
                    ),
                    (
                        f"never ended (waited for {PATIENCE:g} s; slowest right {slowest:.1f} s)",
                        lambda s: s["never"],
                    ),
                ],
                [literal, verdicts],
            ),
            f"{count:,} with a task that fails",
            table(
                [
                    ("ended as failed", lambda s: s["failed"] + s["ended"]),
                    ("ended with a value", lambda s: s["right"] + s["flattened"] + s["wrong"]),
                    ("never ended", lambda s: s["never"]),
                ],
                [literal_failed, failed_verdicts],
            ),
        ]
    )


if __name__ == "__main__":
    print(compare(int(sys.argv[1]) if len(sys.argv) > 1 else 300))
