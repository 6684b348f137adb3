"""Runs the command line on files, each in a forked process with 500 MB and 5 s.

``python -m tests.fuzz.server`` reads requests from stdin, JSON objects by lines, and answers each
with a line. It has imported everything once, so that a run takes milliseconds.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

#: Bytes of address space, as ``ulimit -v 500000`` says it, and seconds of a process's own time: of
#: a file that is not trusted, and of one whose tasks are loaded.
MEMORY: Final = 500_000 * 1024
SECONDS: Final = 5
SECONDS_WITH_TASKS: Final = 20
#: Seconds of waiting: a busy machine is no fault.
PATIENCE: Final = 120
#: How much of the output is looked at.
MOST_OUTPUT: Final = 200_000

_WARM: Final = """\
inputs: {a: {type: array, items: {enum: [x]}, default: [x]}, b: {pattern: "^a", default: a}}
chain:
  - {task: nobody, args: ["${len(inputs.a)}"], when: "len(inputs.b) > 0"}
  - {each: [1], do: nobody, tolerate: 1}
on_error: {use: ./nothing.yaml}
"""


def run(arguments: list[str]) -> int:
    """Run the command line in this process, and return its exit code."""
    from flowrunner.__main__ import run as run_command

    sys.argv = ["flowrunner", *arguments]
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    try:
        return run_command()
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 1


def limited(arguments: list[str], output: int) -> int:
    """Run the command line within the limits; what it prints goes to a file."""
    os.dup2(output, 1)
    os.dup2(output, 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    used = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
    seconds = SECONDS if "--no-plugins" in arguments else SECONDS_WITH_TASKS
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, used + seconds + 1))
    code = run(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def forked(arguments: list[str]) -> dict[str, Any]:
    """Return how a run of the command line has ended."""
    output = os.memfd_create("output")
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        code = 70
        try:
            code = limited(arguments, output)
        finally:
            with contextlib.suppress(BaseException):
                sys.stdout.flush()
            os._exit(code)
    ended = _waited(child)
    with os.fdopen(output, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        text = file.read(MOST_OUTPUT).decode(errors="replace")
    status, usage = ended
    return {
        "code": os.waitstatus_to_exitcode(status),
        "seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "waited": round(time.perf_counter() - started, 3),
        "memory": usage.ru_maxrss,
        "size": size,
        "output": text,
    }


def _waited(child: int) -> tuple[int, Any]:
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(PATIENCE)
    try:
        _, status, usage = os.wait4(child, 0)
    finally:
        signal.alarm(0)
    return status, usage


def main() -> None:
    """Answer requests until stdin ends."""
    Path("warm.yaml").write_text(_WARM, encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    for command in (["validate"], ["graph"], ["apply", "--dry-run", "--output", "json"]):
        run([*command, "--no-plugins", "warm.yaml"])
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        answers.write(json.dumps(forked(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
