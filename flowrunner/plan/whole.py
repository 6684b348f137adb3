"""A whole plan: its main part, its handlers, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flowrunner.model import HandlerName
from flowrunner.plan.nodes import Call, Node
from flowrunner.plan.properties import is_static
from flowrunner.plan.sequence import Sequence, calls_of
from flowrunner.plan.tree import calls_in
from flowrunner.source import Source

__all__ = ["Cost", "Handler", "Plan"]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run puts on a broker when nothing is retried: messages and bytes.

    As a Redis broker receives them, without what the tasks return. ``largest`` is the size of
    the largest message.
    """

    messages: int
    bytes: int
    largest: int


@dataclass(frozen=True, slots=True)
class Handler:
    """A step of the document that runs once after its main part, given how that has ended.

    Its costs are those without what it is given.
    """

    name: HandlerName
    root: Node
    sequence: Sequence
    cost: Cost
    one_canvas: Cost

    @property
    def task_count(self) -> int:
        """The number of calls that the workflow's author wrote."""
        return sum(call.is_written for call in self.calls())

    @property
    def continuations(self) -> int:
        """How many continuations it has."""
        return sum(call.kind == "continuation" for call in calls_of(self.sequence))

    def calls(self) -> Iterator[Call]:
        """Yield every call of its normal form, or of its tree where run time unfolds that."""
        return calls_of(self.sequence) if is_static(self.root) else calls_in(self.root)


@dataclass(frozen=True)
class Plan:
    """A workflow that is ready to run.

    ``root`` and ``sequence`` are its main part; ``handlers`` follow in the order in which they
    run. ``cost`` is what the main part puts on the broker, ``one_canvas`` what it would without
    continuations. ``inputs`` are the values that it was planned with; ``timeout`` is in seconds.
    ``part`` names the handler that was made a plan of its own. ``used`` are the files that it uses
    and ``env`` the names of the environment's variables.
    """

    name: str
    source: Source
    root: Node
    sequence: Sequence
    cost: Cost
    one_canvas: Cost
    description: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    timeout: float | None = None
    handlers: tuple[Handler, ...] = ()
    part: HandlerName | None = None
    used: tuple[Source, ...] = ()
    env: tuple[str, ...] = ()

    def calls(self) -> Iterator[Call]:
        """Yield every call of the main part's normal form, in the order of the file.

        Of a plan that unfolds, these are the calls of its tree: run time makes any number of those
        of a fan-out, and may leave out those of a branch.
        """
        return calls_in(self.root) if self.unfolds else calls_of(self.sequence)

    def every_call(self) -> Iterator[Call]:
        """Yield every call of the main part and of the handlers."""
        yield from self.calls()
        for handler in self.handlers:
            yield from handler.calls()

    @cached_property
    def unfolds(self) -> bool:
        """Whether its main part is no canvas of its own but is unfolded while it runs."""
        return not is_static(self.root)

    @property
    def task_count(self) -> int:
        """The number of the main part's calls that the workflow's author wrote."""
        return sum(call.is_written for call in self.calls())

    @property
    def continuations(self) -> int:
        """How many continuations it has; without any, plain Celery workers run it."""
        return sum(call.kind == "continuation" for call in self.calls())
