"""Which process drives a run, told so that another one can find out whether it is still there."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, TypeAlias

__all__ = ["Fate", "Process", "birth_of", "this_process"]

#: ``rebooted``: its machine has started again since, if no other one has the same name and id.
Fate: TypeAlias = Literal["runs", "gone", "rebooted", "unknown"]

#: The number of Linux's first namespace of processes (``PROC_PID_INIT_INO``): no container's.
_FIRST_NAMESPACE: Final = 0xEFFFFFFC


@dataclass(frozen=True)
class Process:
    """A process of a machine.

    ``birth`` is when it began, as the machine counts: numbers of processes come again. ``boot`` and
    ``namespace`` say where its number means something, and are empty where the system has no
    ``/proc``. ``machine`` is the machine's id, which outlives a boot.
    """

    host: str
    number: int
    birth: str
    boot: str = ""
    namespace: int = 0
    machine: str = ""

    @property
    def is_this_one(self) -> bool:
        """Whether it is the process that asks."""
        return self == this_process()

    def fate(self) -> Fate:
        """Tell whether the process still runs; ``unknown`` in another host or container."""
        here = this_process()
        if (self.boot, self.namespace) == (here.boot, here.namespace):
            if not self.boot and self.host != here.host:
                return "unknown"
            return "runs" if birth_of(self.number) == self.birth else "gone"
        is_same_machine = (self.machine, self.host) == (here.machine, here.host)
        in_no_container = self.namespace == here.namespace == _FIRST_NAMESPACE
        if self.machine and is_same_machine and in_no_container:
            return "rebooted"
        return "unknown"


def this_process() -> Process:
    """Return the process that asks."""
    return _process(os.getpid())


@cache
def _process(number: int) -> Process:
    boot = _read("/proc/sys/kernel/random/boot_id")
    try:
        namespace = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        boot, namespace = "", 0
    birth = birth_of(number) or ""
    return Process(socket.gethostname(), number, birth, boot, namespace, _read("/etc/machine-id"))


def _read(name: str) -> str:
    try:
        return Path(name).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def birth_of(number: int) -> str | None:
    """Return when a process began, ``None`` for one that is not there; "" where none can tell."""
    try:
        stat = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
    except OSError:
        return None
    else:
        fields = stat.rpartition(")")[2].split()  # a command may have spaces and brackets
        return None if fields[0] in "ZX" else fields[19]
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return ""
