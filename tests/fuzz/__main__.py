"""``python -m tests.fuzz [FILES [SEED]]``: hostile files, and the figures as JSON.

What was wrong is kept in the folder that is printed. With ``SEED`` other files are drawn.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.fuzz.client import Client, Figures
from tests.fuzz.files import COMMANDS, PLUGINS, drawn

#: Each of so many files is also given to another command.
_OTHERS_EVERY: Final = 10
#: How often the figures are told while they grow.
_TOLD_EVERY: Final = 100


def fuzz(count: int, seed: int, folder: Path) -> Figures:
    """Check so many files; those that something is wrong with stay in the folder."""
    figures = Figures()
    with Client(folder) as client:

        def check(number: int, text: bytes) -> None:
            if number % _TOLD_EVERY == 0:
                print(number, json.dumps(vars(figures)), file=sys.stderr, flush=True)
            commands = [["validate"]]
            if number % _OTHERS_EVERY == 0:
                commands.append(COMMANDS[number // _OTHERS_EVERY % len(COMMANDS)])
            name = f"{number:05}.yaml"
            plugins = PLUGINS[number % len(PLUGINS)]
            for command in ([*each, *plugins] for each in commands):
                if figures.add(client.run(text, command), f"{name} {' '.join(command)}"):
                    (folder / name).write_bytes(text)
                    print(figures.wrong[-1][:300], file=sys.stderr, flush=True)

        drawn(count, seed, check)
    return figures


def main() -> None:
    """Fuzz as the command line says."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    folder = Path(tempfile.mkdtemp(prefix="flowrunner-fuzz-"))
    figures = fuzz(count, seed, folder)
    print(json.dumps({"files": count, "folder": str(folder), **vars(figures)}, indent=2))
    sys.exit(bool(figures.wrong))


if __name__ == "__main__":
    main()
