"""The process: ``flowrunner``, or ``python -m flowrunner``."""

from __future__ import annotations

import gc
import os
import sys
from typing import TextIO

__all__ = ["run"]


def run() -> int:
    """Run the command line with this process's arguments and return the exit code.

    Starting makes many objects and no garbage, so the collector is off until tasks run; and it
    need not look at them all once more at the exit, which took a tenth of a short command.
    """
    gc.disable()
    try:
        _open_what_is_closed()
        _keep_stdout_for_output()
        from flowrunner.cli.main import main

        status = main()
    except KeyboardInterrupt:  # before or after what main() looks after
        status = 130
    gc.freeze()
    return status


def _open_what_is_closed() -> None:
    """Give a stream that the caller has closed (``>&-``) something to write to."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # The lowest free descriptor is the one that was closed.
            opened = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(opened, "r+" if not descriptor else "w"))  # noqa: PTH123, SIM115


def _keep_stdout_for_output() -> None:
    """Let only flowrunner's own output reach stdout.

    What plugins, tasks and the programs that they start write to descriptor 1 goes to stderr.
    """
    ours: TextIO = sys.stdout
    if ours.fileno() != 1:
        return
    kept = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = open(kept, "w", encoding=ours.encoding, errors="backslashreplace")  # noqa: PTH123, SIM115


if __name__ == "__main__":
    sys.exit(run())
