"""How long ``flowrunner apply`` takes for chords of different widths, whole processes.

    python benchmarks/fanout.py [ROUNDS]

Each row is the median of a few runs on the embedded engine, and its ratio to the first row of
the same run: what a fan-out costs above starting at all.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

HERE = Path(__file__).parent

#: What is run: the chord's width, and how long each of its calls waits in seconds.
ROWS = ((1, 0.0), (10, 0.0), (100, 0.0), (1_000, 0.0), (10_000, 0.0), (10, 1.0))


def seconds(width: int, wait: float) -> float:
    """Return how long one run takes, in seconds."""
    command = [
        *(sys.executable, "-m", "flowrunner", "apply", "fanout.yaml", "--plugin", "waiting.py"),
        *("-i", f"width={width}", "-i", f"seconds={wait}"),
    ]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    started = perf_counter()
    ended = subprocess.run(
        command, cwd=HERE, env=environment, check=True, capture_output=True, text=True
    )
    taken = perf_counter() - started
    if ended.stdout != f"{width}\n":
        raise SystemExit(f"a chord of {width} gave {ended.stdout!r}")
    return taken


def main() -> None:
    """Measure and print a table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    seconds(1, 0.0)
    times = {row: median(seconds(*row) for _ in range(rounds)) for row in ROWS}
    print(f"{'chord of':>10}  {'each waits':>10}  {'seconds':>8}  {'ratio':>6}")
    for (width, wait), taken in times.items():
        print(f"{width:>10,}  {wait:>8.0f} s  {taken:>8.2f}  {taken / times[ROWS[0]]:>6.1f}")


if __name__ == "__main__":
    main()
