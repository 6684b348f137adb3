"""A shape as the YAML that a person would write, and the way back from a path to its step."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from tests.conformance.shape import Chain, Chord, Group, Items, Repeat, Shape, Task


def workflow_text(shape: Shape, prefix: str) -> str:
    """Return the workflow file of a shape; ``prefix`` comes before every label in it."""
    match shape:
        case Chain() | Group() | Chord():
            return "\n".join(_block(shape, prefix)) + "\n"
        case _:
            return f"{_inline(shape, prefix)}\n"


def _block(shape: Shape, prefix: str) -> list[str]:
    match shape:
        case Chain(steps):
            return _listed("chain", steps, prefix)
        case Group(members):
            return _listed("group", members, prefix)
        case Chord(header, body):
            inner = [*_listed("header", header, prefix), *_named("body", body, prefix)]
            return ["chord:", *(f"  {line}" for line in inner)]
        case _:
            return [_inline(shape, prefix)]


def _listed(key: str, shapes: tuple[Shape, ...], prefix: str) -> list[str]:
    if not shapes:
        return [f"{key}: []"]
    lines = [f"{key}:"]
    for shape in shapes:
        first, *rest = _block(shape, prefix)
        lines += [f"  - {first}", *(f"    {line}" for line in rest)]
    return lines


def _named(key: str, shape: Shape, prefix: str) -> list[str]:
    lines = _block(shape, prefix)
    if len(lines) == 1 and lines[0].startswith("{"):
        return [f"{key}: {lines[0]}"]
    return [f"{key}:", *(f"  {line}" for line in lines)]


def _inline(shape: Shape, prefix: str) -> str:
    match shape:
        case Task():
            keys: dict[str, Any] = {
                "task": shape.behaviour,
                "args": [*shape.literals, f"{prefix}{shape.label}"],
            }
        case Repeat():
            keys = {
                "task": shape.behaviour,
                "times": shape.times,
                "kwargs": {"label": f"{prefix}{shape.label}"},
            }
        case Items(kind=kind):
            over: dict[str, Any] = {
                "id": shape.label,
                "task": shape.behaviour,
                "over": _prefixed(shape, prefix),
            }
            if kind == "chunks":
                over["size"] = shape.size
            return json.dumps({kind: over})
        case _:
            raise AssertionError(shape)
    if shape.immutable:
        keys["immutable"] = True
    return json.dumps(keys)


def _prefixed(items: Items, prefix: str) -> list[Any]:
    if items.kind == "map":
        return [f"{prefix}{label}" for label in items.labels()]
    return [[n, f"{prefix}{label}"] for n, label in enumerate(items.labels())]


class WorkflowReader:
    """Finds the step that a path leads to, in the text of the file and without flowrunner."""

    def __init__(self, text: str, prefix: str) -> None:
        self._document = yaml.safe_load(text)
        self._prefix = prefix
        self._lines = text.splitlines()

    def step(self, path: str) -> str:
        """Return the step at a path, in the words of :mod:`tests.conformance.meaning`."""
        node, number = self._document, None
        for name, index in re.findall(r"(\w+)|\[(\d+)\]", path):
            if index and isinstance(node, list):
                node = node[int(index)]
            elif index:
                assert number is None, path
                number = int(index)
            elif name != "task":
                node = node[name]
        if "id" in node:
            return node["id"] if number is None else f"{node['id']}#{number}"
        if "kwargs" in node:
            return f"{node['kwargs']['label'].removeprefix(self._prefix)}.{number}"
        assert number is None, path
        return str(node["args"][-1].removeprefix(self._prefix))

    def stands_in(self, line: int, step: str) -> bool:
        """Tell whether a line of the file has this step."""
        label = re.split(r"[.#]", step)[0]
        text = self._lines[line - 1]
        return any(json.dumps(each) in text for each in (label, f"{self._prefix}{label}"))
