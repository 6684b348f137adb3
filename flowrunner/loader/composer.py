"""YAML text to nodes, with the place of every node, in bounded time and memory.

PyYAML's events are composed here rather than by ``yaml.compose``: that one recurses, follows
aliases without a limit and keeps two objects for every position.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import yaml
from msgspec import Struct, field

from flowrunner.errors import Diagnostic, WorkflowError
from flowrunner.loader.scalars import ScalarError, resolve_plain
from flowrunner.node import Mapping, Node, Scalar, Sequence
from flowrunner.source import Location, Source

__all__ = ["MAXIMUM_DEPTH", "MAXIMUM_NODES", "compose", "garbage_collector_off"]

#: How deep values may nest. Deeper ones are a mistake or an attack, and Python recurses on them.
MAXIMUM_DEPTH: Final = 64
#: How many nodes a file may have.
MAXIMUM_NODES: Final = 1_000_000
#: How many nodes aliases may add to it: the "billion laughs" of ten lines are refused at once.
MAXIMUM_ALIASED_NODES: Final = 20_000

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def compose(source: Source, place: Location | None = None) -> tuple[Node | None, list[Diagnostic]]:
    """Return the one document of a text, or of a part of it, and what is wrong with it.

    The node is ``None`` when there is no document. Problems that leave the rest readable
    (duplicate keys, numbers that JSON does not have, …) are returned.
    Raises :class:`~flowrunner.errors.WorkflowError` when the text is not YAML or is too large.
    """
    offset = place.start if place else 0
    text = place.text if place else source.text
    if not text.isascii():
        _refuse_old_line_breaks(source, text, offset)
    composer = _Composer(source, offset)
    try:
        with garbage_collector_off():
            for event in yaml.parse(text, Loader=_LOADER):
                handle = composer.handlers.get(type(event))
                if handle is not None:
                    handle(event)
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        from flowrunner.loader.syntax import explain_syntax_error

        problem = explain_syntax_error(error, source, text, offset)
        raise WorkflowError([*composer.problems, problem]) from error
    return composer.document, composer.problems


def _refuse_old_line_breaks(source: Source, text: str, offset: int) -> None:
    """libyaml takes these for line breaks, as YAML 1.1 did, and so would change texts unseen."""
    for character, escape in (("\x85", "N"), ("\u2028", "L"), ("\u2029", "P")):
        found = text.find(character)
        if found >= 0:
            place = Location(source, found + offset, found + offset + 1)
            label = f"write \\{escape} inside double quotes, or a plain line break"
            message = f"the character U+{ord(character):04X} must be escaped"
            raise WorkflowError([Diagnostic(message, place, label)])


@contextmanager
def garbage_collector_off() -> Iterator[None]:
    """Switch it off: nodes hold no cycles, and it looks at all of them again and again.

    Large files took five times as long with it (measured).
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Anchor(Struct):
    node: Node
    size: int
    height: int


class _Frame(Struct):
    """A list or mapping whose end has not come yet; ``nodes_before`` is the count at its start."""

    is_mapping: bool
    start: int
    anchor: str | None
    nodes_before: int
    height: int = 1
    items: list[Node] = field(default_factory=list)
    entries: list[tuple[Scalar, Node]] = field(default_factory=list)
    key: Node | None = None
    seen: dict[str, Scalar] = field(default_factory=dict)


