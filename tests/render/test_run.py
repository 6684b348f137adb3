"""How a run is told: the tree with what each line has done, the failures, the last line."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from flowrunner.model import HANDLER_NAMES
from flowrunner.plan import Plan
from flowrunner.render.diagnostics import format_diagnostics
from flowrunner.render.outcome import failures, headline, own_frames, result_text
from flowrunner.render.progress import RunTree
from flowrunner.render.tally import Tally
from flowrunner.runs.outcome import Outcome, outcome_to_json
from flowrunner.runs.run_ledger import RunLedger
from flowrunner.runs.step_state import StepError
from tests.planner.planning import planned

TEXT = "chain:\n  - chord:\n      header: [call x3, call]\n      body: call\n  - call\n"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def told(plan: Plan, states: dict[str, str], *, message: str = "no") -> RunLedger:
    ledger = RunLedger(plan)
    for path, state in states.items():
        step = ledger.steps[path].call
        error = StepError(step, "ValueError", message) if state == "FAILURE" else None
        part = next(
            (ledger.handlers[name] for name in HANDLER_NAMES if path.startswith(name)), None
        )
        (part or ledger.main).record(path, state, error)
    return ledger


def ended(plan: Plan, ledger: RunLedger, state: Any = "FAILURE", **known: Any) -> Outcome:
    return Outcome(
        UUID(int=1),
        plan.name,
        state,
        NOON,
        NOON + timedelta(seconds=1.5),
        errors=tuple(ledger.errors),
        skipped=tuple(ledger.skipped()),
        **known,
    )


def tree(plan: Plan, ledger: RunLedger) -> list[str]:
    return [
        f"{line.text} | {line.tally}" if line.tally else line.text
        for line in RunTree(plan).lines(ledger)
    ]


HEADER = "chain[0].chord.header"


def test_each_line_says_how_far_its_calls_are() -> None:
    plan = planned(TEXT)
    ledger = told(
        plan,
        {f"{HEADER}[0][0]": "SUCCESS", f"{HEADER}[0][1]": "STARTED", f"{HEADER}[1]": "RETRY"},
    )
    assert tree(plan, ledger) == [
        "└─ chain",
        "   ├─ chord",
        "   │  ├─ header  group of 4",
        "   │  │  ├─ call ×3 | 1/3 done, 1 running",
        "   │  │  └─ call | retrying",
        "   │  └─ body    call | waiting",
        "   └─ call | waiting",
    ]


def test_a_failure_skips_what_comes_after_it_and_not_its_siblings() -> None:
    plan = planned(TEXT)
    ledger = told(plan, {f"{HEADER}[1]": "FAILURE"})
    assert tree(plan, ledger)[3:] == [
        "   │  │  ├─ call ×3 | 0/3 done",
        "   │  │  └─ call | failed",
        "   │  └─ body    call | skipped",
        "   └─ call | skipped",
    ]


HANDLERS = (
    "on_error: {chain: [call, call]}\nfinally: {group: call x2}\nchain: [power, call]\n"
    "defaults: {power: {args: [2]}}\n"
)


def test_handlers_have_lines_of_their_own() -> None:
    plan = planned(HANDLERS)
    states = {"chain[0]": "FAILURE", "on_error.chain[0]": "FAILURE", "finally.group[0]": "STARTED"}
    assert tree(plan, told(plan, states)) == [
        "├─ chain",
        "│  ├─ power(2) | failed",
        "│  └─ call | skipped",
        "├─ on_error  chain",
        "│  ├─ call | failed",
        "│  └─ call | skipped",
        "└─ finally   call ×2 | 0/2 done, 1 running",
    ]


def test_a_handler_that_is_not_needed_says_so_and_is_not_counted() -> None:
    plan = planned("task: call\non_error: {group: call x5}\n")
    ledger = told(plan, {"task": "SUCCESS"})
    ledger.handlers["on_error"].leave_out()
    assert tree(plan, ledger) == ["├─ call | done", "└─ on_error  call ×5 | not needed"]
    assert headline(ended(plan, ledger, "SUCCESS"), ledger).endswith(" · 1 task")


def test_failures_of_the_handlers_come_last_though_they_stand_first_in_the_file() -> None:
    plan = planned(HANDLERS)
    paths = ["finally.group[0]", "chain[0]", "on_error.chain[0]"]
    outcome = ended(plan, told(plan, dict.fromkeys(paths, "FAILURE")))
    found = failures(outcome)
    assert [each.label for each in found] == ["chain[0]", "on_error.chain[0]", "finally.group[0]"]
    notes = [[note for note in each.notes if note.startswith("skipped")] for each in found]
    assert notes == [
        ["skipped because of it: chain[1]"],
        ["skipped because of it: on_error.chain[1]"],
        [],
    ]


def test_many_failures_do_not_hide_that_of_a_handler() -> None:
    plan = planned("group: call x300\nfinally: call\n")
    ledger = RunLedger(plan)
    for number in range(300):
        step = ledger.steps[f"group[{number}]"].call
        ledger.main.record(step.path, "FAILURE", StepError(step, "ValueError", f"no {number}"))
    ledger.handlers["finally"].record("finally", "FAILURE")
    assert failures(ended(plan, ledger))[-1].label == "finally"


@pytest.mark.parametrize(
    ("tally", "bar"),
    [
        (Tally(4), "····"),
        (Tally(4, succeeded=1, running=2), "#···"),
        (Tally(4, succeeded=1, failed=1, skipped=1), "###·"),
        (Tally(3, succeeded=3), "####"),
        (Tally(1, succeeded=1), ""),
        (Tally(4, unneeded=4), ""),
    ],
)
def test_the_bar_shows_what_has_ended(tally: Tally, bar: str) -> None:
    assert tally.bar(4, full="#", empty="·") == bar


def test_failures_of_one_step_that_are_alike_are_told_together() -> None:
    plan = planned(TEXT)
    ledger = told(plan, {f"{HEADER}[0][{n}]": "FAILURE" for n in range(3)})
    shown = format_diagnostics(failures(ended(plan, ledger)))
    assert shown.splitlines() == [
        "error: task 'call' failed (3 calls): ValueError: no",
        "  ┌─ test.yaml:3:16",
        "  │",
        "3 │       header: [call x3, call]",
        f"  │                ^^^^ {HEADER}[0][0], {HEADER}[0][1], {HEADER}[0][2]",
        "  │",
        "  = skipped because of it: chain[0].chord.body, chain[1]",
    ]


def test_the_workers_of_failures_on_a_cluster_are_named() -> None:
    plan = planned("group: call x5")
    ledger = RunLedger(plan)
    for number in range(5):
        step = ledger.steps[f"group[{number}]"].call
        worker = f"celery@host{number}" if number != 1 else None
        error = StepError(step, "ValueError", "no", "Traceback …", worker)
        ledger.main.record(step.path, "FAILURE", error)
    assert format_diagnostics(failures(ended(plan, ledger))).splitlines()[-2:] == [
        "  = on celery@host0, celery@host2, celery@host3 and 1 more",
        "  = Traceback …",
    ]
    errors = outcome_to_json(ended(plan, ledger))["errors"]
    assert [error["worker"] for error in errors[:2]] == ["celery@host0", None]


def test_hundreds_of_failures_are_counted() -> None:
    plan = planned("group: call x300")
    ledger = RunLedger(plan)
    for number in range(300):
        step = ledger.steps[f"group[{number}]"].call
        ledger.main.record(step.path, "FAILURE", StepError(step, "ValueError", f"no {number}"))
    found = failures(ended(plan, ledger))
    assert len(found) == 11
    assert found[-1].message == "… and 290 more failures"


def test_a_run_that_was_interrupted_has_skipped_steps_and_no_failure() -> None:
    plan = planned(TEXT)
    ledger = told(plan, {f"{HEADER}[1]": "REVOKED"})
    outcome = ended(plan, ledger, "REVOKED", reason="interrupted")
    assert failures(outcome) == []
    assert headline(outcome, ledger) == (
        "test was cancelled after 1.50 s: interrupted · "
        "6 tasks: 2 skipped, 1 cancelled, 3 not started"
    )


def test_the_last_line_of_a_run_that_succeeded() -> None:
    plan = planned("task: call")
    outcome = ended(plan, ledger := told(plan, {"task": "SUCCESS"}), "SUCCESS")
    assert headline(outcome, ledger) == "test succeeded after 1.50 s · 1 task"


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (285, "285"),
        (2.0, "2.0"),
        (None, "null"),
        (True, "true"),
        ("a text", "a text"),
        ([1, "ä"], '[1, "ä"]'),
        ({"a": 1}, '{"a": 1}'),
        (["x" * 60, "y" * 60], f'[\n  "{"x" * 60}",\n  "{"y" * 60}"\n]'),
    ],
)
def test_a_result_is_json_and_a_text_is_itself(result: Any, text: str) -> None:
    assert result_text(result) == text


def test_programs_get_everything_that_is_known() -> None:
    plan = planned(TEXT)
    ledger = told(plan, {f"{HEADER}[1]": "FAILURE"})
    assert outcome_to_json(ended(plan, ledger)) == {
        "run": "00000000-0000-0000-0000-000000000001",
        "workflow": "test",
        "state": "FAILURE",
        "result": None,
        "reason": None,
        "errors": [
            {
                "step": "call",
                "path": f"{HEADER}[1]",
                "file": "test.yaml",
                "line": 3,
                "type": "ValueError",
                "message": "no",
                "traceback": "",
                "worker": None,
                "retries": 0,
                "notes": [],
            }
        ],
        "caught": [],
        "skipped": ["chain[0].chord.body", "chain[1]"],
        "started": "2026-01-01T12:00:00+00:00",
        "ended": "2026-01-01T12:00:01.500000+00:00",
        "seconds": 1.5,
    }


TRACEBACK = """\
Traceback (most recent call last):
  File "/site-packages/celery/app/trace.py", line 564, in trace_task
    R = retval = fun(*args, **kwargs)
                 ^^^^^^^^^^^^^^^^^^^^
  File "/home/flowrunner/engines/application.py", line 82, in task
    result = function(*args, **kwargs)
  File "/home/celery/tasks.py", line 8, in crash
    helper(value)
  File "/site-packages/requests/api.py", line 1, in get
    raise ValueError("no")
