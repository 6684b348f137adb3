"""Try faults again and again, and print what became of the runs.

python -m tests.chaos [--trials N] [--jobs N] [PART OF A FAULT'S NAME…]
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.chaos.faults import FAULTS, trial
from tests.chaos.table import table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("faults", nargs="*")
    given = parser.parse_args()
    names = [name for name in FAULTS if not given.faults or any(f in name for f in given.faults)]
    endings: dict[str, Counter[str]] = {name: Counter() for name in names}

    def once(name: str) -> None:
        with TemporaryDirectory() as folder:
            ending, said = trial(name, Path(folder))
        endings[name][ending] += 1
        if ending != "ended right":
            sys.stderr.write(f"{name}: {ending}\n{said}\n")

    with ThreadPoolExecutor(given.jobs) as pool:
        list(pool.map(once, [name for name in names for _ in range(given.trials)]))
    print(table(endings))
    return int(any(count["wrong"] + count["hung"] for count in endings.values()))


sys.exit(main())
