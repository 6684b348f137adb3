"""Never more than ``max_parallel`` members run at a time, and nothing waits that need not."""

from __future__ import annotations

from random import Random
from typing import Any
from uuid import uuid4

import pytest
import yaml

from flowrunner.app import run_plan
from flowrunner.runs.outcome import Outcome
from tests.conformance.conftest import FULL
from tests.conformance.trial import HANG, Laboratory

#: How many may be inside, and how many come: an odd one is left over.
CROWD, MEMBERS = 2, 5


def room(**more: Any) -> dict[str, Any]:
    return {"room": "KEY/room", "crowd": CROWD, "members": MEMBERS, **more}


ENTER = {"task": "enter", "kwargs": room(leave=True)}
#: A member is inside from its first call to the end of its last one.
VISIT = {"chain": [{"task": "enter", "kwargs": room()}, {"task": "tag", "args": ["KEY/t"]},
                   {"task": "leave", "kwargs": {"room": "KEY/room"}}]}  # fmt: skip
FAILING = {"chain": [{"task": "enter", "kwargs": room()},
                     {"task": "leave_badly", "kwargs": {"room": "KEY/room"}}]}  # fmt: skip
AGAIN = {"task": "fail_twice", "args": ["KEY/again"], "retry": 2}
FIVE = {"task": "tag", "args": [1, 2, 3, 4, "KEY/five"]}
LIMIT = {"max_parallel": CROWD}

LIMITED: dict[str, dict[str, Any]] = {
    "a group": {"group": [ENTER] * MEMBERS, **LIMIT},
    "a group of chains": {"group": [VISIT] * MEMBERS, **LIMIT},
    "a group of groups": {
        "group": [{"chain": [ENTER, {"group": [{"task": "tag", "args": ["KEY/t"]}]}]}] * MEMBERS,
        **LIMIT,
    },
    "a group in which members fail": {
        "group": [VISIT, FAILING, VISIT, FAILING, FAILING], "tolerate": 3, **LIMIT,
    },
    "a header": {
        "chord": {"header": [VISIT] * MEMBERS, "body": {"task": "tag", "args": ["KEY/b"]}}, **LIMIT,
    },
    "a fan-out": {**ENTER, "times": MEMBERS, **LIMIT},
    "a fan-out in a header": {
        "chord": {"header": [{**ENTER, "times": MEMBERS}],
                  "body": {"task": "tag", "args": ["KEY/b"]}}, **LIMIT,
    },
    "each": {"each": "${range(0, 5)}", "do": VISIT, **LIMIT},
    "each at run time": {"chain": [FIVE, {"each": "${prev}", "do": VISIT, **LIMIT}]},
    "each with a condition": {
        "chain": [FIVE, {"each": "${prev}",
                         "do": {"chain": [{"when": "item != null", **VISIT}]}, **LIMIT}],
    },
    "members that are made again": {
        "group": [
            {"chain": [{"task": "enter", "kwargs": room()},
                       {**AGAIN, "args": [n, "KEY/again"]},
                       {"task": "leave", "kwargs": {"room": "KEY/room"}}]}
            for n in range(MEMBERS)
        ],
        **LIMIT,
    },
    "a graph step": {"graph": {"a": FIVE, "b": {"needs": ["a"], "each": "${prev}", "do": VISIT,
                                                **LIMIT}}},
}  # fmt: skip


def run(laboratory: Laboratory, step: dict[str, Any]) -> tuple[Outcome, dict[str, int]]:
    """Run a file, and return how it ended and what was counted in its room."""
    key = f"r{uuid4().hex[:8]}"
    file = laboratory.folder / f"{key}.yaml"
    file.write_text(yaml.safe_dump(step, sort_keys=False).replace("KEY", key), encoding="utf-8")
    plan = laboratory.project.plan(file)
    outcome = run_plan(plan, laboratory.engine, timeout=HANG)
    return outcome, laboratory.counts.of(f"{key}:rooms")


def test_never_more_members_run_than_may(laboratory: Laboratory) -> None:
    names = list(LIMITED)
    if not FULL and laboratory.name != "embedded":
        names = Random(laboratory.name).sample(names, 4)
    wrong: list[str] = []
    for name in names:  # one by one: those who wait inside would keep the places of another run
        outcome, counted = run(laboratory, LIMITED[name])
        most = max((n for n in range(MEMBERS + 1) if f"room had {n}" in counted), default=0)
        found = outcome.state, most, counted.get("room in all")
        if found != ("SUCCESS", CROWD, MEMBERS):
            errors = [f"{error.type}: {error.message}" for error in outcome.errors]
            wrong.append(f"{name}: {found} {errors} {outcome.reason}")
    assert not wrong, "\n".join(wrong)


def waits(other: str, label: str = "w") -> dict[str, Any]:
    return {"task": "wait_for", "kwargs": {"label": f"KEY/{label}", "other": other}}


def tag(label: str, *arguments: Any) -> dict[str, Any]:
    return {"task": "tag", "args": [*arguments, f"KEY/{label}"]}


#: Each ends only if something else goes on while a task of it waits.
EAGER: dict[str, dict[str, Any]] = {
    "a graph that no nesting says": {
        "graph": {
            "a": tag("a"),
            "b": waits("d"),
            "c": {"needs": ["a"], **tag("c")},
            "d": {"needs": ["c"], **tag("d")},
            "e": {"needs": ["a", "b"], **tag("e")},
            "f": {"needs": ["d", "e"], **tag("f")},
        }
    },
    "a graph that is series-parallel": {
        "graph": {
            "a": tag("a"),
            "b": {"needs": ["a"], **waits("d")},
            "c": {"needs": ["a"], **tag("c")},
            "d": {"needs": ["c"], **tag("d")},
            "e": {"needs": ["b", "d"], **tag("e")},
        }
    },
    "a member that decides": {
        "group": [waits("d"), {"chain": [tag("a"), {"when": "len(prev) > 0", **tag("d")}]}]
    },
    "members of each": {
        "chain": [
            {"group": [tag("a"), tag("b")]},
            {"each": "${prev}", "do": {"chain": [
                {"switch": [{"when": 'len(prev) == 1 and item[0] == "KEY/a"', "do": waits("d")},
                            {"else": {"chain": [tag("c"), {"when": "prev != null", **tag("d")}]}}]},
            ]}},
        ]
    },
    "a handler beside what waits": {
        "group": [waits("d"),
                  {"chain": [{"task": "fail", "args": ["KEY/f"], "on_error": tag("d")}]}]
    },
    "a retry beside what waits": {
        "group": [waits("d"), {"chain": [{"task": "fail_twice", "args": ["KEY/f"], "retry": 2},
                                         tag("d")]}]
    },
}  # fmt: skip


@pytest.mark.parametrize("name", EAGER)
def test_nothing_waits_that_need_not(laboratory: Laboratory, name: str) -> None:
    outcome, _ = run(laboratory, EAGER[name])
    assert outcome.state == "SUCCESS", [error.message for error in outcome.errors]
