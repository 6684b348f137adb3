"""How long the command line takes, as ratios within this one run.

    python benchmarks/startup.py [ROUNDS]

Each command is a whole process, start to exit. The commands take turns, so that whatever else
the machine does falls on all of them alike; medians are compared. A first round is not counted.
Exits with 1 when a promise of the README is not kept.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent

IMPORTS = "from celery import Celery, chord; from celery.worker import WorkController"
COMMANDS: dict[str, list[str]] = {
    "celery --help": [f"{BIN}/celery", "--help"],
    "flowrunner --help": [f"{BIN}/flowrunner", "--help"],
    "flowrunner validate": [f"{BIN}/flowrunner", "validate", "workflows/powersum.yaml"],
    "importing Celery's app and worker": [sys.executable, "-c", IMPORTS],
    "flowrunner apply": [f"{BIN}/flowrunner", "apply", "workflows/powersum.yaml"],
}
#: Command, what it is compared with, and the most that it may take of that.
PROMISES = (
    ("flowrunner --help", "celery --help", 0.5),
    ("flowrunner validate", "celery --help", 0.5),
    ("flowrunner apply", "importing Celery's app and worker", 2.0),
)


def seconds(command: list[str]) -> float:
    """Return how long a command takes, in seconds."""
    # Installed modules have their bytecode, so those of a checkout may have it as well.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    started = perf_counter()
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return perf_counter() - started


def main() -> int:
    """Measure, print a table and the ratios, and tell whether every promise is kept."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number in range(rounds + 1):
        for name, command in COMMANDS.items():
            taken = seconds(command)
            if number:
                times[name].append(taken)
    medians = {name: median(taken) for name, taken in times.items()}
    print(f"{'whole process, median of ' + str(rounds):38}  seconds")
    for name, taken in medians.items():
        print(f"{name:38}  {taken:.3f}")
    print()
    kept = True
    for name, reference, most in PROMISES:
        ratio = medians[name] / medians[reference]
        kept &= ratio < most
        print(f"{name} takes {ratio:.2f} of {reference} (at most {most})")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
