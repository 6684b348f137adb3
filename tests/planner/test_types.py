"""Static types of values: what is refused for its type, in which words, and what never is."""

from __future__ import annotations

import pytest

from tests.planner.typed_tasks import messages, pointed_at


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
