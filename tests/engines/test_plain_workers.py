"""``-A`` on the command line: an existing app's tasks on its own workers, without flowrunner."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from redis import Redis as RedisClient

from tests.engines.plain import PROJECT, PlainWorker, project_environment
from tests.engines.plans import HANG
from tests.engines.services import ClusterAddress, Redis
from tests.forking import run_command_text


def applied(
    text: str, folder: Path, address: ClusterAddress, *options: str, **settings: Any
) -> tuple[int, dict[str, Any]]:
    """Run a workflow through the command line; return its exit code and its JSON.

    ``settings`` are the project's own.
    """
    options = (*options, "--timeout", str(HANG))
    ended = commanded("apply", text, folder, address, *options, **settings)
    return ended.returncode, json.loads(ended.stdout)


def commanded(
    command: str,
    text: str,
    folder: Path,
    address: ClusterAddress,
    *options: str,
    **settings: Any,
) -> subprocess.CompletedProcess[str]:
    """Run a command of a workflow on the project's app; it prints JSON."""
    file = folder / "workflow.yaml"
    file.write_text(text)
    arguments = [command, str(file), "-A", "proj.celery_app:app", "--output", "json", *options]
    environment = project_environment(address, **settings)
    ended = run_command_text(*arguments, cwd=PROJECT, env=environment, timeout=2 * HANG)
    assert "Traceback" not in ended.stderr
    return ended


def test_the_workers_have_celery_and_no_flowrunner(plain_python: Path) -> None:
    def imports(module: str) -> int:
        command = [str(plain_python), "-c", f"import {module}"]
        return subprocess.run(command, check=False, capture_output=True, cwd=PROJECT).returncode

    assert imports("celery, redis, proj.celery_app") == 0
    assert imports("flowrunner") == 1


SHAPES: dict[str, tuple[str, Any]] = {
    "one task": ("{task: proj.tasks.power, args: [3]}", 9),
    "a task of the setting imports, and a shared one": (
        "{task: proj.more_tasks.negate, args: [3]}",
        -3,
    ),
    "chord in chord": (
        """
        chord:
          header:
            - chord: {header: proj.tasks.power x3, body: proj.tasks.amass}
            - chain: [{chord: {header: proj.tasks.power x4, body: proj.tasks.amass}},
                      proj.more_tasks.negate]
          body: {chord: {header: [proj.tasks.tag, proj.tasks.amass], body: proj.tasks.tag}}
        """,
        [[[[5, -14]], -9]],
    ),
    "groups of one and of none": (
        "group: [{group: []}, {group: [{task: proj.tasks.tag, args: [1]}]}, {chain: []}]",
        [[], [[1]], None],
    ),
    "groups in a row": (
        "chain: [{group: proj.tasks.tag x2}, {group: [proj.tasks.tag, {group: [proj.tasks.tag]}]}]",
        [[[[0], [1]]], [[[[0], [1]]]]],
    ),
    "map, starmap and chunks": (
        """
        group:
          - map: {task: proj.tasks.power, over: [1, 2]}
          - starmap: {task: proj.tasks.power, over: [[2, 3], [3]]}
          - chain: [{chunks: {task: proj.tasks.power, over: [[1], [2], [3]], size: 2}},
                    proj.tasks.tag]
        """,
        [[1, 4], [8, 9], [[[1, 4], [9]]]],
    ),
    "tasks with options of their own": (
        """
        chain:
          - group:
              - {task: proj.tasks.bound, args: [1]}
              - {task: proj.tasks.elsewhere, args: [2]}
              - {task: proj.tasks.routed, args: [3]}
          - {chord: {header: [proj.tasks.thrown_away, proj.tasks.pickled],
                     body: proj.tasks.thrown_away}}
        """,
        [
            "kept",
            [
                ["kept", [["proj.tasks.bound", 1], ["elsewhere", 2], ["routed", 3]]],
                ["pickled", [["proj.tasks.bound", 1], ["elsewhere", 2], ["routed", 3]]],
            ],
        ],
    ),
    "what flowrunner's own workers would get in parts": (
        "chain:\n"
        + "  - {chord: {header: {task: proj.tasks.power, times: 60, args: [1], immutable: true},\n"
        "             body: proj.tasks.amass}}\n" * 4,
        60,
    ),
    "tasks that replace themselves and keep no results": (
        """
        chord:
          header:
            - {task: proj.more_tasks.splits, args: [4]}
            - chain: [{task: proj.more_tasks.splits, args: [3]},
                      {task: proj.more_tasks.splits, args: [5], immutable: true}]
            - chord: {header: [{task: proj.more_tasks.splits, args: [2]},
                               {task: proj.more_tasks.unkept, args: [7]}],
                      body: proj.more_tasks.unkept_sum}
          body: proj.more_tasks.unkept_sum
        """,
        6 + 10 + 8,
    ),
    "tasks that do so in a dynamic plan": (
        """
        chain:
          - {task: proj.tasks.tag, args: [3, 4]}
          - chord:
              header:
                each: "${prev}"
                do: {task: proj.more_tasks.splits, args: ["${item}"], immutable: true}
              body: proj.more_tasks.unkept_sum
          - {task: proj.more_tasks.negate, retry: 1}
        """,
        -9,
    ),
    "no flowrunner where it runs": ("group: proj.tasks.has_flowrunner x3", [False] * 3),
}


