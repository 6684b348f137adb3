"""The command line in a project of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.forking import run_command, run_command_text

ROOT = Path(__file__).parent.parent.parent

PLUGIN = '''
import sys
from flowrunner import hookimpl

def power(value: float, expo: float = 2) -> float:
    """Return value raised to expo."""
    return value**expo

def amass(values):
    return sum(values)

def crash(value=None):
    print("about to crash")
    raise ValueError(f"no invoice for {value}")

def leave(value=None):
    sys.exit(3)

def odd(value=None):
    return {1, 2}

def text(value=None):
    return "größer\\x1b[31m"

@hookimpl
def flowrunner_register_tasks(registry):
    for task in (power, amass, crash, leave, odd, text):
        registry.add(task)
'''


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Folder:
    """A folder with a plugin, and what commands do there."""

    path: Path

    def write(self, name: str, text: str) -> str:
        """Write a file and return its name."""
        (self.path / name).write_text(text, encoding="utf-8")
        return name

    def environment(self, **changes: str) -> dict[str, str]:
        """Return an environment without any of flowrunner's settings but these.

        Runs are recorded where those of the whole suite are.
        """
        names = ("PATH", "HOME", "FLOWRUNNER_RUNS")
        kept = {name: value for name, value in os.environ.items() if name in names}
        return {**kept, "LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8", **changes}

    def run(
        self, *arguments: str, stdin: str = "", fresh: bool = False, **environment: str
    ) -> Ended:
        """Run ``flowrunner`` with these arguments: in a fork, or with ``fresh`` in a new process.

        A new process alone shows what a command imports.
        """
        env = self.environment(**environment)
        if not fresh:
            ended = run_command_text(*arguments, cwd=self.path, env=env, stdin=stdin)
            return Ended(ended.returncode, ended.stdout, ended.stderr)
        ended = subprocess.run(
            [sys.executable, "-m", "flowrunner", *arguments],
            cwd=self.path,
            env=env,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def run_bytes(self, *arguments: str) -> bytes:
        """Run ``flowrunner`` and return what it writes to stdout, byte by byte."""
        return run_command(*arguments, cwd=self.path, env=self.environment()).stdout
