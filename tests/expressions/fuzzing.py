"""Evaluates random expressions in a process that lets them do nothing else.

``python -m tests.expressions.fuzzing COUNT SEED`` prints the figures as JSON. Whatever an
expression does beside giving JSON or being refused ends the process: an import, code that is
compiled, a file that is opened, an attribute of a value that is looked up, memory or time without
bounds.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from flowrunner.expressions import ExpressionError, parse_expression, parse_template
from tests.expressions.generator import Generator

#: What is kept of the process's memory for all expressions, and how long one may take (seconds of
#: this process's own time, so that a busy machine does not count).
MEMORY: Final = 512 * 2**20
LONGEST: Final = 5.0
#: Methods that the evaluator itself calls, and what isinstance() asks for.
ALLOWED: Final = frozenset(("keys", "values", "items", "__class__"))
STATM: Final = Path("/proc/self/statm")
FORBIDDEN_EVENTS: Final = (
    *("import", "exec", "compile", "open", "os.", "subprocess.", "socket.", "ctypes.", "code."),
    *("object.__getattr__", "object.__setattr__", "object.__delattr__", "sys._getframe", "pickle."),
    *(
        "sys.settrace",
        "sys.setprofile",
        "gc.",
        "marshal.",
        "shutil.",
        "builtins.input",
        "function.",
    ),
)


class Watched(dict[str, Any]):
    """A dict that notices whose attributes are looked up, and would give them."""

    asked: Final[set[str]] = set()

    def __getattribute__(self, name: str) -> Any:
        Watched.asked.add(name)
        return super().__getattribute__(name)

    def __getattr__(self, name: str) -> Any:
        return self[name]


def hostile_names() -> list[dict[str, Any]]:
    """Return names with the values that tasks and people could give, from tame to hostile."""
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]
    loop: list[Any] = []
    loop.append(loop)
    tame: dict[str, Any] = {
        "i": 4, "half": 0.5, "word": "ab", "items": [3, 1, 2], "none": [],
        "d": Watched({"k": 7, "key": [5, 6], "items": {"a": 1}, "keys": "x", "__class__": "x"}),
        "rows": [{"n": 1, "a": [True, None]}, {"n": 2}], "inputs": {"größe": 3, "k": "ｋ"},
        "prev": None, "item": {"get": Watched(a="b")},
    }  # fmt: skip
    large = {
        **tame, "big": 10**400, "long": "ab" * 400_000, "wide": list(range(99_999)),
        "rows": {str(each): each for each in range(20_000)}, "items": ["x"] * 50_000,
    }  # fmt: skip
    # No task could give these: JSON has none of them.
    impossible = {
        **tame, "deep": deep, "loop": loop, "nan": float("nan"), "huge": float("inf"),
        "surrogate": "\ud800", "x": {1: 2, None: 3, (1,): 4}, "word": object(), "item": {1, 2},
        "prev": b"bytes", "i": 10**5_000, "half": 1j,
    }  # fmt: skip
    return [tame, large, impossible]


def forbid_everything_else() -> None:
    """End the process on whatever is not evaluating expressions."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(FORBIDDEN_EVENTS) and event != "gc.callbacks":
            raise SystemExit(f"{event} {str(arguments)[:200]}")

    if STATM.exists():  # Linux
        used = int(STATM.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    signal.signal(signal.SIGVTALRM, _too_long)
    sys.addaudithook(hook)


def _too_long(*_: Any) -> None:
    raise TimeoutError("an expression has taken too long")


def evaluated(text: str, names: dict[str, Any], *, template: bool) -> tuple[Any, str | None]:
    """Return a text's value, or why it has none; the place of the fault is within the text."""
    try:
        return (parse_template if template else parse_expression)(text).evaluate(names), None
    except ExpressionError as error:
        fault = error
    assert fault.message.isprintable(), fault.message
    assert len(fault.message) < 400, fault.message
    assert fault.offset >= 0
    assert fault.length >= 1
    assert fault.offset + fault.length <= max(1, len(text))
    return None, fault.message


def main(count: int, seed: int) -> None:
    """Evaluate so many expressions, and print the figures."""
    generator, scopes = Generator(seed), hostile_names()
    given: Counter[str] = Counter()
    reasons: set[str] = set()
    longest, slowest = 0.0, ""
    for text in ("missing", "ｌen(1)", "str([1])", "x." * 9, "i", "'a"):
        evaluated(text, scopes[0], template=False)  # what is imported late is imported now
    forbid_everything_else()
    started, before = time.perf_counter(), _peak()
    for number in range(count):
        text, template = generator.text()
        which = 0 if number % 20 else 1 if number % 200 else 2
        signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST)
        began = time.process_time()
        try:
            value, reason = evaluated(text, scopes[which], template=template)
            if reason is None and which == 0:
                json.dumps(value, allow_nan=False)
        except BaseException as error:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            print(
                f"{type(error).__name__}: {error}: expression {number}: {text!r}", file=sys.stderr
            )
            raise
        took = time.process_time() - began
        if took > longest:
            longest, slowest = took, text
        given["refused" if reason is not None else type(value).__name__] += 1
        if reason is not None and len(reasons) < 1_000_000:
            reasons.add(reason.split("'")[0])
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    assert Watched.asked <= ALLOWED, Watched.asked - ALLOWED
    print(
        json.dumps(
            {
                "expressions": count,
                "given": dict(given.most_common()),
                "kinds of refusals": len(reasons),
                "seconds": round(time.perf_counter() - started, 1),
                "longest, ms": round(longest * 1000, 1),
                "slowest": slowest[:80],
                "memory grew, MB": round((_peak() - before) / 1024, 1),
            },
            ensure_ascii=True,
        )
    )


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