@pytest.mark.parametrize(("text", "value"), SHAPES.values(), ids=SHAPES.keys())
def test_a_nested_workflow_runs_on_plain_workers(
    plain_worker: PlainWorker, tmp_path: Path, text: str, value: Any
) -> None:
    code, outcome = applied(text, tmp_path, plain_worker.address)
    assert (code, outcome["state"], outcome["result"]) == (0, "SUCCESS", value), outcome


def test_a_member_whose_replacement_fails_without_a_result_has_failed(
    plain_worker: PlainWorker, tmp_path: Path
) -> None:
    code, outcome = applied(
        "{chord: {header: [proj.more_tasks.replaced_by_failure, proj.tasks.tag],"
        " body: proj.tasks.tag}}",
        tmp_path,
        plain_worker.address,
    )
    (error,) = outcome["errors"]
    assert (code, error["path"]) == (1, "chord.header[0]")
    assert (error["type"], error["message"]) == ("ValueError", "no such order")
    assert outcome["skipped"] == ["chord.body"]


def test_every_failed_step_is_named(plain_worker: PlainWorker, tmp_path: Path) -> None:
    code, outcome = applied(
        """
        chord:
          header:
            - proj.tasks.fail
            - chain: [{task: proj.tasks.tag, args: [1]}, proj.tasks.too_slow, proj.tasks.tag]
            - {chord: {header: [proj.tasks.fail, {task: proj.tasks.gives, args: [set]}],
                       body: proj.tasks.tag}}
            - {task: proj.tasks.tag, args: [1]}
          body: proj.tasks.tag
        """,
        tmp_path,
        plain_worker.address,
    )
    assert (code, outcome["state"]) == (1, "FAILURE")
    found = {error["path"]: error for error in outcome["errors"]}
    header = "chord.header"
    assert {path: (error["type"], error["line"]) for path, error in found.items()} == {
        f"{header}[0]": ("ValueError", 4),
        f"{header}[1].chain[1]": ("TimeLimitExceeded", 5),
        f"{header}[2].chord.header[0]": ("ValueError", 6),
        f"{header}[2].chord.header[1]": ("EncodeError", 6),
    }
    assert "no such order" in found[f"{header}[0]"]["message"]
    assert "in fail" in found[f"{header}[0]"]["traceback"]
    assert "set is not JSON" in found[f"{header}[2].chord.header[1]"]["message"]
    assert set(outcome["skipped"]) == {
        f"{header}[1].chain[2]",
        f"{header}[2].chord.body",
        "chord.body",
    }


LOST = "{task: proj.tasks.pay, retry: {max: 1, only: [PaymentError, OSError, ShopError]}}"


def test_a_plain_worker_keeps_what_survives_pickling(
    plain_worker: PlainWorker, tmp_path: Path
) -> None:
    ended = commanded("apply", LOST, tmp_path, plain_worker.address)
    assert ended.returncode == 1
    (error,) = json.loads(ended.stdout)["errors"]
    assert (error["type"], error["message"]) == ("ShopError", "card declined")
    assert ended.stderr.count("instances of 'PaymentError' may not survive pickling") == 1
    assert ended.stderr.count("pickling") == 1


def test_validate_and_doctor_warn_of_what_plain_workers_lose(
    plain_worker: PlainWorker, tmp_path: Path
) -> None:
    ended = commanded("validate", LOST, tmp_path, plain_worker.address)
    assert ended.returncode == 0
    (warning,) = json.loads(ended.stdout)["warnings"]
    assert warning["message"] == "instances of 'PaymentError' may not survive pickling"
    ended = commanded("doctor", LOST, tmp_path, plain_worker.address)
    findings = json.loads(ended.stdout)["findings"]
    (found,) = [each for each in findings if each["check"] == "exceptions"]
    assert found["severity"] == "warning"
    assert found["what"].endswith(warning["message"])


