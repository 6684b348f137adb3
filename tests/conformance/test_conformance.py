"""Every shape gives its value on every engine, or fails as it should; each task runs once.

``FLOWRUNNER_CONFORMANCE=full`` tries them all; the ordinary run tries a sample.
"""

from __future__ import annotations

import json
import os
from functools import cache
from random import Random

import pytest

from tests.conformance.classics import CLASSICS
from tests.conformance.conftest import FULL, PLUGIN
from tests.conformance.counts import VARIABLE
from tests.conformance.generator import random_shape, trees, with_failures
from tests.conformance.reference import outline, outline_of
from tests.conformance.scoreboard import Scoreboard
from tests.conformance.shape import Shape
from tests.conformance.trial import Laboratory, Trial, without_key
from tests.conformance.walk import labelled
from tests.engines.services import ROOT
from tests.forking import run_command_text

#: How many shapes of each kind an engine runs; of the small ones all in the full run.
RANDOM, FAILING_ONCE, FAILING_OFTEN = (800, 500, 500) if FULL else (12, 8, 8)
SMALL = None if FULL else 40
#: The most nodes of a small shape: with empty ones allowed, and without.
MOST_NODES = {True: 5, False: 8} if FULL else {True: 4, False: 7}
SEED = 20240229


@cache
def small_shapes() -> tuple[Shape, ...]:
    """Return one small shape for every canvas that small shapes are lowered to."""
    found: dict[object, Shape] = {}
    for empty, most in MOST_NODES.items():
        for nodes in range(1, most + 1):
            for tree in trees(nodes, empty=empty):
                found.setdefault(outline(tree), tree)
    shapes = list(found.values())
    if SMALL is not None:
        shapes = Random(SEED).sample(shapes, SMALL)
    return tuple(map(labelled, shapes))


@cache
def random_shapes() -> tuple[Shape, ...]:
    random = Random(SEED)
    return tuple(random_shape(random) for _ in range(RANDOM))


@cache
def failing_shapes(count: int, most: int) -> tuple[Shape, ...]:
    """Return random shapes with up to ``most`` failing calls; not all of them need be reached."""
    random = Random(SEED + most)
    shapes: list[Shape] = []
    while len(shapes) < count:
        shape = with_failures(random, random_shape(random), most)
        if shape is not None:
            shapes.append(shape)
    return tuple(shapes)


KINDS = {
    "small": small_shapes,
    "random": random_shapes,
    "one fails": lambda: failing_shapes(FAILING_ONCE, 1),
    "several fail": lambda: failing_shapes(FAILING_OFTEN, 4),
    "classics": lambda: tuple(shape for shape, _ in CLASSICS.values()),
}


def report(trials: list[Trial]) -> str:
    """Return what went wrong, the smallest shapes first."""
    bad = sorted((trial for trial in trials if not trial.good), key=lambda each: len(each.text))
    return "\n".join([f"{len(bad)} of {len(trials)} shapes", *map(str, bad[:5])]) if bad else ""


@pytest.mark.parametrize("kind", KINDS)
def test_shapes(laboratory: Laboratory, scoreboard: Scoreboard, kind: str) -> None:
    trials = laboratory.run(KINDS[kind]())
    scoreboard.note(laboratory.name, trials)
    assert not report(trials), report(trials)


@pytest.mark.usefixtures("continued_everywhere")
@pytest.mark.parametrize("kind", ["random", "one fails", "several fail"])
def test_shapes_in_parts(laboratory: Laboratory, scoreboard: Scoreboard, kind: str) -> None:
    """The same with a continuation wherever there can be one."""
    test_shapes(laboratory, scoreboard, kind)


COMMAND_LINE = ["a chord as the body of a chord", "group-tailed chains in a header"]


@pytest.mark.parametrize("name", COMMAND_LINE)
def test_the_command_line_prints_the_value(
    laboratory: Laboratory, scoreboard: Scoreboard, name: str
) -> None:
    shape, value = CLASSICS[name]
    trial = laboratory.trial(shape)
    file = laboratory.folder / "classic.yaml"
    file.write_text(trial.text, encoding="utf-8")
    settings = laboratory.project.settings
    cluster = []
    if settings.broker and settings.backend:
        cluster = ["--broker", settings.broker, "--backend", settings.backend]
    ended = run_command_text(
        *("apply", str(file), "--plugin", PLUGIN.name, *cluster),
        cwd=laboratory.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), VARIABLE: ""},
    )
    assert ended.returncode == 0, ended.stderr
    assert without_key(json.loads(ended.stdout), trial.key) == value
    trial.verdict = "right"
    if cluster:
        laboratory.see_executions(trial)  # the embedded engine counted in that process
    scoreboard.note(laboratory.name, [trial])
    assert trial.good, str(trial)


def test_a_small_shape_stands_for_every_one_with_its_canvas(laboratory: Laboratory) -> None:
    """What :func:`small_shapes` leaves out by its outline is planned as what it keeps."""
    random = Random(SEED)
    for tree in random.sample(trees(6, empty=False), 50):
        trial = laboratory.trial(labelled(tree))
        file = laboratory.folder / "small.yaml"
        file.write_text(trial.text, encoding="utf-8")
        assert outline_of(laboratory.project.plan(file).sequence) == outline(tree)
