"""Which process runs a task, told so that another one can find out whether it is still there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from itertools import count
from uuid import uuid4

from flowrunner.process import birth_of, this_process

__all__ = ["Holder", "Incarnation", "current_incarnation", "is_dead", "main_holder", "new_holder"]

_executions = count(1)


@dataclass(frozen=True)
class Incarnation:
    """One life of a worker: the process that starts its pool, and what is forked from it."""

    token: str
    main_process: int


@dataclass(frozen=True)
class Holder:
    """One execution of a task: in which life of which worker, on which machine, in which process.

    ``birth`` is when the process began, as the machine counts: numbers of processes come again.
    """

    incarnation: str
    place: str
    process: int
    birth: str
    execution: int

    def __str__(self) -> str:
        return f"{self.incarnation}:{self.place}:{self.process}:{self.birth}:{self.execution}"

    @classmethod
    def read(cls, text: str) -> Holder:
        """Return the holder that was written as a text."""
        incarnation, place, process, birth, execution = text.split(":")
        return cls(incarnation, place, int(process), birth, int(execution))


@cache
def current_incarnation() -> Incarnation:
    """Return the life of the worker that this process is, or that it was forked from."""
    return Incarnation(uuid4().hex[:12], os.getpid())


def new_holder() -> Holder:
    """Return an execution in this process that is like no other."""
    process = os.getpid()
    life = current_incarnation().token
    return Holder(life, _place(), process, _birth_here(process), next(_executions))


@cache
def main_holder() -> Holder:
    """Return the main process of this worker's life as a holder."""
    life = current_incarnation()
    return Holder(life.token, _place(), life.main_process, birth_of(life.main_process) or "", 0)


def is_dead(holder: Holder) -> bool:
    """Tell whether the process of an execution is known to have gone.

    Of one on another machine, or in another container, nothing is known.
    """
    if holder.place != _place():
        return False
    here, life = os.getpid(), current_incarnation()
    if holder.incarnation == life.token and holder.process == here:
        # A process of a pool runs one task at a time. Threads run any number.
        return here != life.main_process
    if holder.process in (here, life.main_process) and holder.incarnation != life.token:
        return True  # a worker that has started again in the same process
    return birth_of(holder.process) != holder.birth


@cache
def _place() -> str:
    """Return a name of this machine since it was booted, and of this container in it."""
    here = this_process()
    if not here.boot:
        return here.host.replace(":", "-")
    return f"{here.boot.replace('-', '')}.{here.namespace}"


@cache
def _birth_here(process: int) -> str:
    return birth_of(process) or ""
