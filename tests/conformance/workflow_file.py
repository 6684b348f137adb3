"""A shape as the YAML that a person would write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.expression import bare, template
from tests.conformance.shape import (
    Chain,
    Chord,
    Document,
    Each,
    Graph,
    Group,
    Items,
    Keyed,
    Limits,
    Repeat,
    Retry,
    Shape,
    Switch,
    Task,
    Use,
)

CALL_KEYS = frozenset({"task", "map", "starmap", "chunks"})
STEP_LISTS = frozenset({"chain", "group", "header", "switch"})
#: Keys whose mappings are data and hold no steps.
DATA = frozenset({"kwargs", "with", "retry", "map", "starmap", "chunks", "inputs", "outputs"})


def workflow_text(shape: Shape, prefix: str) -> str:
    """Return the workflow file of a shape; ``prefix`` comes before every label in it."""
    return workflow_files(shape, prefix, "workflow")["workflow.yaml"]


def workflow_files(shape: Shape, prefix: str, stem: str) -> dict[str, str]:
    """Return the file of a shape, and those that it uses, by their names."""
    writer = _Writer(prefix, stem)
    writer.document(shape)
    return writer.files


@dataclass
class _Writer:
    prefix: str
    stem: str
    files: dict[str, str] = field(default_factory=dict)

    def document(self, shape: Shape) -> str:
        """Write a file, and return its name."""
        name = f"{self.stem}-{len(self.files)}.yaml" if self.files else f"{self.stem}.yaml"
        self.files[name] = ""
        data: dict[str, Any] = {}
        if isinstance(shape, Document):
            if shape.inputs:
                data["inputs"] = {key: {"default": value} for key, value in shape.inputs}
            if shape.outputs:
                data["outputs"] = {key: template(value) for key, value in shape.outputs}
            shape = shape.step
        # The document's own on_error is the run's: a step's stands in a chain.
        handled = isinstance(shape, Keyed) and shape.on_error is not None
        data |= self.step(Chain((shape,)) if handled else shape)
        self.files[name] = "\n".join(_block(data)) + "\n"
        return name

    def step(self, shape: Shape) -> dict[str, Any]:
        """Return the mapping of a step."""
        match shape:
            case Task() | Repeat() | Items():
                return self._call(shape)
            case Chain(steps):
                return {"chain": self._steps(steps)}
            case Group(members, limits):
                return {"group": self._steps(members), **_limits(limits)}
            case Chord(header, body, limits):
                inner = {"header": self._steps(header), "body": self.step(body)}
                return {"chord": inner, **_limits(limits)}
            case Keyed():
                return self._keyed(shape)
            case Each(items, do, variable, limits):
                named = {} if variable == "item" else {"as": variable}
                return {
                    "each": template(items),
                    **named,
                    "do": self.step(do),
                    **_limits(limits),
                }
            case Switch(branches, otherwise):
                written = [
                    {"when": _condition(condition), "do": self.step(step)}
                    for condition, step in branches
                ]
                last = [] if otherwise is None else [{"else": self.step(otherwise)}]
                return {"switch": [*written, *last]}
            case Use(document, inputs):
                given = {"with": {key: template(value) for key, value in inputs}} if inputs else {}
                return {"use": self.document(document), **given}
            case Graph(nodes):
                return {
                    "graph": {
                        node.name: {
                            **({"needs": list(node.needs)} if node.needs else {}),
                            **self.step(node.step),
                        }
                        for node in nodes
                    }
                }
            case Document():
                raise TypeError(shape)

    def _steps(self, shapes: tuple[Shape, ...]) -> list[dict[str, Any]]:
        return list(map(self.step, shapes))

    def _keyed(self, keyed: Keyed) -> dict[str, Any]:
        inner = self.step(keyed.step)
        if isinstance(keyed.step, (Keyed, Items)):  # each of them has keys of its own
            inner = {"chain": [inner]}
        keys: dict[str, Any] = {}
        if keyed.when is not None:
            keys["when"] = _condition(keyed.when)
        if keyed.on_error is not None:
            keys["on_error"] = self.step(keyed.on_error)
        return {**inner, "id": keyed.label, **keys}

    def _call(self, call: Task | Repeat | Items) -> dict[str, Any]:
        retry = {} if call.retry is None else {"retry": _retry(call.retry)}
        match call:
            case Task():
                literals = template(call.literals)
                keys = {"task": call.behaviour, "args": [*literals, f"{self.prefix}{call.label}"]}
            case Repeat():
                keys = {
                    "task": call.behaviour,
                    "times": call.times,
                    "kwargs": {"label": f"{self.prefix}{call.label}"},
                    **_limits(call.limits),
                }
            case Items(kind=kind):
                over = {"id": call.label, "task": call.behaviour, "over": self._over(call)}
                size = {"size": call.size} if kind == "chunks" else {}
                return {kind: {**over, **size, **retry}, **_limits(call.limits)}
        return {**keys, **({"immutable": True} if call.immutable else {}), **retry}

    def _over(self, items: Items) -> list[Any]:
        if items.kind == "map":
            return [f"{self.prefix}{label}" for label in items.labels()]
        return [[n, f"{self.prefix}{label}"] for n, label in enumerate(items.labels())]


def _condition(condition: Any) -> Any:
    return condition if isinstance(condition, bool) else bare(condition)


def _limits(limits: Limits) -> dict[str, Any]:
    every = {"max_parallel": limits.max_parallel, "tolerate": limits.tolerate}
    return {key: value for key, value in every.items() if value is not None}


def _retry(retry: Retry) -> Any:
    if not retry.only and not retry.never:
        return retry.maximum
    names = {"only": list(retry.only), "never": list(retry.never)}
    return {"max": retry.maximum, **{key: value for key, value in names.items() if value}}


def _holds_steps(key: str, value: Any) -> bool:
    if isinstance(value, Mapping):
        return key not in DATA
    return isinstance(value, list) and key in STEP_LISTS and bool(value)


def _block(mapping: Mapping[str, Any]) -> list[str]:
    """Return the lines of a mapping of steps; calls are flow mappings."""
    if CALL_KEYS & mapping.keys():
        first, *rest = _flow(mapping)
        return [first, *(f"    {line}" for line in rest)]
    lines: list[str] = []
    for key, value in mapping.items():
        if not _holds_steps(key, value):
            lines.append(f"{key}: {_text(value)}")
        elif isinstance(value, list):
            lines.append(f"{key}:")
            for step in value:
                first, *rest = _block(step)
                lines += [f"  - {first}", *(f"    {line}" for line in rest)]
        else:
            first, *rest = _block(value)
            call = first.startswith("{")
            lines += [f"{key}: {first}"] if call else [f"{key}:", f"  {first}"]
            lines += [f"  {line}" for line in rest]
    return lines


def _flow(value: Mapping[str, Any]) -> list[str]:
    """Return the lines of a flow mapping: each step in it begins one of its own."""
    simple = {key: inner for key, inner in value.items() if not _holds_steps(key, inner)}
    lines = ["{" + _text(simple)[1:-1]]
    for key, inner in value.items():
        if key in simple:
            continue
        lines[-1] += "," if lines[-1] != "{" else ""
        if isinstance(inner, Mapping):
            first, *rest = _flow(inner)
            lines += [f"{_text(key)}: {first}", *rest]
        else:
            lines.append(f"{_text(key)}: [")
            for position, step in enumerate(inner):
                lines[-1] += "," if position else ""
                lines += _flow(step)
            lines[-1] += "]"
    lines[-1] += "}"
    return lines


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
