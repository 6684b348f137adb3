"""Static types: what is refused for its type, in which words, and what never is."""

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

import pytest

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


@pytest.mark.parametrize(
    ("hint", "values"),
    [
        ("int", "1 | -3 | 2.0 | true"),
        ("float", "1 | 2.5 | false"),
        ("bool", "true | false"),
        ("str", "text | ''"),
        ("none", "null"),
        ("any", "1 | text | null | [] | {}"),
        ("object", "1 | text | null | [] | {}"),
        ("floats", "[] | [1,2.5] | [true]"),
        ("bare_list", "[] | [1,text]"),
        ("pair", "[1,text]"),
        ("ints", "[] | [1,2,3]"),
        ("table", "{} | {a: 1}"),
        ("mapping", "{} | {a: [1]}"),
        ("bare_dict", "{a: [text]}"),
        ("optional", "1 | null"),
        ("union", "1 | [] | [text]"),
        ("either", "1 | 1.5 | text"),
        ("mode", "fast | slow | 3 | 3.0"),
        ("annotated", "1"),
        ("name", "text"),
        ("words", "[] | [text] | text"),
        ("numbers", "[] | [1]"),
        ("iterable", "[1]"),
        ("order", "{number: 1,lines: [1]} | {number: 1,lines: [],note: x,more: [1]}"),
        ("tree", "{children: [{children: []}]}"),
        ("colour", "red | 1"),
        ("date", "2020-01-01 | 1"),
        ("decimal", "1.5 | '1.5'"),
        ("path", "a/b"),
        ("set", "[1] | [text]"),
        ("variable", "1 | text"),
        ("text_hint", "[{number: 1,lines: []}]"),
        ("unresolved", "1 | text"),
        ("in_part_unresolved", "{a: 1} | {a: x}"),
        ("no_hint", "1 | text"),
    ],
)  # fmt: skip
def test_a_value_that_the_hint_takes_is_planned(hint: str, values: str) -> None:
    for value in values.split(" | "):
        assert messages(f"{{task: takes_{hint}, args: [{value}]}}") == []
        assert messages(f"{{task: takes_{hint}, kwargs: {{value: {value}}}}}") == []
        assert messages(f"{{map: {{task: takes_{hint}, over: [{value}]}}}}") == []
        assert messages(f"{{starmap: {{task: takes_{hint}, over: [[{value}]]}}}}") == []
        text = f"{{inputs: {{v: {{}}}}, task: takes_{hint}, args: ['${{inputs.v}}']}}"
        assert messages(text, f"{{v: {value}}}") == []


