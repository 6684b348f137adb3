"""What the planner refuses, beyond the files of ``tests/invalid``."""

import pytest

from tests.planner.planning import planned, refused

USED_UP = "the file takes too much work to check"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("task: power", "task 'power' needs the argument 'value'"),
        ("{task: power, args: [1, 2, 3]}",
         "task 'power' receives 3 positional arguments but takes at most 2"),
        ("{task: power, args: [1], kwargs: {value: 2}}",
         "task 'power' receives the argument 'value' twice"),
        ("{task: keyed, args: [1]}",
         "task 'keyed' receives 1 positional argument but takes no positional argument"),
        ("task: keyed", "task 'keyed' needs the argument 'name'"),
        ("{task: positional, kwargs: {value: 1}}", "task 'positional' has no argument 'value'"),
        ("chain: [power x2, {task: none}]",
         "task 'none' receives the previous result but takes no positional argument"),
        ("chain: [none, {task: power, args: [1, 2]}]",
         "task 'power' receives the previous result and 2 more positional arguments "
         "but takes at most"
         " 2"),
        ("chord: {header: power x2, body: none}",
         "task 'none' receives the previous result but takes no positional argument"),
        ("group: none x2",
         "task 'none' receives 1 positional argument but takes no positional argument"),
        ("group: none x0",
         "task 'none' receives 1 positional argument but takes no positional argument"),
        ("map: {task: none, over: [1]}",
         "task 'none' receives 1 positional argument but takes no positional argument"),
        ("{task: power, times: '${1.5}', args: [1]}",
         "the number of calls must be an integer from 0, not 1.5"),
        ("{task: power, times: '${0 - 1}', args: [1]}",
         "the number of calls must be an integer from 0, not -1"),
        ("{task: power, times: '${true}', args: [1]}",
         "the number of calls must be an integer from 0, not true"),
        ("{task: call, priority: '${300}'}",
         "'priority' must be an integer from 0 to 255, not 300"),
        ("{task: call, queue: '${1}'}", "'queue' must be the name of a queue, not 1"),
        ("{task: call, args: ['${i}']}", "unknown name 'i'"),
        ("{task: call, times: 2, as: n, args: ['${i}']}", "unknown name 'i'"),
    ],
)  # fmt: skip
def test_a_call_that_cannot_work_is_refused(text: str, message: str) -> None:
    assert message in refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "chain: [none, {task: power, immutable: true, args: [1, 2]}]",
        "chain: [none, call]",
        "{task: keyed, kwargs: {name: x}}",
        "{task: positional, args: [1]}",
        "{task: none, times: 3, args: []}",
        "chain: [none, {task: none, immutable: true}]",
    ],
)
def test_a_call_that_can_work_is_planned(text: str) -> None:
    planned(text)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "input 'n' has no value"),
        ({"n": "ten"}, "input 'n' must be an integer, not the string 'ten'"),
        ({"n": "0"}, "input 'n' must be at least 1, not 0"),
        ({"n": "null"}, "input 'n' must be an integer, not null"),
        ({"n": "1", "m": "2"}, "unknown input 'm'"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(inputs: dict[str, str], message: str) -> None:
    text = "{inputs: {n: {type: integer, minimum: 1}}, group: 'call x${inputs.n}'}"
    assert refused(text, inputs) == [message]


def test_a_problem_of_every_call_of_a_fan_out_is_said_once() -> None:
    assert refused("{task: call, times: 1000, args: ['${1 / i}']}") == ["division by zero"]


def test_too_many_calls_are_refused_before_they_are_made() -> None:
    assert refused("group: power x999999999") == ["the workflow has more than 100,000 calls"]


def test_everything_wrong_is_said_at_once_in_the_order_of_the_file() -> None:
    text = "chain:\n- powr\n- {task: power, agrs: []}\n- {task: power, kwargs: {x: 1}}\n- amas\n"
    assert refused(text) == [
        "unknown task 'powr'",
        "unknown key 'agrs'",
        "task 'power' has no argument 'x'",
        "unknown task 'amas'",
    ]


def test_a_count_of_none_is_not_refused_for_what_its_first_call_would_do() -> None:
    text = """
        inputs: {rows: {type: array}}
        task: power
        times: "${len(inputs.rows)}"
        args: ["${inputs.rows[i]}"]
    """
    planned(text, {"rows": "[]"})
    assert refused("{task: power, times: 0, args: ['${nobody}']}") == ["unknown name 'nobody'"]


@pytest.mark.parametrize(
    "text",
    [
        "{defaults: {power: {kwargs: {expo: 3}}}, chain: [power x2, {task: call}, "
        "{task: power, args: [2]}]}",
        "{defaults: {power: {kwargs: {value: 3}}}, group: power x3}",
        "{defaults: {power: {kwargs: {value: 3}}}, chain: [call, power]}",
    ],
)
def test_a_default_keyword_gives_way_to_what_comes_by_position(text: str) -> None:
    planned(text)


@pytest.mark.parametrize("text", ["chain: [{chain: []}, {task: power, args: [3, 2]}]"])
def test_what_comes_after_an_empty_chain_has_no_previous_result(text: str) -> None:
    planned(text)
    assert refused("chain: [{chain: []}, power]") == ["task 'power' needs the argument 'value'"]


@pytest.mark.parametrize("header", ["task", "id", "eta", "expires", "ignore_result"])
def test_celerys_own_headers_cannot_be_written_over(header: str) -> None:
    text = f"{{task: call, headers: {{{header}: negate}}}}"
    assert refused(text) == [f"the header '{header}' is reserved by Celery"]


@pytest.mark.parametrize("text", ['"power\\n"', '"power x3\\n"', '"\\npower"'])
def test_a_call_that_ends_in_a_line_break_is_refused(text: str) -> None:
    assert refused(f"group: [{text}]")
    assert refused(f"{{task: {text}}}")


def test_what_celerys_json_takes_for_its_own_is_refused() -> None:
    text = "{task: call, args: [{__type__: datetime, __value__: '2020-01-01'}]}"
    assert refused(text) == ["a mapping cannot consist of '__type__' and '__value__'"]


def test_a_definition_that_is_wrong_refuses_no_value() -> None:
    text = "{inputs: {x: {type: string, pattern: '(a'}}, task: call, args: ['${inputs.x}']}"
    assert refused(text, {"x": "a"}) == ["'(a' is not a valid regular expression"]


def test_a_definition_that_is_wrong_behind_hundreds_of_problems_is_no_fault() -> None:
    steps = ", ".join(f"{{task: call, bad{n}: 1}}" for n in range(250))
    text = f"{{chain: [{steps}], inputs: {{x: {{type: foo, default: 1}}}}}}"
    assert len(refused(text)) >= 200


def test_thousands_of_problems_take_no_more_than_their_share() -> None:
    text = "group:\n" + "".join(f"  - nobody{n}\n" for n in range(20_000))
    assert len(refused(text)) == 20_000


def test_the_loops_name_goes_before_a_steps_id() -> None:
    planned("chain: [{task: call, id: i}, {task: call, times: 2, args: ['${i}']}]")


def test_options_may_use_the_index() -> None:
    plan = planned("{task: call, times: 3, countdown: '${i * 2}'}")
    found = [call.options["countdown"] for call in plan.calls() if call.kind == "task"]
    assert found == [0, 2, 4]


@pytest.mark.parametrize(
    "text",
    [
        "{task: call, times: 100000, args: ['${range(i, i + 99999)}']}",
        "{task: call, times: 100000, args: ['${sum(range(99999)) + i}']}",
    ],
)
def test_expressions_of_a_fan_out_share_one_budget_of_work(text: str) -> None:
    assert refused(text) == [USED_UP]


@pytest.mark.parametrize(
    ("option", "wanted"),
    [
        ("countdown: '${0 - 1}'", "a duration from 0 to a year"),
        ("time_limit: '${0}'", "a duration of more than 0 and at most a year"),
        ("routing_key: '${1}'", "a string"),
        ("headers: '${1}'", "a mapping"),
    ],
)
def test_an_option_that_an_expression_gives_is_checked(option: str, wanted: str) -> None:
    (message,) = refused(f"{{task: call, {option}}}")
    assert f"must be {wanted}" in message


def test_a_fault_of_one_index_is_told_with_the_first_that_has_it() -> None:
    text = "{inputs: {rows: [1]}, task: call, times: 5, args: ['${inputs.rows[i]}']}"
    assert len(refused(text)) == 1


@pytest.mark.parametrize("kind", ["map", "starmap", "chunks"])
@pytest.mark.parametrize("key", ["kwargs: {expo: 3}", "args: [2]"])
def test_a_default_that_items_cannot_carry_is_refused_and_not_ignored(kind: str, key: str) -> None:
    items = "[1]" if kind == "map" else "[[1]]"
    size = ", size: 1" if kind == "chunks" else ""
    text = f"{{defaults: {{power: {{{key}}}}}, {kind}: {{task: power, over: {items}{size}}}}}"
    name = key.partition(":")[0]
    assert refused(text) == [f"'{kind}' cannot give task 'power' its default '{name}'"]
