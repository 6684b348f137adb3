"""Tasks with hints of every kind, and what is said of workflows that call them."""

from __future__ import annotations

import enum
import functools
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NewType,
    NotRequired,
    Optional,
    TypedDict,
    TypeVar,
    Union,
)

from flowrunner.errors import Diagnostic, WorkflowError
from flowrunner.loader import load_workflow, parse_value
from flowrunner.node import Mapping as NodeMapping
from flowrunner.planner import plan_workflow
from flowrunner.source import Source
from flowrunner.tasks import TaskRegistry

if TYPE_CHECKING:
    from nowhere import Unfindable

Name = NewType("Name", str)
Item = TypeVar("Item")


class Colour(enum.Enum):
    RED = "red"


class Order(TypedDict):
    number: int
    lines: list[float]
    note: NotRequired[str]


class Tree(TypedDict):
    children: list[Tree]


HINTS: dict[str, Any] = {
    "int": int,
    "float": float,
    "bool": bool,
    "str": str,
    "none": None,
    "any": Any,
    "object": object,
    "floats": list[float],
    "bare_list": list,
    "pair": tuple[int, str],
    "ints": tuple[int, ...],
    "table": dict[str, int],
    "mapping": Mapping[str, list[int]],
    "bare_dict": dict,
    "optional": Optional[int],  # noqa: UP045
    "union": Union[int, list[str]],  # noqa: UP007
    "either": float | str,
    "mode": Literal["fast", "slow", 3],
    "annotated": Annotated[int, "of people"],
    "name": Name,
    "words": Sequence[str],
    "numbers": Sequence[int],
    "iterable": Iterable[int],
    "order": Order,
    "tree": Tree,
    "colour": Colour,
    "date": date,
    "decimal": Decimal,
    "path": Path,
    "set": set[int],
    "variable": Item,
    "text_hint": "list[Order]",
    "nested_text": list["Order"],
    "unresolved": "Unfindable",
    "in_part_unresolved": "dict[str, Unfindable]",
    "no_hint": "1 / 0",
}


def taking(hint: Any) -> Any:
    def task(value) -> Any:  # type: ignore[no-untyped-def]
        return value

    task.__annotations__["value"] = hint
    return task


def giving(hint: Any) -> Any:
    def task(*_: Any) -> Any:
        return None

    task.__annotations__["return"] = hint
    return task


def by_name(*, count: int = 1, path: str = None, **more: bool) -> str:  # type: ignore[assignment]  # noqa: RUF013
    return path


def several(first: int, *others: str) -> int:
    return first


def amass(values: list[float]) -> float:
    return sum(values)


def upper(word: str) -> str:
    return word.upper()


def hidden(unfindable: Unfindable, count: int) -> None: ...


@functools.wraps(upper)
def decorated(*args: Any) -> Any:
    return upper(*args)


def registry() -> TaskRegistry:
    tasks = TaskRegistry()
    plugin = tasks.for_plugin("tests")
    for name, hint in HINTS.items():
        plugin.add(taking(hint), name=f"takes_{name}")
        plugin.add(giving(hint), name=f"gives_{name}")
    for function in (by_name, several, amass, upper, hidden):
        plugin.add(function)
    plugin.add(decorated, name="decorated")
    return tasks


TASKS = registry()


def problems(
    text: str, inputs: str = "{}", tasks: TaskRegistry = TASKS, **options: Any
) -> list[Diagnostic]:
    given = parse_value(Source("inputs", inputs))
    assert isinstance(given, NodeMapping)
    try:
        plan_workflow(load_workflow(Source("test.yaml", text)), tasks, given, **options)
    except WorkflowError as error:
        return list(error.diagnostics)
    return []


def messages(text: str, inputs: str = "{}") -> list[str]:
    return [each.message for each in problems(text, inputs)]


def pointed_at(text: str, inputs: str = "{}") -> list[str]:
    return [each.location.text for each in problems(text, inputs) if each.location]