@pytest.mark.parametrize(
    ("hint", "value", "said"),
    [
        ("int", "2.5", "2.5 as 'value' and wants int"),
        ("int", "'2'", "'2' as 'value' and wants int"),
        ("int", "null", "null as 'value' and wants int"),
        ("float", "two", "'two' as 'value' and wants float"),
        ("float", "[1]", "[1] as 'value' and wants float"),
        ("bool", "1", "1 as 'value' and wants bool"),
        ("bool", "'true'", "'true' as 'value' and wants bool"),
        ("str", "1", "1 as 'value' and wants str"),
        ("none", "1", "1 as 'value' and wants None"),
        ("floats", "1", "1 as 'value' and wants list[float]"),
        ("floats", "[1, ‹x›]", "'x' as 'value[1]' and wants a number"),
        ("bare_list", "{a: 1}", """{"a": 1} as 'value' and wants list"""),
        ("pair", "[1]", "[1] as 'value' and wants tuple[int, str]"),
        ("pair", "[‹x›, 1]", "'x' as 'value[0]' and wants a whole number"),
        ("ints", "[1, ‹1.5›]", "1.5 as 'value[1]' and wants a whole number"),
        ("table", "{a: 1, b: ‹x›}", "'x' as 'value.b' and wants a whole number"),
        ("mapping", "{a: [1, ‹{}›]}", "{} as 'value.a[1]' and wants a whole number"),
        ("bare_dict", "[1]", "[1] as 'value' and wants dict"),
        ("optional", "x", "'x' as 'value' and wants Optional[int]"),
        ("union", "[text, ‹1›]", "1 as 'value[1]' and wants a text"),
        ("union", "x", "'x' as 'value' and wants Union[int, list[str]]"),
        ("either", "null", "null as 'value' and wants float | str"),
        ("mode", "faster", "'faster' as 'value' and wants Literal['fast', 'slow', 3]"),
        ("annotated", "x", "'x' as 'value' and wants Annotated[int, 'of people']"),
        ("name", "1", "1 as 'value' and wants Name"),
        ("words", "[‹1›]", "1 as 'value[0]' and wants a text"),
        ("numbers", "text", "'text' as 'value' and wants Sequence[int]"),
        ("iterable", "{a: 1}", """{"a": 1} as 'value' and wants Iterable[int]"""),
        ("order", "{number: 1}",
         """{"number": 1} as 'value' and wants Order"""),
        ("order", "{number: 1, lines: [], note: ‹1›}", "1 as 'value.note' and wants a text"),
        ("tree", "{children: [{children: [‹1›]}]}",
         "1 as 'value.children[0].children[0]' and wants a dict (Tree)"),
        ("text_hint", "[{number: 1, lines: [‹x›]}]",
         "'x' as 'value[0].lines[0]' and wants a number"),
        ("nested_text", "[{number: ‹x›, lines: []}]",
         "'x' as 'value[0].number' and wants a whole number"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused_where_it_stands(
    hint: str, value: str, said: str
) -> None:
    place = value.partition("‹")[2].partition("›")[0] or value
    value = value.replace("‹", "").replace("›", "")
    for text in (
        f"{{task: takes_{hint}, args: [{value}]}}",
        f"{{task: takes_{hint}, kwargs: {{value: {value}}}}}",
        f"{{task: takes_{hint}, times: 3, args: [{value}]}}",
        f"{{map: {{task: takes_{hint}, over: [{value}, {value}]}}}}",
        f"{{starmap: {{task: takes_{hint}, over: [[{value}]]}}}}",
        f"{{chunks: {{task: takes_{hint}, over: [[{value}]], size: 1}}}}",
        f"{{defaults: {{takes_{hint}: {{args: [{value}]}}}}, task: takes_{hint}}}",
    ):
        assert messages(text) == [f"task 'takes_{hint}' gets {said}"], text
        assert pointed_at(text) == [place], text
    text = f"{{inputs: {{v: {{}}}}, task: takes_{hint}, args: ['${{inputs.v}}']}}"
    assert messages(text, f"{{v: {value}}}") == [f"task 'takes_{hint}' gets {said}"]
    assert pointed_at(text, f"{{v: {value}}}") == ["'${inputs.v}'"]


@pytest.mark.parametrize(
    ("text", "said", "place"),
    [
        ("{task: by_name, kwargs: {count: x}}", "gets 'x' as 'count' and wants int", "x"),
        ("{task: by_name, kwargs: {path: 1}}", "gets 1 as 'path' and wants str", "1"),
        ("{task: by_name, kwargs: {loud: 1}}", "gets 1 as 'more' and wants bool", "1"),
        ("{task: several, args: [1, a, 2]}", "gets 2 as 'others' and wants str", "2"),
        ("{task: hidden, args: [1, two]}", "gets 'two' as 'count' and wants int", "two"),
        ("{task: decorated, args: [1]}", "gets 1 as 'word' and wants str", "1"),
        ("group: upper x3", "gets 0 as 'word' and wants str", "upper"),
        ("{task: upper, times: 3, args: ['${i}']}", "gets 0 as 'word' and wants str", "'${i}'"),
        ("{task: upper, times: 3, args: ['${\"x\" if i < 2 else 2}']}",
         "gets 2 as 'word' and wants str", "'${\"x\" if i < 2 else 2}'"),
        ("{chunks: {task: upper, over: [[a], [b], [c], [4]], size: 2}}",
         "gets 4 as 'word' and wants str", "4"),
    ],
)  # fmt: skip
def test_every_kind_of_parameter_is_looked_at(text: str, said: str, place: str) -> None:
    (message,) = messages(text)
    assert message.endswith(said)
    assert pointed_at(text) == [place]


@pytest.mark.parametrize(
    "text",
    [
        "{task: by_name, kwargs: {path: null}}",  # the default is None
        "{task: by_name, kwargs: {loud: true}}",
        "{task: several, args: [1, a, b]}",
        "{task: hidden, args: [x, 1]}",
        "{inputs: {n: {type: string}}, task: takes_int, args: ['${len(inputs.n)}']}",
    ],
)
def test_what_a_parameter_takes_besides_its_hint_is_planned(text: str) -> None:
    assert messages(text, "{n: abc}" if "inputs" in text else "{}") == []


TEXTS = "a list of texts"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("chain: [gives_str, takes_float]", "gets a text and wants float"),
        ("chain: [gives_none, takes_float]", "gets null and wants float"),
        ("chain: [gives_bool, takes_str]", "gets a boolean and wants str"),
        ("chain: [gives_int, takes_bool]", "gets a whole number and wants bool"),
        ("chain: [gives_floats, takes_words]",
         "gets a list of numbers and wants Sequence[str]"),
        ("chain: [gives_words, takes_floats]",
         "gets a list of texts or a text and wants list[float]"),
        ("chain: [gives_pair, takes_floats]",
         "gets a list of whole numbers and texts and wants list[float]"),
        ("chain: [gives_table, takes_floats]",
         "gets a dict of whole numbers and wants list[float]"),
        ("chain: [gives_optional, takes_str]", "gets a whole number or null and wants str"),
        ("chain: [gives_mode, takes_bool]", "gets 'fast' or 'slow' or 3 and wants bool"),
        ("chain: [gives_order, takes_floats]",
         "gets a dict (Order) and wants list[float]"),
        ("chain: [gives_order, takes_mapping]",
         "gets a dict (Order) and wants Mapping[str, list[int]]"),
        ("chain: [gives_table, takes_order]",
         "gets a dict of whole numbers and wants Order"),
        ("chain: [gives_tree, takes_order]",
         "gets a dict (Tree) and wants Order"),
        ("chain: [gives_str, {chain: []}, takes_float]", "gets a text and wants float"),
        ("chain: [gives_str, {chain: [takes_any, {chain: [gives_str, takes_int]}]}]",
         "gets a text and wants int"),
        ("chain: [gives_str, {group: [upper, takes_float]}]", "gets a text and wants float"),
        ("{chord: {header: [gives_str, gives_str], body: amass}}",
         f"gets {TEXTS} and wants list[float]"),
        ("{chord: {header: gives_str x3, body: amass}}", f"gets {TEXTS} and wants list[float]"),
        ("{chord: {header: gives_str x300, body: amass}}", f"gets {TEXTS} and wants list[float]"),
        ("{chord: {header: [gives_int, gives_str x2], body: amass}}",
         "gets a list of whole numbers and texts and wants list[float]"),
        ("chain: [{group: [gives_int, gives_int]}, takes_float]",
         "gets a list of whole numbers and wants float"),
        ("chain: [{group: [gives_int, gives_int]}, takes_pair]",
         "gets a list of whole numbers and wants tuple[int, str]"),
        ("chain: [{group: [gives_int]}, takes_pair]",
         "gets a list of whole numbers and wants tuple[int, str]"),
        ("chain: [{map: {task: upper, over: [a]}}, amass]", f"gets {TEXTS} and wants list[float]"),
        ("chain: [{starmap: {task: upper, over: [[a]]}}, amass]",
         f"gets {TEXTS} and wants list[float]"),
        ("chain: [{chunks: {task: takes_any, over: [[a]], size: 1}}, takes_str]",
         "gets a list of lists and wants str"),
        ("chain: [{chunks: {task: several, over: [[1]], size: 1}}, amass]",
         "gets a list of lists of whole numbers and wants list[float]"),
        ("{task: takes_any, args: [1], on_error: upper}",
         "gets a dict and wants str"),
        ("{task: takes_any, args: [1], finally: {group: [upper]}}", "gets a dict and wants str"),
    ],
)  # fmt: skip
def test_a_result_of_another_type_is_refused_at_the_call_that_gets_it(text: str, said: str) -> None:
    (message,) = messages(text)
    assert message.endswith(said)
    (place,) = pointed_at(text)
    assert message.startswith(f"task '{place}' ")


@pytest.mark.parametrize(
    "text",
    [
        *(f"chain: [gives_{hint}, takes_{hint}]" for hint in HINTS),
        *(f"chain: [gives_any, takes_{hint}]" for hint in HINTS),
        *(f"chain: [gives_{hint}, takes_any]" for hint in HINTS),
        "chain: [gives_int, takes_float]",
        "chain: [gives_float, takes_int]",  # 2.0 ** 2 may well be hinted as a float
        "chain: [gives_bool, takes_int]",
        "chain: [gives_optional, takes_int]",  # who wrote them knows when there is none
        "chain: [gives_union, takes_words, gives_union, takes_int]",
        "chain: [gives_pair, takes_bare_list]",
        "chain: [gives_ints, takes_floats]",
        "chain: [gives_floats, takes_ints]",
        "chain: [gives_mode, takes_str]",
        "chain: [gives_str, takes_mode]",
        "chain: [gives_order, takes_bare_dict]",
        "chain: [gives_bare_dict, takes_order]",
        "chain: [gives_words, takes_str]",
        "chain: [gives_date, takes_str]",
        "chain: [gives_str, takes_path]",
        "chain: [gives_str, {task: takes_float, immutable: true, args: [1]}]",
        "{chord: {header: [gives_int, gives_float, gives_any, gives_bool], body: amass}}",
        "{chord: {header: [], body: amass}}",
        "{chord: {header: gives_int x0, body: amass}}",
        "chain: [{group: [gives_int, gives_str]}, takes_pair]",
        "chain: [{map: {task: several, over: [1]}}, amass]",
        "chain: [gives_str, {map: {task: several, over: [1]}}]",
        "{task: takes_any, args: [1], on_error: takes_bare_dict, finally: takes_table}",
    ],
)  # fmt: skip
def test_a_result_that_may_fit_is_planned(text: str) -> None:
    assert messages(text) == []


def test_a_diagnostic_names_the_hint_and_what_gives_the_value() -> None:
    text = "chord:\n  header: [gives_int, {task: upper, args: [a]}]\n  body: amass\n"
    (problem,) = problems(text)
    assert problem.message == (
        "task 'amass' gets a list of whole numbers and texts and wants list[float]"
    )
    assert problem.label == "it comes as 'values' of amass(values: list[float]) -> float"
    assert problem.notes == ("a text comes from upper(word: str) -> str at test.yaml:2:30",)


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("{task: takes_int, args: ['2']}", "write it without quotes; it is"),
        ("{task: takes_int, args: [2.5]}", "write a whole number; it is"),
        ("{task: takes_int, args: ['${5 / 2}']}", "write round(…) or //; it is"),
        ("{task: takes_int, args: ['${str(2)}']}", "write int(…) or float(…); it is"),
        ("{task: takes_pair, args: [[1]]}", "1 item in place of 2; it is"),
        ("{task: takes_order, args: [{number: 1}]}", "it has no key 'lines'; it is"),
        ("group: upper x2", "it is the index; 'args: []' passes none; it is upper(word"),
    ],
)
def test_a_diagnostic_says_the_cure(text: str, cure: str) -> None:
    (problem,) = problems(text)
    assert problem.label.startswith(cure)