def test_an_exception_inside_a_class_is_known_by_its_own_name(
    plain_worker: PlainWorker, tmp_path: Path
) -> None:
    text = "{task: proj.tasks.find_order, retry: {max: 2, only: [Order.DoesNotExist]}}"
    code, outcome = applied(text, tmp_path, plain_worker.address)
    (error,) = outcome["errors"]
    assert (code, error["type"], error["message"]) == (1, "DoesNotExist", "no order 7")
    assert error["retries"] == 2


def test_the_apps_prefix_and_queue_are_used(plain_worker: PlainWorker, tmp_path: Path) -> None:
    applied("{task: proj.tasks.tag, queue: proj-own}", tmp_path, plain_worker.address)
    port, database = plain_worker.address.broker.rpartition(":")[2].split("/")
    keys = RedisClient(port=int(port), db=int(database)).keys()
    assert keys
    assert all(key.startswith((b"proj-", b"_kombu.binding", b"/")) for key in keys), keys


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "{task: proj.tasks.tag, queue: nobodys}",
            "no worker consumes the queue 'nobodys', where task 'proj.tasks.tag' goes",
        ),
    ],
)
def test_what_no_worker_would_run_is_refused(
    plain_worker: PlainWorker, tmp_path: Path, text: str, words: str
) -> None:
    code, outcome = applied(text, tmp_path, plain_worker.address)
    assert (code, outcome["state"]) == (3, "REFUSED")
    (diagnostic,) = outcome["diagnostics"]
    assert words in diagnostic["message"]
    assert diagnostic["notes"][-1].split("\n") == [
        "start one:",
        "  flowrunner worker -A proj.celery_app:app -Q nobodys",
        "  celery -A proj.celery_app:app worker -Q nobodys",
    ]


@pytest.mark.parametrize(
    ("remote_control", "cure"),
    [
        (True, "start one that has the tasks:"),
        (False, "switch worker_enable_remote_control on where workers run, or start one that"),
    ],
)
def test_without_a_worker_the_apps_own_command_is_given(
    redis: Redis, tmp_path: Path, remote_control: bool, cure: str
) -> None:
    nobody = ClusterAddress(redis.url(14), redis.url(15))
    code, outcome = applied(
        "task: proj.tasks.tag", tmp_path, nobody, worker_enable_remote_control=remote_control
    )
    assert code == 3
    (diagnostic,) = outcome["diagnostics"]
    assert "no worker answers" in diagnostic["message"]
    assert diagnostic["notes"][-1].startswith(cure)
    assert diagnostic["notes"][-1].endswith("\n  celery -A proj.celery_app:app worker")


def test_settings_that_lose_results_or_change_them_do_not_reach_a_run(
    plain_python: Path, redis: Redis, tmp_path: Path
) -> None:
    address = ClusterAddress(redis.url(12), redis.url(13))
    settings = {
        "task_ignore_result": True,
        "task_serializer": "pickle",
        "accept_content": ["pickle", "json"],
        "result_accept_content": ["json"],
        "result_compression": "gzip",
        "task_acks_late": True,
    }
    with PlainWorker(plain_python, address, **settings):
        for name in (
            "chord in chord",
            "map, starmap and chunks",
            "tasks with options of their own",
        ):
            text, value = SHAPES[name]
            code, outcome = applied(text, tmp_path, address, **settings)
            assert (code, outcome["result"]) == (0, value), outcome
        text = "chain: [{task: proj.tasks.gives, args: [nan]}, proj.tasks.tag]"
        code, outcome = applied(text, tmp_path, address, **settings)
        assert (code, outcome["errors"][0]["type"]) == (1, "NotJSONError")


def test_options_win_over_the_apps_own_addresses(plain_worker: PlainWorker, tmp_path: Path) -> None:
    elsewhere = ClusterAddress("redis://127.0.0.1:1/0", "redis://127.0.0.1:1/1")
    options = ("--broker", plain_worker.address.broker, "--backend", plain_worker.address.backend)
    code, outcome = applied("{task: proj.tasks.tag, args: [1]}", tmp_path, elsewhere, *options)
    assert (code, outcome["result"]) == (0, [1])
