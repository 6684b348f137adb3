"""Another file as a step: in its place, with inputs, and with what is wrong in the right file."""

from __future__ import annotations

from collections.abc import Mapping as Lookup
from pathlib import Path
from typing import Any

import pytest

from flowrunner import plan
from flowrunner.environment import revealed
from flowrunner.errors import WorkflowError
from flowrunner.loader import WorkflowFiles
from flowrunner.node import Mapping
from flowrunner.plan import Plan
from flowrunner.planner import plan_workflow
from flowrunner.semantics import Failure, evaluate
from flowrunner.source import Location
from tests.planner.planning import FUNCTIONS, call, registry

ADD = """\
inputs:
  count: {type: integer, minimum: 1}
  label: none
chain:
- {task: call, args: ["${inputs.count}", "${inputs.label}"]}
"""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "parts").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def planned(main: str, *, environment: Lookup[str, str] | None = None, **parts: str) -> Plan:
    """Return the plan of a file; ``parts`` are files in a folder beside it."""
    Path("main.yaml").write_text(main)
    for name, text in parts.items():
        Path(f"parts/{name}.yaml").write_text(text)
    read = WorkflowFiles()
    workflow = read.load(Path("main.yaml"))
    given = Mapping((), Location(workflow.source, 0, 0))
    return plan_workflow(workflow, registry(), given, load=read.load, environment=environment)


def value(ready: Plan) -> Any:
    found = evaluate(
        ready.root, lambda name, args, kwargs: FUNCTIONS.get(name, call)(*args, **kwargs)
    )
    if isinstance(found, Failure):
        return [f"{path}: {type(error).__name__}: {error}" for path, error in found.causes]
    return found


def told(main: str, *, environment: Lookup[str, str] | None = None, **parts: str) -> list[str]:
    with pytest.raises(WorkflowError) as caught:
        planned(main, environment=environment, **parts)
    return [
        f"{each.location}: {each.message}" + (f": {each.label}" if each.label else "")
        for each in caught.value.diagnostics
    ]


