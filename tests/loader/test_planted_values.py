"""A wrong value in each place of the example documents is found as stock jsonschema finds it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from tests.loader.documents import expected, found, places
from tests.shipped import ROOT

FILES = sorted((ROOT / "workflows").glob("*.yaml"))
#: Each replaces every value in turn.
WRONG: tuple[Any, ...] = (
    *(None, True, 0, 1, -1, 2.5, 3.0, 10**9, "", "power x-1", "${i}", "5%", "5m", "a b", "1a"),
    *([], [1], [None, "a b"], {}, {"tpyo": 1}, {"task": "power", "queue": 3}, {"max": -1}),
)
#: Each is added to every mapping, and replaces every key, in turn.
KEYS = ("tpyo", "task", "else", "needs", "1 key", "default")


def planted() -> Iterator[Any]:
    """Yield each wrong document: it holds only until the next one is asked for."""
    for file in FILES:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        for around, key in list(places(document)):
            before = around[key]
            for value in WRONG:
                around[key] = value
                yield document
            around[key] = before
            if isinstance(around, dict):
                entries = dict(around)
                for other in KEYS:
                    around[other] = before
                    yield document
                    del around[key]
                    yield document
                    around.clear()
                    around.update(entries)
        assert document == yaml.safe_load(file.read_text(encoding="utf-8"))


def check(chosen: Callable[[], bool]) -> int:
    """Compare the chosen documents, and return how many of them are wrong."""
    wrong = 0
    for document in planted():
        if chosen():
            wanted = expected(document)
            assert found(document) == wanted, yaml.safe_dump(document, sort_keys=False)
            wrong += bool(wanted)
    return wrong


def test_a_sample_of_wrong_values_is_found_as_by_stock_jsonschema() -> None:
    draw = random.Random(2026)
    assert check(lambda: draw.random() < 0.03) > 200


@pytest.mark.slow
def test_every_wrong_value_is_found_as_by_stock_jsonschema() -> None:
    assert check(lambda: True) > 8_000
