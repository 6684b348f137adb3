"""Static types of results: what is refused as it is handed on, and what may fit."""

from __future__ import annotations

import pytest

from tests.planner.typed_tasks import HINTS, messages, pointed_at, problems

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