@pytest.mark.usefixtures("files")
class TestValues:
    def test_a_file_stands_in_the_place_of_its_step(self) -> None:
        ready = planned("{use: parts/add.yaml, with: {count: 3}}", add=ADD)
        assert not ready.unfolds
        assert [each.path for each in ready.calls()] == ["use.chain[0]"]
        assert value(ready) == [3, "none"]
        assert [source.name for source in ready.used] == ["parts/add.yaml"]

    def test_its_first_steps_are_given_what_the_step_is_given(self) -> None:
        main = "chain: [{task: call, args: [1]}, {use: parts/add.yaml, with: {count: 2}}, call]"
        assert value(planned(main, add=ADD)) == [[[1], 2, "none"]]

    def test_inputs_that_run_time_knows_are_checked_then(self) -> None:
        main = (
            "chain: [{task: call, args: [%s]}, "
            "{use: parts/add.yaml, with: {count: '${prev[0]}', label: x}}]"
        )
        ready = planned(main % 2, add=ADD)
        assert ready.unfolds
        assert value(ready) == [[2], 2, "x"]
        assert value(planned(main % 0, add=ADD)) == [
            "chain[1].use: ExpressionError: input 'count' must be at least 1, not 0"
        ]

    def test_a_file_that_uses_a_file_hands_on_what_run_time_knows(self) -> None:
        ready = planned(
            "chain: [{task: call, args: [7]}, {use: parts/outer.yaml, with: {given: '${prev}'}}]",
            outer="{inputs: {given: []}, use: add.yaml, with: {count: '${inputs.given[0] + 1}'}}",
            add=ADD,
        )
        assert value(ready) == [[7], 8, "none"]
        assert [source.name for source in ready.used] == ["parts/outer.yaml", "parts/add.yaml"]

    def test_outputs_are_its_value(self) -> None:
        ready = planned(
            "chain: [{use: parts/out.yaml}, {task: call, args: ['${prev.total}']}]",
            out="{outputs: {total: '${len(prev)}', first: '${one}'}, "
            "chain: [{task: call, id: one, args: [1]}, {task: call, args: [2]}]}",
        )
        assert value(ready) == [{"total": 2, "first": [1]}, 2]

    def test_each_may_use_a_file_per_item(self) -> None:
        main = "{each: [1, 2], do: {use: parts/add.yaml, with: {count: '${item}'}}}"
        ready = planned(main, add=ADD)
        assert not ready.unfolds
        assert value(ready) == [[1, 1, "none"], [2, 2, "none"]]
        later = main.replace("[1, 2]", "'${prev}'")
        later = f"chain: [{{task: call, args: [1, 2]}}, {later}]"
        assert value(planned(later, add=ADD)) == [[1, 1, "none"], [2, 2, "none"]]

    def test_a_file_has_defaults_and_ids_of_its_own(self) -> None:
        ready = planned(
            "{defaults: {call: {args: [outer]}}, chain: "
            "[{task: call, id: one}, {use: parts/own.yaml}, {task: call, args: ['${one}']}]}",
            own="{defaults: {call: {args: [own]}}, chain: "
            "[{task: call, id: one}, {task: call, args: ['${one}']}]}",
        )
        assert value(ready) == [[[["outer"], "own"], [["outer"], "own"]], ["outer"]]

    def test_an_id_may_be_given_to_the_step(self) -> None:
        main = (
            "chain: [{use: parts/add.yaml, with: {count: 3}, id: sum}, "
            "{task: call, immutable: true, args: ['${sum[0]}']}]"
        )
        assert value(planned(main, add=ADD)) == [3]


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("main", "problems"),
    [
        (
            "{use: parts/gone.yaml}",
            ["main.yaml:1:7: the file parts/gone.yaml does not exist"],
        ),
        (
            "{use: parts/add.yaml, with: {count: 0, lable: x}}",
            [
                "main.yaml:1:37: input 'count' must be at least 1, not 0",
                "main.yaml:1:40: parts/add.yaml has no input 'lable': did you mean 'label'?",
            ],
        ),
        (
            "{use: parts/add.yaml}",
            [
                "main.yaml:1:7: input 'count' of parts/add.yaml has no value: "
                "set it beside 'use': with: {count: …}"
            ],
        ),
        (
            "chain: [{task: unknown}, {use: parts/wrong.yaml}, {use: parts/wrong.yaml}]",
            [
                "main.yaml:1:16: unknown task 'unknown': no plugin provides it",
                "parts/wrong.yaml:2:9: unknown task 'cal': "
                "no plugin provides it; did you mean 'call'?",
                "parts/wrong.yaml:3:26: unknown input 'none': there are no inputs",
            ],
        ),
        (
            "{use: parts/whole.yaml}",
            [
                "main.yaml:1:7: parts/whole.yaml has 'on_error', which a step cannot have: "
                "write it in the workflow that uses the file, or beside 'use'",
                "main.yaml:1:7: parts/whole.yaml has 'finally', which a step cannot have: "
                "write it in the workflow that uses the file",
                "main.yaml:1:7: parts/whole.yaml has 'timeout', which a step cannot have: "
                "write it in the workflow that uses the file",
            ],
        ),
        (
            "{use: parts/circle.yaml}",
            [
                "parts/circle.yaml:1:7: cycle of used files: "
                "main.yaml → parts/circle.yaml → main.yaml"
            ],
        ),
        (
            "chain: [call, {use: '${prev}'}]",
            [
                "main.yaml:1:21: the file of 'use' must be known before the run: "
                "'prev' is known only at run time"
            ],
        ),
        (
            "chain: [{task: call, id: one}, {use: parts/inner.yaml}]",
            ["parts/inner.yaml:1:24: unknown name 'one': known names: inputs"],
        ),
        (
            "chain: [{use: parts/named.yaml}, {task: call, args: ['${hidden}']}]",
            ["main.yaml:1:57: unknown name 'hidden': known names: inputs"],
        ),
    ],
)
def test_problems(main: str, problems: list[str]) -> None:
    found = told(
        main,
        add=ADD,
        wrong='chain:\n- task: cal\n- {task: call, args: ["${inputs.none}"]}\n',
        whole="{task: call, on_error: call, finally: call, timeout: 3}",
        circle="{use: ../main.yaml}",
        inner="{task: call, args: ['${one}']}",
        named="{task: call, id: hidden}",
    )
    assert found == problems


