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

from tests.chaos.faults import FAULTS
from tests.chaos.table import table
from tests.chaos.trial import attempt


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--trials", type=int, default=20, help="of each fault; 20 unless said")
    parser.add_argument("--jobs", type=int, default=2, help="side by side; 2 unless said")
    parser.add_argument("faults", nargs="*", help="parts of the names of faults; all unless said")
    given = parser.parse_args()
    names = [name for name in FAULTS if not given.faults or any(f in name for f in given.faults)]
    if not names:
        parser.error(f"no such fault; there are: {', '.join(FAULTS)}")
    endings: dict[str, Counter[str]] = {name: Counter() for name in names}

    def once(name: str) -> None:
        with TemporaryDirectory(prefix="chaos-") as folder:
            trial = attempt(name, Path(folder))
        endings[name][trial.ending] += 1
        said = "" if trial.ending == "ended right" else f"\n{trial.said}"
        sys.stderr.write(f"{name}: {trial.ending} after {trial.seconds:.0f} s{said}\n")

    with ThreadPoolExecutor(given.jobs) as pool:
        try:
            list(pool.map(once, names * given.trials))
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
    print("\n".join(table(endings)))
    return int(any(count["wrong"] + count["hung"] for count in endings.values()))


if __name__ == "__main__":
    sys.exit(main())
