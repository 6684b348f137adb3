"""The way back from a path to its step, in the text of the files and without flowrunner."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

#: A key of a path, or the number of a member.
PART = re.compile(r"([\w-]+)|\[(\d+)\]")
#: Keys whose value is a step's mapping. What stands in a list, and what a graph names, is one too.
STEPS = frozenset({"body", "do", "else", "on_error"})
CALLS = ("map", "starmap", "chunks")


@dataclass(frozen=True)
class Place:
    """Where a step is written: its name, its file and its lines, from 1."""

    step: str
    file: str
    first: int
    last: int
    text: str

    def has(self, file: str, line: int) -> bool:
        """Tell whether a line of a file is one of the step's own."""
        return self.file == file and self.first <= line <= self.last


class WorkflowReader:
    """Finds the step that a path leads to, in the words of :mod:`tests.conformance.meaning`."""

    def __init__(self, files: Mapping[str, str], prefix: str) -> None:
        self._texts = files
        self._documents = {name: yaml.compose(text) for name, text in files.items()}
        self._prefix = prefix

    def step(self, path: str) -> str:
        return self.place(path).step

    def place(self, path: str) -> Place:
        """Return where the step at a path is written."""
        file = next(iter(self._documents))
        node = mapping = self._documents[file]
        number, members, before = None, [], ""
        for key, index in PART.findall(path):
            if index and before == "each":
                members.append(index)
                node = mapping = _inner(mapping, "do")
            elif index and isinstance(node, yaml.SequenceNode):
                node = mapping = node.value[int(index)]
            elif index:
                assert number is None, path
                number = index
            elif key == "use":
                file = str(_inner(mapping, "use").value)
                node = mapping = self._documents[file]
            elif key in STEPS or before == "graph":
                node = mapping = _inner(mapping if key == "on_error" else node, key)
            elif key not in ("task", "each"):
                node = _inner(node, key)
            before = key
        step = "outputs" if before == "outputs" else self._name(mapping)
        if number is None:
            step = step.removesuffix("#")
        else:
            step = f"{step}{'' if step.endswith('#') else '.'}{number}"
        if members:
            step = f"{step}@{'.'.join(members)}"
        first, last = mapping.start_mark.line + 1, mapping.end_mark.line + 1
        lines = self._texts[file].splitlines()[first - 1 : last]
        return Place(step, file, first, last, "\n".join(lines))

    def _name(self, mapping: Any) -> str:
        """Return the name of a step; a batch's ends with ``#``, for its number."""
        keys = {key.value: value for key, value in mapping.value}
        for call in CALLS:
            if call in keys:
                return self._name(keys[call])
        if "over" in keys:
            return str(keys["id"].value) + ("#" if "size" in keys else "")
        if "kwargs" in keys:
            return str(_inner(keys["kwargs"], "label").value.removeprefix(self._prefix))
        if "args" in keys:
            return str(keys["args"].value[-1].value.removeprefix(self._prefix))
        return str(keys["id"].value) if "id" in keys else "?"


def _inner(mapping: Any, name: str) -> Any:
    """Return the value of a key of a mapping."""
    for key, value in mapping.value:
        if key.value == name:
            return value
    raise KeyError(name)