@pytest.mark.usefixtures("files")
def test_files_that_multiply_are_bounded() -> None:
    parts = {f"p{n}": f"group: [{', '.join([f'use: p{n + 1}.yaml'] * 20)}]" for n in range(9)}
    (found,) = told("{use: parts/p0.yaml}", **parts, p9="chain: []")
    assert found.endswith("the workflow has more than 10,000 steps that use files")


@pytest.mark.usefixtures("files")
class TestSecrets:
    TEXT = "{env: [TOKEN], task: call, args: ['${env.TOKEN}'], kwargs: {k: 'a ${env.TOKEN}'}}"

    def test_they_stay_texts(self) -> None:
        ready = planned(self.TEXT)
        (found,) = ready.calls()
        assert repr((found.args, found.kwargs)) == "(('${env.TOKEN}',), {'k': 'a ${env.TOKEN}'})"
        assert ready.env == ("TOKEN",)
        assert not ready.unfolds

    def test_a_used_file_is_given_them_by_with_and_lists_its_own(self) -> None:
        ready = planned(
            "{env: [TOKEN], use: parts/inner.yaml, with: {key: '${env.TOKEN}'}}",
            inner="{inputs: {key: {type: string}}, env: [OTHER], task: call, "
            "args: ['${inputs.key}/${env.OTHER}', 'a ${inputs.key}']}",
        )
        (found,) = ready.calls()
        assert repr(found.args) == "('${inputs.key}/${env.OTHER}', 'a ${inputs.key}')"
        assert revealed(found.args, {"TOKEN": "one", "OTHER": "two"}) == ("one/two", "a one")
        assert ready.env == ("OTHER", "TOKEN")

    def test_one_beside_what_run_time_knows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TOKEN", "hunter2")
        main = (
            "{env: [TOKEN], chain: [{task: call, args: [1]}, "
            "{task: call, args: ['${prev[0]}-${env.TOKEN}'], immutable: true}]}"
        )
        assert value(planned(main)) == ["1-hunter2"]

    def test_they_have_to_be_set_where_the_workflow_is_applied(self) -> None:
        assert planned(self.TEXT, environment={"TOKEN": ""}).env == ("TOKEN",)
        assert told(self.TEXT, environment={}) == [
            "main.yaml:1:38: the environment variable 'TOKEN' is not set: "
            "set it where you apply the workflow",
            "main.yaml:1:69: the environment variable 'TOKEN' is not set: "
            "set it where you apply the workflow",
        ]

    @pytest.mark.parametrize(
        ("main", "problem"),
        [
            (
                "{env: [TOKEN], task: call, args: ['${env.TOKNE}']}",
                "38: the file does not list 'TOKNE' in 'env:': did you mean 'TOKEN'?",
            ),
            (
                "{task: call, args: ['${env.TOKEN}']}",
                "24: the file does not list 'TOKEN' in 'env:': add it: env: [TOKEN]",
            ),
            (
                "{env: [TOKEN], task: call, args: ['${env}']}",
                "38: 'env' alone has no value: name a variable: env.NAME",
            ),
            (
                "{env: [TOKEN], task: call, args: ['${env.TOKEN.x}']}",
                "38: 'env.TOKEN' is a string: remove the rest: a string has no parts",
            ),
            (
                "{env: [TOKEN], task: call, when: env.TOKEN == 'x'}",
                "34: a condition cannot use a secret: 'env.TOKEN' is a secret: "
                "use it only in arguments of tasks and in 'with'",
            ),
            (
                "{env: [TOKEN], task: call, times: '${len(env.TOKEN)}'}",
                "35: the number of calls cannot use a secret: 'env.TOKEN' is a secret: "
                "use it only in arguments of tasks and in 'with'",
            ),
            (
                "{env: [TOKEN], each: ['${env.TOKEN}'], do: call}",
                "23: 'each' cannot use a secret: 'env.TOKEN' is a secret: "
                "use it only in arguments of tasks and in 'with'",
            ),
            (
                "{env: [TOKEN], task: call, queue: '${env.TOKEN}'}",
                "35: 'queue' cannot use a secret: 'env.TOKEN' is a secret: "
                "use it only in arguments of tasks and in 'with'",
            ),
            (
                "{env: [TOKEN], task: call, outputs: {a: '${env.TOKEN}'}}",
                "41: an output cannot use a secret: 'env.TOKEN' is a secret: "
                "use it only in arguments of tasks and in 'with'",
            ),
            (
                "{env: [TOKEN], task: call, args: ['${int(env.TOKEN)}']}",
                "36: int cannot read '${env.TOKEN}': write digits, with at most a sign",
            ),
        ],
    )
    def test_problems(self, main: str, problem: str) -> None:
        assert told(main, environment={"TOKEN": "hunter2"}) == [f"main.yaml:1:{problem}"]

    def test_an_input_does_not_let_one_out(self) -> None:
        inner = "{inputs: {key: {type: string}}, task: call, outputs: {a: '${inputs.key}'}}"
        assert told(
            "{env: [TOKEN], use: parts/inner.yaml, with: {key: '${env.TOKEN}'}}", inner=inner
        ) == [
            "parts/inner.yaml:1:58: an output cannot use a secret: 'inputs.key' is a secret: "
            "use it only in arguments of tasks and in 'with'"
        ]

    def test_one_that_does_not_fit_an_input_is_not_told(self) -> None:
        (found,) = told(
            "{env: [TOKEN], use: parts/inner.yaml, with: {key: '${env.TOKEN}'}}",
            environment={"TOKEN": "hunter2"},
            inner="{inputs: {key: {type: string, pattern: '^[a-z]+$'}}, task: call}",
        )
        assert found == ("main.yaml:1:51: the secret for input 'key' does not match its definition")


