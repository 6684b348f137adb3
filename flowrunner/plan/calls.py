"""The calls of a plan's tree: single ones, and those of a fan-out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar

from flowrunner.plan.policy import Retry
from flowrunner.source import Location

__all__ = ["Call", "CallKind", "Repeat", "copied"]

CallKind: TypeAlias = Literal["task", "map", "starmap", "builtin", "continuation"]

_Node = TypeVar("_Node")


def copied(node: _Node, fields: Mapping[str, Any]) -> _Node:
    """Return a node with other fields; ``dataclasses.replace()`` takes twice as long."""
    kind: Any = type(node)
    values = [fields[n] if n in fields else getattr(node, n) for n in kind.__slots__]
    copy: _Node = kind(*values)
    return copy


@dataclass(frozen=True, slots=True)
class Call:
    """One message: a call of ``task``.

    ``path`` names the call within its plan and is unique there. The previous result comes
    before ``args`` unless the call is ``immutable``. For the kinds ``map`` and ``starmap``
    ``args`` are the items. ``builtin`` calls are Celery's own ``celery.accumulate``, added by
    the normal form. A ``continuation`` passes on what it is given and publishes what comes
    after it. ``index`` is the member's number in a fan-out. An ``open`` call has something
    :class:`~flowrunner.plan.Deferred` in its arguments or options. ``tries`` is the number of
    executions that failed before this one.
    """

    inner: ClassVar[tuple[str, ...]] = ()
    deferrable: ClassVar[tuple[str, ...]] = ("args", "kwargs", "options")

    path: str
    task: str
    location: Location = field(compare=False, repr=False)
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    immutable: bool = False
    kind: CallKind = "task"
    index: int | None = None
    id: str | None = None
    retry: Retry | None = None
    open: bool = False
    tries: int = 0

    def children(self) -> tuple[Call, ...]:
        """Return nothing: a call contains no nodes."""
        return ()

    def replaced(self, children: Iterable[Any] = (), **fields: Any) -> Call:
        """Return the call with other fields."""
        return copied(self, fields) if fields else self

    def as_member(self, path: str) -> Call:
        """Return the same call at another path."""
        return self._copy(path, self.args, self.immutable)

    def given(self, value: Any) -> Call:
        """Return the same call with a value before its arguments, whatever comes before it."""
        return self._copy(self.path, (value, *self.args), True)

    def _copy(self, path: str, args: tuple[Any, ...], immutable: bool) -> Call:
        # Spelt out: dataclasses.replace() took half of the time of a wide fan-out.
        return Call(
            path,
            self.task,
            self.location,
            args,
            self.kwargs,
            self.options,
            immutable,
            self.kind,
            self.index,
            self.id,
            self.retry,
            self.open,
            self.tries,
        )

    @property
    def is_written(self) -> bool:
        """Whether the workflow's author wrote it; the planner adds others."""
        return self.kind not in ("builtin", "continuation")


@dataclass(frozen=True, slots=True)
class Repeat:
    """Calls of one fan-out (``NAME xN``), members of the group that contains it.

    ``call`` is their template: a member has its number where the template's path has ``*``.
    ``varying`` holds the fields in which members differ (``args``, ``kwargs``, ``options``,
    ``retry``), each with one value for each member. If ``numbered`` is true, the only argument of
    a member is its number. ``index`` names the loop variable.
    """

    inner: ClassVar[tuple[str, ...]] = ("call",)
    deferrable: ClassVar[tuple[str, ...]] = ()

    path: str
    call: Call
    count: int
    index: str
    location: Location = field(compare=False, repr=False)
    varying: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    numbered: bool = False

    def children(self) -> tuple[Call, ...]:
        """Return the template."""
        return (self.call,)

    def replaced(self, children: Iterable[Any], **fields: Any) -> Repeat:
        """Return the fan-out with another template, and with other fields."""
        (call,) = children
        if call is self.call and not fields:
            return self
        return copied(self, {"call": call, **fields})

    def calls(self) -> Iterator[Call]:
        """Yield the members, each made when it is asked for."""
        call, numbers = self.call, range(self.count)
        args = zip(numbers) if self.numbered else self.values("args")
        others = map(self.values, ("kwargs", "options", "retry"))
        prefix = f"{self.path}["
        for number, own_args, kwargs, options, retry in zip(numbers, args, *others, strict=False):
            yield Call(
                f"{prefix}{number}]",
                call.task,
                call.location,
                own_args,
                kwargs,
                options,
                call.immutable,
                call.kind,
                number,
                call.id,
                retry,
                call.open,
            )

    def values(self, name: str) -> Iterator[Any]:
        """Yield each member's value of a field: one of those that may vary."""
        own = self.varying.get(name)
        return repeat(getattr(self.call, name), self.count) if own is None else iter(own)

    def ends(self) -> tuple[Call, ...]:
        """Return the first member and the last one, if there are any."""
        if self.count < 2:
            return tuple(self.calls())
        last = self.count - 1
        own = {name: values[last] for name, values in self.varying.items()}
        if self.numbered:
            own["args"] = (last,)
        return next(self.calls()), replace(
            self.call, path=f"{self.path}[{last}]", index=last, **own
        )