def test_what_every_call_of_a_fan_out_has_wrong_is_said_once() -> None:
    assert len(messages("{task: takes_str, times: 1000, args: ['${i}']}")) == 1
    assert len(messages("chain: [gives_str, {task: takes_int, times: 1000, args: []}]")) == 1


def test_what_is_wrong_with_a_call_already_is_not_said_again() -> None:
    text = "chain: [gives_str, {task: takes_int, args: [1]}, {task: takes_int, args: ['${no}']}]"
    assert [message for message in messages(text) if "wants" in message] == []


@pytest.mark.parametrize(
    ("text", "said", "place"),
    [
        ("{each: [a, 2], do: upper}", "gets 2 as 'word' and wants str", "2"),
        ("{each: ['${1 + 1}'], do: upper}", "gets 2 as 'word' and wants str", "'${1 + 1}'"),
        ("{each: '${[1, 2]}', do: upper}", "gets 1 as 'word' and wants str", "'${[1, 2]}'"),
        ("{each: [[a, 1]], do: {task: takes_words}}",
         "gets 1 as 'value[1]' and wants a text", "1"),
        ("{each: [1], as: n, do: {task: upper, immutable: true, args: ['${n}']}}",
         "gets 1 as 'word' and wants str", "'${n}'"),
        ("chain: [{each: [1, 2], do: {chain: []}}, takes_words]",
         "gets a list of whole numbers and wants Sequence[str]", "takes_words"),
        ("chain: [{each: [1], do: gives_str, tolerate: 1}, takes_words]",
         "gets a list of texts and nulls and wants Sequence[str]", "takes_words"),
        ("chain: [gives_words, {each: '${prev}', do: takes_int}]",
         "gets a text and wants int", "takes_int"),
        ("chain: [gives_str, {task: gives_int, when: prev == 'a'}, takes_int]",
         "gets a whole number or a text and wants int", "takes_int"),
        ("chain: [{task: gives_str, id: ls}, {task: takes_int, immutable: true, args: ['${ls}']}]",
         "gets a text as 'value' and wants int", "'${ls}'"),
        ("chain: [{task: gives_int, on_error: gives_str}, takes_int]",
         "gets a whole number or a text and wants int", "takes_int"),
        ("chain: [{switch: [{when: true, do: gives_str}, {else: gives_int}]}, takes_int]",
         "gets a text and wants int", "takes_int"),
    ],
)  # fmt: skip
def test_steps_that_run_time_decides_pass_types_on(text: str, said: str, place: str) -> None:
    (message,) = messages(text)
    assert message.endswith(said)
    assert pointed_at(text) == [place]