@pytest.mark.usefixtures("files")
class TestGraphs:
    def test_a_graph_of_trees_is_a_canvas(self) -> None:
        ready = planned(
            "graph: {a: {task: call, args: [1]}, b: {task: call, needs: [a]}, "
            "c: {task: call, needs: [a], args: [2]}, d: {task: call, needs: [c, b, a]}}"
        )
        assert not ready.unfolds
        assert value(ready) == [[[[1], 2], [[1]], [1]]]

    def test_others_stay_graphs(self) -> None:
        ready = planned(
            "graph: {a: {task: call, args: [1]}, b: {task: call, args: [2]}, "
            "c: {task: call, needs: [a]}, d: {task: call, needs: [a, b]}, "
            "e: {task: call, needs: [c, d]}}"
        )
        assert isinstance(ready.root, plan.Graph)
        assert value(ready) == [[[[1]], [[[1], [2]]]]]

    def test_names_are_ids_for_those_that_need_them_and_after_the_graph(self) -> None:
        ready = planned(
            "chain: [{graph: {a: {task: call, args: [1]}, b: {task: call, needs: [a]}, "
            "c: {task: call, needs: [b], args: ['${a}']}}}, {task: call, args: ['${b}']}]"
        )
        assert value(ready) == [[[[1]], [1]], [[1]]]

    def test_a_step_with_no_need_is_given_what_the_graph_is_given(self) -> None:
        main = (
            "chain: [{task: call, args: [0]}, "
            "{graph: {a: call, b: call, c: {task: call, needs: [a, b]}}}]"
        )
        assert value(planned(main)) == [[[[0]], [[0]]]]

    @pytest.mark.parametrize(
        ("main", "problems"),
        [
            (
                "graph: {a: none, b: {task: none, needs: [a]}}",
                ["1:28: task 'none' receives the previous result but takes no positional argument"],
            ),
            (
                "graph: {a: call, b: {task: call, args: ['${a}']}, c: {task: call, needs: [a, b]}}",
                ["1:44: 'a' may not have ended when this step starts"],
            ),
            (
                "graph: {a: {task: call, needs: [b]}, b: {task: cal, needs: [a]}}",
                [
                    "1:33: dependency cycle: a → b → a",
                    "1:48: unknown task 'cal'",
                ],
            ),
        ],
    )
    def test_problems(self, main: str, problems: list[str]) -> None:
        found = told(main)
        assert len(found) == len(problems)
        for each, problem in zip(found, problems, strict=True):
            assert each.startswith(f"main.yaml:{problem}")

    def test_a_wide_and_a_long_graph_are_planned_at_once(self) -> None:
        long = ", ".join(
            f"s{n}: {{task: call, needs: [s{n - 1}]}}" if n else "s0: call" for n in range(3_000)
        )
        assert planned(f"graph: {{{long}}}").task_count == 3_000