ValueError: no
second line
"""


def test_a_traceback_is_cut_to_what_the_author_of_the_task_wrote_and_called() -> None:
    assert own_frames(TRACEBACK).splitlines() == [
        "Traceback (most recent call last):",
        '  File "/home/celery/tasks.py", line 8, in crash',
        "    helper(value)",
        '  File "/site-packages/requests/api.py", line 1, in get',
        '    raise ValueError("no")',
        "ValueError: no",
        "second line",
    ]


GROUP = """\
  + Exception Group Traceback (most recent call last):
  |   File "/site-packages/flowrunner/engines/application.py", line 9, in task
  |     result = function(*args)
  |              ^^^^^^^^^^^^^^^
  |   File "/home/tasks.py", line 8, in crash
  |     raise ExceptionGroup("both", errors)
  | ExceptionGroup: both (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/site-packages/celery/app/trace.py", line 1, in trace_task
    |     R = retval = fun(*args, **kwargs)
    |   File "/home/tasks.py", line 3, in helper
    |     raise ValueError("no")
    | ValueError: no
    +------------------------------------
"""


def test_a_group_of_exceptions_is_cut_like_any_other_traceback() -> None:
    assert own_frames(GROUP).splitlines() == [
        "  + Exception Group Traceback (most recent call last):",
        '  |   File "/home/tasks.py", line 8, in crash',
        '  |     raise ExceptionGroup("both", errors)',
        "  | ExceptionGroup: both (1 sub-exception)",
        "  +-+---------------- 1 ----------------",
        "    | Traceback (most recent call last):",
        '    |   File "/home/tasks.py", line 3, in helper',
        '    |     raise ValueError("no")',
        "    | ValueError: no",
        "    +------------------------------------",
    ]


@pytest.mark.parametrize("text", ["", "no traceback at all", TRACEBACK.split('  File "/home/c')[0]])
def test_a_text_without_own_frames_is_left_as_it_is(text: str) -> None:
    assert own_frames(text) == text.rstrip()
