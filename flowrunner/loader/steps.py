"""Nodes to the steps of a workflow."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Final

from flowrunner import model
from flowrunner.errors import Diagnostic
from flowrunner.loader.call_text import parse_call
from flowrunner.loader.foreign_words import NEEDS_ELSEWHERE
from flowrunner.loader.language import OPTIONS, RESERVED_NAMES, STEP_KEYS
from flowrunner.node import Mapping, Node, Scalar, Sequence
from flowrunner.source import Location

__all__ = ["StepBuilder", "call_keys"]


class StepBuilder:
    """Builds steps, and :class:`~flowrunner.model.Broken` ones where the schema found problems.

    ``tainted`` holds the ids of the nodes that lead to a problem; ``problems`` collects what
    the schema cannot see.
    """

    def __init__(self, tainted: Collection[int]) -> None:
        self.problems: list[Diagnostic] = []
        self._tainted = tainted
        self._builders: Final[dict[str, Callable[[Mapping, Node], model.Step]]] = {
            "task": self._task_call,
            "chain": self._chain,
            "group": lambda mapping, value: self._group(value, self._parallel(mapping)),
            "chord": self._chord,
            "map": lambda _, value: self._item_calls(value, "map"),
            "starmap": lambda _, value: self._item_calls(value, "starmap"),
            "chunks": self._chunks,
            "each": self._each,
            "switch": self._switch,
            "use": self._use,
            "graph": self._graph,
        }

    def build(self, node: Node, *, is_document: bool = False) -> model.Step:
        """Return the step that a node stands for.

        ``on_error`` of the whole document is not its step's.
        """
        if isinstance(node, Mapping):
            found = [(key, node.get(key)) for key in STEP_KEYS if key in node]
            if len(found) == 1:  # of two, nobody knows which is meant
                ((key, value),) = found
                assert value is not None, "BUG: a key without a value"  # noqa: S101
                step = self._builders[key](node, value)
                return self._with_common_keys(step, node, is_document=is_document)
        elif isinstance(node, Scalar) and isinstance(node.value, str):
            return self._call(node, node.value)
        return model.Broken(node.location)

    def _with_common_keys(
        self, step: model.Step, mapping: Mapping, *, is_document: bool
    ) -> model.Step:
        called = step
        handler, condition = mapping.get("on_error"), mapping.get("when")
        if handler is not None and not is_document:
            place = _key_place(mapping, "on_error")
            step = model.Rescue(step, self.build(handler), place)
        if isinstance(condition, Scalar) and id(condition) not in self._tainted:
            place = _key_place(mapping, "when")
            branch = model.Branch(condition, step)
            step = model.Switch((branch,), None, place, written="when")
        identifier = self._id(mapping)
        if isinstance(called, (model.ItemCalls, model.Chunks)) and called.id is not None:
            if identifier is not None:
                line = identifier.location.line
                cure = f"remove one: the first is '{identifier.value}' in line {line}"
                self._report("this step has two ids", called.id, cure)
            identifier = identifier or called.id
        return step if identifier is None else model.Named(identifier, step)

    def _call(self, node: Scalar, text: str) -> model.Step:
        call = parse_call(text)
        if call is None:
            return model.Broken(node.location)
        quoted = node.location.text[:1] in ('"', "'")
        name = node.location.part(int(quoted), len(call.name))
        if call.count is None:
            return model.TaskCall(call.name, name)
        count = node.location.part(int(quoted) + call.count_offset, len(str(call.count)))
        return model.TaskCall(call.name, name, times=Scalar(call.count, count))

    def _task_call(self, mapping: Mapping, value: Node) -> model.Step:
        name = value.value if isinstance(value, Scalar) else None
        if not isinstance(name, str) or id(mapping) in self._tainted:
            called = name if isinstance(name, str) and id(value) not in self._tainted else None
            return model.Broken(value.location, called)
        times, index = mapping.get("times"), mapping.get("as")
        parallel = self._parallel(mapping)
        if times is None and parallel != model.Parallel():
            key = "max_parallel" if parallel.max_parallel is not None else "tolerate"
            self._report(
                f"'{key}' needs parallel members, and this is one call",
                mapping.key(key),
                "add 'times', or write it beside the group of the call",
            )
            parallel = model.Parallel()
        if index is not None and times is None:
            self._report(
                "'as' needs 'times', whose index it names",
                mapping.key("as"),
                "add 'times', or remove 'as'",
            )
        return model.TaskCall(
            name,
            value.location,
            call_keys(mapping),
            times=times if isinstance(times, Scalar) else None,
            index=self._variable(index, "the index") or "i",
            id=_scalar(mapping, "id"),
            parallel=parallel,
        )

    def _variable(self, node: Node | None, what: str) -> str | None:
        if not isinstance(node, Scalar) or node.value is None or id(node) in self._tainted:
            return None
        name = str(node.value)
        if name in RESERVED_NAMES:
            self._report(
                f"{what} cannot be called '{name}'",
                node,
                "choose another name: expressions reserve it",
            )
            return None
        return name

    def _id(self, mapping: Mapping) -> Scalar | None:
        node = mapping.get("id")
        name = None if id(node) in self._tainted else self._variable(node, "a step")
        return node if isinstance(node, Scalar) and name is not None else None

    def _report(self, message: str, node: Node | None, label: str = "") -> None:
        self.problems.append(Diagnostic(message, node.location if node else None, label))

    def _chain(self, mapping: Mapping, value: Node) -> model.Step:
        if not isinstance(value, Sequence):
            return model.Broken(value.location)
        place = _key_place(mapping, "chain")
        return model.Chain(tuple(self.build(item) for item in value.items), place)

    def _group(self, value: Node, parallel: model.Parallel) -> model.Group:
        if isinstance(value, Sequence):
            members = tuple(self._member(item) for item in value.items)
            return model.Group(members, value.location, parallel=parallel)
        only = self._member(value)
        return model.Group((only,), value.location, listed=False, parallel=parallel)

    def _member(self, node: Node) -> model.Step:
        if isinstance(node, Mapping) and ("times" in node or "chunks" in node):
            for key in ("max_parallel", "tolerate"):
                if key in node:
                    self._report(
                        f"'{key}' belongs to the group of these calls",
                        node.key(key),
                        "write it beside 'group' or 'chord', or make this step its own 'group'",
                    )
        return self.build(node)

    def _parallel(self, mapping: Mapping) -> model.Parallel:
        found = (_scalar(mapping, key) for key in ("max_parallel", "tolerate"))
        right = (None if id(node) in self._tainted else node for node in found)
        return model.Parallel(*right)

    def _chord(self, mapping: Mapping, value: Node) -> model.Step:
        if not isinstance(value, Mapping):
            return model.Broken(value.location)
        place = _key_place(mapping, "chord")
        header, body, parallel = value.get("header"), value.get("body"), self._parallel(mapping)
        return model.Chord(
            model.Group((), place) if header is None else self._group(header, parallel),
            model.Broken(place) if body is None else self.build(body),
            place,
        )

    def _item_calls(self, value: Node, kind: str) -> model.Step:
        called = self._called(value)
        if isinstance(called, model.Broken):
            return called
        task, over, mapping = called
        return model.ItemCalls(
            kind,
            str(task.value),
            over,
            task.location,
            _options(mapping),
            id=self._id(mapping),
            retry=_retry(mapping.get("retry")),
        )

    def _chunks(self, step: Mapping, value: Node) -> model.Step:
        called = self._called(value)
        if isinstance(called, model.Broken):
            return called
        task, over, mapping = called
        size = mapping.get("size")
        if not isinstance(size, Scalar):
            return model.Broken(task.location, str(task.value))
        return model.Chunks(
            str(task.value),
            over,
            size,
            task.location,
            _options(mapping),
            id=self._id(mapping),
            retry=_retry(mapping.get("retry")),
            parallel=self._parallel(step),
        )

    def _each(self, mapping: Mapping, value: Node) -> model.Step:
        do, name = mapping.get("do"), mapping.get("as")
        place = _key_place(mapping, "each")
        if do is None or id(value) in self._tainted:
            if do is not None:
                self.build(do)
            return model.Broken(place)
        return model.Each(
            value,
            self.build(do),
            place,
            self._variable(name, "the item") or "item",
            self._parallel(mapping),
        )

    def _switch(self, mapping: Mapping, value: Node) -> model.Step:
        place = _key_place(mapping, "switch")
        if not isinstance(value, Sequence):
            return model.Broken(place)
        branches: list[model.Branch] = []
        otherwise: list[tuple[Scalar, model.Step]] = []
        is_last = False
        for item in value.items:
            if not isinstance(item, Mapping):
                continue
            last, key = item.get("else"), item.key("else")
            is_last = last is not None
            if last is not None and key is not None:
                otherwise.append((key, self.build(last)))
                continue
            condition, do = item.get("when"), item.get("do")
            step = model.Broken(item.location) if do is None else self.build(do)
            if isinstance(condition, Scalar) and id(condition) not in self._tainted:
                branches.append(model.Branch(condition, step))
        if len(otherwise) > 1:
            first = f"remove one: the first is in line {otherwise[0][0].location.line}"
            self._report("'switch' has two 'else' branches", otherwise[1][0], first)
        elif otherwise and not is_last:
            self._report(
                "'else' must be the last branch",
                otherwise[0][0],
                "move it to the end: later branches never run",
            )
        return model.Switch(tuple(branches), otherwise[-1][1] if otherwise else None, place)

    def _use(self, mapping: Mapping, value: Node) -> model.Step:
        place, inputs = _key_place(mapping, "use"), mapping.get("with")
        if not isinstance(value, Scalar) or id(mapping) in self._tainted:
            return model.Broken(place)
        return model.Use(value, place, inputs if isinstance(inputs, Mapping) else None)

    def _graph(self, mapping: Mapping, value: Node) -> model.Step:
        place = _key_place(mapping, "graph")
        if not isinstance(value, Mapping):
            return model.Broken(place)
        steps, is_readable = [], True
        for key, node in value.entries:
            name = Scalar(str(key.value), key.location)
            self._variable(name, "a step")
            needs = tuple(_needs(node)) if isinstance(node, Mapping) else ()
            names = tuple(each for each in needs if _is_name(each))
            is_readable = is_readable and names == needs
            steps.append(model.GraphStep(name, names, self.build(node)))
        # Where it is not known who needs whom, nothing can be said of the rest.
        return model.Graph(tuple(steps), place) if is_readable else model.Broken(place)

    def _called(self, value: Node) -> tuple[Scalar, Node, Mapping] | model.Broken:
        if not isinstance(value, Mapping):
            return model.Broken(value.location)
        task, over = value.get("task"), value.get("over")
        if not isinstance(task, Scalar) or not isinstance(task.value, str):
            return model.Broken(value.location)
        if over is None or id(value) in self._tainted:
            known = task.value if id(task) not in self._tainted else None
            return model.Broken(task.location, known)
        return task, over, value


def call_keys(mapping: Mapping) -> model.CallKeys:
    """Return the keys of a call that ``defaults`` may hold too."""
    args, kwargs, immutable = (mapping.get(key) for key in ("args", "kwargs", "immutable"))
    return model.CallKeys(
        args=args if isinstance(args, Sequence) else None,
        kwargs=kwargs if isinstance(kwargs, Mapping) else None,
        immutable=bool(immutable.value) if isinstance(immutable, Scalar) else None,
        options=_options(mapping),
        retry=_retry(mapping.get("retry")),
    )


def _retry(node: Node | None) -> model.RetryKeys | None:
    """Return what ``retry`` says, in its short form (a number) or its long one."""
    if isinstance(node, Scalar):
        return model.RetryKeys(node, node.location)
    if not isinstance(node, Mapping):
        return None
    most, jitter = _scalar(node, "max"), _scalar(node, "jitter")
    if most is None:
        return None
    return model.RetryKeys(
        most,
        node.location,
        delay=_scalar(node, "delay"),
        backoff=_scalar(node, "backoff"),
        cap=_scalar(node, "cap"),
        jitter=None if jitter is None else "full" if jitter.value == "full" else "none",
        only=_scalars(node, "only"),
        never=_scalars(node, "never"),
    )


def _scalar(mapping: Mapping, key: str) -> Scalar | None:
    node = mapping.get(key)
    return node if isinstance(node, Scalar) else None


def _scalars(mapping: Mapping, key: str) -> tuple[Scalar, ...]:
    node = mapping.get(key)
    items = node.items if isinstance(node, Sequence) else ()
    return tuple(item for item in items if isinstance(item, Scalar))


def _options(mapping: Mapping) -> dict[str, Node]:
    found = ((name, mapping.get(name)) for name in OPTIONS)
    return {name: node for name, node in found if node is not None}


def _key_place(mapping: Mapping, key: str) -> Location:
    node = mapping.key(key)
    return mapping.location if node is None else node.location


def _needs(step: Mapping) -> Iterator[Scalar]:
    """Yield what a step needs, also under a key that the schema refuses."""
    for key in ("needs", *NEEDS_ELSEWHERE):
        node = step.get(key)
        for name in node.items if isinstance(node, Sequence) else (node,):
            if isinstance(name, Scalar):
                yield name


def _is_name(node: Scalar) -> bool:
    return isinstance(node.value, str) and node.value.isidentifier()