@pytest.mark.parametrize(
    ("schema", "hint", "said"),
    [
        ("{type: string}", "int", ["gets a text as 'value' and wants int"]),
        ("{type: [string, 'null']}", "int", ["gets a text or null as 'value' and wants int"]),
        ("{type: array, items: {type: string}}", "floats",
         ["gets a text as 'value' and wants list[float]"]),
        ("{type: object}", "words", ["gets a dict as 'value' and wants Sequence[str]"]),
        ("{type: number}", "int", []),
        ("{type: integer}", "float", []),
        ("{type: [string, integer]}", "int", []),
        ("{type: array}", "floats", []),
        ("{}", "int", []),
    ],
)  # fmt: skip
def test_an_input_without_a_value_has_the_type_that_it_is_defined_with(
    schema: str, hint: str, said: list[str]
) -> None:
    text = f"{{inputs: {{v: {schema}}}, task: takes_{hint}, args: ['${{inputs.v}}']}}"
    found = problems(text, assume_missing_inputs=True)
    assert [each.message.removeprefix(f"task 'takes_{hint}' ") for each in found] == said
    assert problems(text.replace("inputs.v}", "str(inputs.v)}"), assume_missing_inputs=True) == []


def test_a_value_that_a_condition_guards_is_not_refused() -> None:
    text = """
        inputs: {word: {type: [string, "null"], default: null}}
        chain:
          - gives_int
          - {task: upper, immutable: true, args: ["${inputs.word}"], when: prev == 1}
          - {task: upper, immutable: true, args: ["${inputs.word}"], when: inputs.word != null}
    """
    assert messages(text) == []
    assert messages(text.replace(", when: prev == 1", "")) != []
