"""Every construct of the language gives its value, or fails as it should, on every engine."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from random import Random

import pytest

from flowrunner.app import Project
from flowrunner.settings import Settings
from tests.conformance.conftest import FULL, PLUGIN
from tests.conformance.constructs import CONSTRUCTS
from tests.conformance.counts import counts_of_this_process
from tests.conformance.generator import with_failures
from tests.conformance.language import is_handy, random_document
from tests.conformance.on_paper import try_on_paper
from tests.conformance.scoreboard import Scoreboard
from tests.conformance.shape import Shape
from tests.conformance.trial import Laboratory, Trial

#: How many shapes of a kind an engine runs, and how many are only planned and evaluated.
RUN = 800 if FULL else 12
ON_PAPER = 5_000 if FULL else 40
SEED = 20241107


@cache
def random_documents(count: int, seed: int) -> tuple[Shape, ...]:
    random = Random(seed)
    return tuple(random_document(random) for _ in range(count))


@cache
def failing_documents(count: int, seed: int) -> tuple[Shape, ...]:
    """Return random shapes in which tasks fail, always or by what they are given."""
    random = Random(seed)
    shapes: list[Shape] = []
    while len(shapes) < count:
        shape = with_failures(random, random_document(random), 4, ("fail", "sometimes"))
        if shape is not None and is_handy(shape):
            shapes.append(shape)
    return tuple(shapes)


def report(trials: list[Trial]) -> str:
    """Return what went wrong, the smallest files first."""
    bad = sorted((trial for trial in trials if not trial.good), key=lambda each: len(each.text))
    return "\n".join([f"{len(bad)} of {len(trials)} shapes", *map(str, bad[:5])]) if bad else ""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """A laboratory without an engine."""
    project = Project(Settings(plugins=(PLUGIN,)))
    with project.engine() as engine:
        folder = tmp_path_factory.mktemp("on-paper")
        yield Laboratory("on paper", project, engine, counts_of_this_process(), folder, 1)


KINDS = {
    "constructs": lambda count: tuple(shape for shape, _ in CONSTRUCTS.values()),
    "random": lambda count: random_documents(count, SEED),
    "some fail": lambda count: failing_documents(count, SEED + 1),
}


@pytest.mark.parametrize("kind", KINDS)
def test_on_paper(desk: Laboratory, scoreboard: Scoreboard, kind: str) -> None:
    trials = [desk.trial(shape) for shape in KINDS[kind](ON_PAPER)]
    for trial in trials:
        try_on_paper(desk, trial)
    scoreboard.note(desk.name, trials)
    assert not report(trials), report(trials)


@pytest.mark.parametrize("kind", KINDS)
def test_on_an_engine(laboratory: Laboratory, scoreboard: Scoreboard, kind: str) -> None:
    shapes = KINDS[kind](RUN)
    if not FULL and laboratory.name != "embedded":
        shapes = tuple(Random(SEED).sample(shapes, min(RUN, len(shapes))))
    trials = laboratory.run(shapes)
    scoreboard.note(laboratory.name, trials)
    assert not report(trials), report(trials)


@pytest.mark.usefixtures("continued_everywhere")
@pytest.mark.parametrize("kind", ["random", "some fail"] if FULL else ["some fail"])
def test_on_an_engine_in_parts(laboratory: Laboratory, scoreboard: Scoreboard, kind: str) -> None:
    """The same with a continuation wherever there can be one."""
    test_on_an_engine(laboratory, scoreboard, kind)