class _Composer:
    """Builds nodes from events with a stack of its own, so that depth is a number to look at."""

    def __init__(self, source: Source, offset: int) -> None:
        self.document: Node | None = None
        self.problems: list[Diagnostic] = []
        self._source = source
        self._offset = offset
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Anchor] = {}
        self._open_anchors: set[str] = set()
        self._nodes = 0
        self._aliased = 0
        self._documents = 0
        self._blanks_before = (0, 0)
        #: What takes an event, by its type; the others say nothing.
        self.handlers: Final[dict[type, Callable[[Any], None]]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.SequenceStartEvent: self._start,
            yaml.MappingStartEvent: self._start,
            yaml.SequenceEndEvent: self._end,
            yaml.MappingEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self._refuse(
                "the file has more than one document",
                self._location(event.start_mark.index, event.start_mark.index + 3),
                "put each workflow into a file of its own: '---' begins another document",
            )

    def _scalar(self, event: Any) -> None:
        start, end = event.start_mark.index + self._offset, event.end_mark.index + self._offset
        place = Location(self._source, start, end)
        if event.anchor is not None:
            anchor = len(event.anchor) + 1  # "&name", then blanks, and then the value itself
            place = place.part(len(place.text) - len(place.text[anchor:].lstrip()), len(place.text))
        value: str | int | float | bool | None = event.value
        if event.tag is not None:
            self._report_tag(event.tag, place)
        elif event.implicit[0]:
            try:
                value = resolve_plain(event.value)
            except ScalarError as error:
                self.problems.append(Diagnostic(error.message, place, error.cure))
                value = None
        node = Scalar(value, place)
        self._nodes += 1
        if self._nodes > MAXIMUM_NODES:
            self._count(0, place)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(node, 1, 0)
        self._add(node, 0)

    def _start(self, event: Any) -> None:
        start = event.start_mark.index
        place = self._location(start, start + 1)
        if len(self._frames) >= MAXIMUM_DEPTH:
            self._refuse(f"values are nested more than {MAXIMUM_DEPTH} levels deep", place)
        if event.tag is not None:
            self._report_tag(event.tag, place)
        self._count(1, place)
        if event.anchor is not None:
            self._open_anchors.add(event.anchor)
        is_mapping = type(event) is yaml.MappingStartEvent
        self._frames.append(_Frame(is_mapping, start, event.anchor, self._nodes - 1))

    def _end(self, event: Any) -> None:
        frame = self._frames.pop()
        end = event.end_mark.index
        place = self._trimmed(frame.start, end)
        node: Node = (
            Mapping(tuple(frame.entries), place)
            if frame.is_mapping
            else Sequence(tuple(frame.items), place)
        )
        if frame.anchor is not None:
            self._open_anchors.discard(frame.anchor)
            size = self._nodes - frame.nodes_before
            self._anchors[frame.anchor] = _Anchor(node, size, frame.height)
        if frame.seen.keys() == {"__type__", "__value__"}:
            label = "add a third key: Celery's JSON reserves these two"
            self._report("a mapping cannot consist of '__type__' and '__value__'", place, label)
        self._add(node, frame.height)

    def _trimmed(self, start: int, end: int) -> Location:
        """A block ends where the next token begins; the blanks before that are not its own."""
        first, last = start + self._offset, end + self._offset
        if last != self._blanks_before[0]:  # many blocks may end at one place
            text, trimmed = self._source.text, last
            while trimmed and text[trimmed - 1].isspace():
                trimmed -= 1
            self._blanks_before = (last, trimmed)
        return Location(self._source, first, max(first, self._blanks_before[1]))

    def _alias(self, event: Any) -> None:
        place = self._location(event.start_mark.index, event.end_mark.index)
        anchor = self._anchors.get(event.anchor)
        if event.anchor in self._open_anchors:
            self._refuse(f"the alias '*{event.anchor}' refers to a value that contains it", place)
        if anchor is None:
            known = ", ".join(f"&{name}" for name in sorted(self._anchors))
            self._refuse(
                f"unknown alias '*{event.anchor}'",
                place,
                f"define '&{event.anchor}' before it, or quote a string that begins with *",
                (f"known anchors: {known}",) if known else (),
            )
        self._aliased += anchor.size
        if self._aliased > MAXIMUM_ALIASED_NODES:
            self._refuse(
                "aliases make this file too large",
                place,
                f"use fewer: they expand to more than {MAXIMUM_ALIASED_NODES:,} values",
            )
        if len(self._frames) + anchor.height > MAXIMUM_DEPTH:
            self._refuse(f"values are nested more than {MAXIMUM_DEPTH} levels deep", place)
        self._count(anchor.size, place)
        self._add(anchor.node, anchor.height)

    def _add(self, node: Node, height: int) -> None:
        if not self._frames:
            self.document = node
            return
        frame = self._frames[-1]
        if height >= frame.height:
            frame.height = height + 1
        if not frame.is_mapping:
            frame.items.append(node)
        elif frame.key is None:
            frame.key = node
        else:
            key, frame.key = frame.key, None
            self._add_entry(frame, key, node)

    def _add_entry(self, frame: _Frame, key: Node, value: Node) -> None:
        if not isinstance(key, Scalar) or not isinstance(key.value, str):
            self._report_key(key)
            return
        if key.value == "<<":
            self._report(
                "merge keys ('<<') are not part of YAML 1.2",
                key.location,
                "write the keys out; an alias replaces a complete value: args: *numbers",
            )
            return
        first = frame.seen.get(key.value)
        if first is not None:
            self._report(
                f"duplicate key '{key.value}'",
                key.location,
                f"remove one: the first is in line {first.location.line}",
            )
            return
        frame.seen[key.value] = key
        frame.entries.append((key, value))

    def _report_key(self, key: Node) -> None:
        if not isinstance(key, Scalar):
            self._report(
                "a key must be a string", key.location, "quote it, or write the braces as a value"
            )
            return
        written = key.location.text
        if not written:
            self._report("a key is missing before the ':'", key.location)
            return
        self._report(
            f"a key must be a string, not {written}",
            key.location,
            f'quote it: "{written}"',
        )

    def _report_tag(self, tag: str, place: Location) -> None:
        short = tag.replace("tag:yaml.org,2002:", "!!")
        self._report(
            f"a workflow cannot use the tag '{short}'",
            place,
            "remove it; to make a number a string, quote it",
        )

    def _report(self, message: str, place: Location, label: str = "") -> None:
        self.problems.append(Diagnostic(message, place, label))

    def _count(self, nodes: int, place: Location) -> None:
        self._nodes += nodes
        if self._nodes > MAXIMUM_NODES:
            self._refuse(f"the file has more than {MAXIMUM_NODES:,} values", place)

    def _refuse(
        self, message: str, place: Location, label: str = "", notes: tuple[str, ...] = ()
    ) -> NoReturn:
        raise WorkflowError([*self.problems, Diagnostic(message, place, label, notes)])

    def _location(self, start: int, end: int) -> Location:
        return Location(self._source, start + self._offset, end + self._offset)
