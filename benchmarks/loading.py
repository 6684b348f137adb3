"""How long the schema check of a large file takes, as a ratio to PyYAML's ``yaml.compose``.

    python -m benchmarks.loading [ROUNDS]

Each file has 10,000 calls. A new process composes the text with the C loader and checks it once,
with empty caches and the garbage collector off; CPU time is compared. Prints the medians and exits
with 1 if a ratio exceeds its promise.
"""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable
from statistics import median
from time import process_time

import yaml

from flowrunner.loader.composer import compose
from flowrunner.loader.schema_check import check_document
from flowrunner.node import Mapping
from flowrunner.source import Source

CALLS = 10_000
KEYS = (
    *("args: [1]", "kwargs: {a: 1}", "id: n%s", "when: prev > 1", "queue: slow", "priority: 3"),
    *("countdown: 5", "retry: 3", "immutable: true"),
)


def _in_shape(number: int) -> str:
    """Return one of 500 different steps: those of the keys that the number's bits name."""
    bits = number % 500 + 1
    keys = [key.replace("%s", str(number)) for bit, key in enumerate(KEYS) if bits >> bit & 1]
    return f"{{task: power, {', '.join(keys)}}}"


#: The steps of a file, by the number of the call, and the most that its check may take.
FILES: dict[str, tuple[Callable[[int], str], float]] = {
    "50 tasks, by name": (lambda number: f"power_{number % 50}", 0.25),
    "50 tasks, {task, args}": (lambda number: f"{{task: power_{number % 50}, args: [1]}}", 0.7),
    "10,000 names": (lambda number: f"power_{number}", 1.5),
    "10,000 names and ids": (lambda number: f"{{task: power_{number}, id: n{number}}}", 1.5),
    "500 shapes": (_in_shape, 2.5),
}


def measured(step: Callable[[int], str]) -> float:
    """Return the ratio for one file, in this process."""
    text = "group:\n" + "".join(f"- {step(number)}\n" for number in range(CALLS))
    source = Source("large.yaml", text)
    check_document(compose(Source("small.yaml", "group: []"))[0])  # type: ignore[arg-type]
    gc.disable()
    started = process_time()
    yaml.compose(text, Loader=yaml.CSafeLoader)
    composed = process_time() - started
    root, _ = compose(source)
    assert isinstance(root, Mapping)
    started = process_time()
    problems, _ = check_document(root)
    assert not problems
    return (process_time() - started) / composed


def main() -> int:
    """Measure, print the ratios, and tell whether every promise is kept."""
    if sys.argv[1:] and sys.argv[1] in FILES:
        print(measured(FILES[sys.argv[1]][0]))
        return 0
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    ratios: dict[str, list[float]] = {name: [] for name in FILES}
    for _ in range(rounds):
        for name, found in ratios.items():
            command = [sys.executable, "-m", "benchmarks.loading", name]
            found.append(float(subprocess.check_output(command)))
    kept = True
    for name, found in ratios.items():
        most = FILES[name][1]
        kept &= median(found) <= most
        print(f"{name:24} {median(found):.2f} of yaml.compose (at most {most})")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
