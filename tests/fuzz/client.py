"""A process that runs the command line on files: see :mod:`tests.fuzz.server`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final

__all__ = ["Client", "Figures"]

_ROOT: Final = Path(__file__).parent.parent.parent
#: What none of the outputs may hold.
_WRONG: Final = ("Traceback (most recent", "BUG", "MemoryError", "RecursionError")


@dataclass
class Figures:
    """What the runs came to."""

    codes: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0
    slowest: str = ""
    memory: int = 0
    output: int = 0
    used_up: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, answer: dict[str, Any], name: str) -> str | None:
        """Count a run, and return what was wrong with it."""
        self.codes[answer["code"]] += 1
        if answer["seconds"] > self.seconds:
            self.seconds, self.slowest = answer["seconds"], name
        self.memory = max(self.memory, answer["memory"])
        self.output = max(self.output, answer["size"])
        self.used_up += "takes too much work to check" in answer["output"]
        fault = _fault(answer)
        if fault is not None:
            self.wrong.append(f"{name}: {fault}")
        return fault


def _fault(answer: dict[str, Any]) -> str | None:
    if answer["code"] not in (0, 2):
        return f"exit code {answer['code']} after {answer['seconds']} s: {answer['output'][-300:]}"
    return next((f"{word} is printed" for word in _WRONG if word in answer["output"]), None)


class Client:
    """Runs the command line on texts, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.server"],
            cwd=folder,
            env={"PYTHONPATH": str(_ROOT), "PATH": "", "HOME": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, text: bytes, command: list[str]) -> dict[str, Any]:
        """Return how the command has ended for a file of this text."""
        (self._folder / "file.yaml").write_bytes(text)
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([*command, "file.yaml"]) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        assert line, "the server has ended"
        found: dict[str, Any] = json.loads(line)
        return found

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=150)
