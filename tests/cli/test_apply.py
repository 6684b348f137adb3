"""``flowrunner apply``: what it prints, where, and what it exits with."""

import json
import os
import subprocess
import sys

import pytest

from tests.cli.commands import Folder


def test_the_result_is_all_that_stands_on_stdout(folder: Folder) -> None:
    ended = folder.run("apply", "powersum.yaml")
    assert (ended.code, ended.out, ended.err) == (0, "285\n", "")


@pytest.mark.parametrize(
    ("workflow", "printed"),
    [
        ("group: power x3", "[0, 1, 4]\n"),
        ("group: power x60", "[\n  0,\n  1,\n"),
        ("chain: []", "null\n"),
        ("task: text", "größer\x1b[31m\n"),
    ],
)
def test_a_result_is_printed_as_json_and_a_text_as_it_is(
    folder: Folder, workflow: str, printed: str
) -> None:
    ended = folder.run("apply", "-", stdin=workflow)
    assert ended.out.startswith(printed)
    assert ended.code == 0


def test_inputs_come_from_options_and_a_file_and_options_win(folder: Folder) -> None:
    name = folder.write(
        "w.yaml",
        "inputs: {n: 1, expo: 2, name: {type: string, default: x}}\n"
        "chord:\n  header: {task: power, times: '${inputs.n}', kwargs: {expo: '${inputs.expo}'}}\n"
        "  body: amass\n",
    )
    given = folder.write("given.yaml", "n: 4\nexpo: 1\n")
    assert folder.run("apply", name, "--inputs", given).out == "6\n"
    assert folder.run("apply", name, "--inputs", given, "-i", "n=3", "-i", "name=12").out == "3\n"


def test_inputs_may_be_what_json_writers_write(folder: Folder) -> None:
    workflow = "{inputs: {x: {type: string}}, task: text, args: ['${inputs.x}']}"
    name = folder.write("w.yaml", workflow)
    given = folder.write("given.json", json.dumps({"x": "\U0001f600"}))
    assert folder.run("graph", name, "--inputs", given).code == 0
    wrong = folder.write("wrong.json", '{"x": "\\ud83d\\ude00", "x": 2}')
    ended = folder.run("graph", name, "--inputs", wrong)
    assert (ended.code, ended.out) == (2, "")
    assert "wrong.json:1:" in ended.err


def test_a_diagnostic_quotes_no_line_of_a_file_of_inputs(folder: Folder) -> None:
    name = folder.write("w.yaml", "{inputs: {n: 1}, task: text, args: ['${inputs.n}']}")
    for wrong in ("private: 1\nn: 2\n", "n: [private\n"):
        given = folder.write("given.yaml", wrong)
        for output in ("text", "json"):
            ended = folder.run("validate", name, "--inputs", given, "--output", output)
            assert ended.code == 2
            assert "given.yaml" in ended.err + ended.out
            assert "private: 1" not in ended.err + ended.out
            assert "[private" not in ended.err + ended.out


def test_a_failed_run_names_the_step_its_place_its_siblings_and_what_was_skipped(
    folder: Folder,
) -> None:
    name = folder.write(
        "w.yaml", "chord:\n  header:\n    - power x3\n    - crash x2\n  body: amass\n"
    )
    ended = folder.run("apply", name)
    assert ended.code == 1
    assert ended.out == ""
    lines = ended.err.splitlines()
    # What tasks print, with their call, since they may run at the same time.
    assert set(lines[:2]) == {f"crash[{number}] │ about to crash" for number in (0, 1)}
    assert "   │  ├─ power ×3   3/3 done" in lines
    assert "   │  └─ crash ×2   0/2 done, 2 failed" in lines
    assert "   └─ body    amass   skipped" in lines
    assert "error: task 'crash' failed: ValueError: no invoice for 0" in lines
    assert "  ┌─ w.yaml:4:7" in lines
    assert "  │       ^^^^^ chord.header[1][0]" in lines
    assert any(line.endswith(", in crash") for line in lines)
    assert "celery/app/trace.py" not in ended.err
    assert "  = skipped because of it: chord.body" in lines
    assert lines[-1].startswith("error: w failed after ")
    assert lines[-1].endswith("6 tasks: 3 succeeded, 2 failed, 1 skipped")


def test_programs_get_a_failed_run_as_one_object(folder: Folder) -> None:
    ended = folder.run("apply", "-", "--output", "json", stdin="chain: [crash, amass]")
    said = json.loads(ended.out)
    assert ended.code == 1
    assert (said["state"], said["result"], said["skipped"]) == ("FAILURE", None, ["chain[1]"])
    (error,) = said["errors"]
    assert {name: error[name] for name in ("step", "path", "file", "line", "type", "message")} == {
        "step": "crash",
        "path": "chain[0]",
        "file": "<stdin>",
        "line": 1,
        "type": "ValueError",
        "message": "no invoice for None",
    }
    assert "raise ValueError" in error["traceback"]


@pytest.mark.parametrize(
    ("task", "words"), [("leave", "SystemExit"), ("odd", "the result is a set; return a list")]
)
def test_what_a_task_must_not_do_fails_its_step(folder: Folder, task: str, words: str) -> None:
    ended = folder.run("apply", "-", stdin=f"task: {task}")
    assert ended.code == 1
    assert words in ended.err


def test_a_refused_file_runs_nothing_and_exits_with_2(folder: Folder) -> None:
    ended = folder.run("apply", "-", stdin="chain: [crash, powr]")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: unknown task 'powr'\n  ┌─ <stdin>:1:16\n")
    assert "about to crash" not in ended.err


def test_programs_get_a_refusal_as_one_object(folder: Folder) -> None:
    ended = folder.run("apply", "-", "--output", "json", stdin="task: powr")
    said = json.loads(ended.out)
    assert (ended.code, said["state"]) == (2, "REFUSED")
    assert said["diagnostics"][0]["message"] == "unknown task 'powr'"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["powersum.yaml", "-i", "a=1"], "unknown input 'a'"),
        (["powersum.yaml", "-i", "a"], "an input must have the form name=value"),
        (["powersum.yaml", "-i", "=1"], "add a name before the '='"),
        (["powersum.yaml", "-i", "a=[1"], "a ',' or the closing ']' is missing"),
        (["powersum.yaml", "--inputs", "none.yaml"], "the file none.yaml does not exist"),
        (["powersum.yaml", "--inputs", "powersum.yaml"], "unknown input 'chord'"),
        (["powersun.yaml"], "did you mean powersum.yaml?"),
        (["plugins"], "plugins is a folder"),
        (["powersum.yaml", "--plugin", "none.py"], "plugin none.py (--plugin)"),
        (["powersum.yaml", "--concurrency", "0"], "--concurrency"),
        (["powersum.yaml", "--timeout", "-1"], "--timeout"),
        (["powersum.yaml", "--broker", "redis://localhost"], "no result backend is configured"),
        (["powersum.yaml", "--tpyo"], "--tpyo"),
        ([], "'flowrunner apply' needs 'FILE'"),
    ],
)
def test_a_wrong_command_line_exits_with_2_and_says_why(
    folder: Folder, arguments: list[str], words: str
) -> None:
    ended = folder.run("apply", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert "Traceback" not in ended.err


def test_a_dry_run_prints_the_graph_and_imports_no_celery(folder: Folder) -> None:
    # A module that cannot be imported stands in for Celery and all that it brings.
    for name in ("celery", "kombu", "billiard", "redis"):
        folder.write(f"{name}.py", "raise ImportError('imported')")
    ended = folder.run("apply", "powersum.yaml", "--dry-run", fresh=True, PYTHONPATH=".")
    assert ended.code == 0
    assert "header  power ×10   i = 0…9" in ended.out
    for arguments in (["graph", "powersum.yaml"], ["validate", "powersum.yaml"], ["--help"]):
        assert folder.run(*arguments, fresh=True, PYTHONPATH=".").code == 0
    assert folder.run("apply", "powersum.yaml", fresh=True, PYTHONPATH=".").code != 0


def test_a_timeout_ends_the_run_as_failed(folder: Folder) -> None:
    folder.write(
        "plugins/waiting.py",
        "import threading\nfrom flowrunner import hookimpl\n"
        "def wait():\n    threading.Event().wait()\n"
        "@hookimpl\ndef flowrunner_register_tasks(registry):\n    registry.add(wait)\n",
    )
    ended = folder.run("apply", "-", "--timeout", "0.1", stdin="chain: [wait, power]")
    assert ended.code == 1
    assert "0.1 s" in ended.err


NOTING = """
import sys
from flowrunner import hookimpl

def note(outcome):
    failed = [error["path"] for error in outcome["errors"]]
    print("noted", outcome["state"], outcome["result"], *failed, file=sys.stderr)

@hookimpl
def flowrunner_register_tasks(registry):
    registry.add(note)
"""


@pytest.mark.parametrize(
    ("workflow", "code", "out", "noted"),
    [
        ("task: text\nfinally: note\n", 0, "größer\x1b[31m\n", ["noted SUCCESS größer\x1b[31m"]),
        ("group: power x2\nfinally: crash\n", 1, "[0, 1]\n", []),
        ("chain: []\nfinally: crash\non_error: note\n", 1, "null\n", []),
        (
            "task: crash\non_error: crash\nfinally: note\n",
            1,
            "",
            ["noted FAILURE None task on_error"],
        ),
        ("chain: [crash, power]\non_error: note\n", 1, "", ["noted FAILURE None chain[0]"]),
    ],
)
def test_a_result_is_printed_whatever_a_handler_does(
    folder: Folder, workflow: str, code: int, out: str, noted: list[str]
) -> None:
    folder.write("plugins/noting.py", NOTING)
    ended = folder.run("apply", "-", stdin=workflow)
    assert (ended.code, ended.out) == (code, out)
    assert [line for line in ended.err.splitlines() if line.startswith("noted")] == noted


def test_programs_get_the_result_and_the_errors_of_handlers_after_the_first(
    folder: Folder,
) -> None:
    workflow = "on_error: {chain: [crash, amass]}\nfinally: crash\ngroup: [crash, power x2]\n"
    said = json.loads(folder.run("apply", "-", "--output", "json", stdin=workflow).out)
    paths = [error["path"] for error in said["errors"]]
    assert (said["state"], paths) == ("FAILURE", ["group[0]", "on_error.chain[0]", "finally"])
    assert said["skipped"] == ["on_error.chain[1]"]
    workflow = "group: power x2\nfinally: crash\n"
    said = json.loads(folder.run("apply", "-", "--output", "json", stdin=workflow).out)
    assert (said["state"], said["result"]) == ("FAILURE", [0, 1])


def test_output_that_nobody_reads_is_no_fault(folder: Folder) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-m", "flowrunner", "graph", "powersum.yaml"],
        cwd=folder.path,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, "")


def test_the_garbage_collector_is_on_while_tasks_run(folder: Folder) -> None:
    folder.write(
        "plugins/collector.py",
        "import gc\nfrom flowrunner import hookimpl\ndef collecting():\n    return gc.isenabled()\n"
        "@hookimpl\ndef flowrunner_register_tasks(registry):\n    registry.add(collecting)\n",
    )
    assert folder.run("apply", "-", stdin="task: collecting").out == "true\n"


def test_a_folder_that_cannot_be_written_is_no_fault(folder: Folder) -> None:
    folder.path.chmod(0o500)
    try:
        assert folder.run("apply", "powersum.yaml").out == "285\n"
    finally:
        folder.path.chmod(0o700)


def shell(folder: Folder, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command.replace("flowrunner", f"{sys.executable} -m flowrunner"),
        shell=True,
        cwd=folder.path,
        env=folder.environment(**environment),
        capture_output=True,
        text=True,
        check=False,
    )


def test_only_the_result_reaches_stdout_whoever_writes(folder: Folder) -> None:
    folder.write(
        "plugins/loud.py",
        "import os, subprocess, sys\nfrom flowrunner import hookimpl\nprint('imported')\n"
        "def loud():\n"
        "    print('printed')\n    os.write(1, b'written\\n')\n"
        "    subprocess.run(['echo', 'echoed'])\n    sys.__stdout__.write('kept')\n"
        "    sys.__stdout__.flush()\n    return 1\n"
        "@hookimpl\ndef flowrunner_register_tasks(registry):\n"
        "    print('registering')\n    registry.add(loud)\n"
        "@hookimpl\ndef flowrunner_configure_app(app):\n    print('configuring')\n",
    )
    for option in ([], ["--processes", "1"]):
        ended = folder.run("apply", "-", *option, fresh=True, stdin="task: loud")
        assert (ended.code, ended.out) == (0, "1\n")
        for word in ("imported", "registering", "configuring", "printed", "written", "echoed"):
            assert word in ended.err


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("flowrunner apply powersum.yaml >&-", 0),
        ("flowrunner apply powersum.yaml 2>&-", 0),
        ("flowrunner apply powersum.yaml <&-", 0),
        ("flowrunner --help >&-", 0),
        ("flowrunner apply none.yaml 2>&-", 2),
        ("flowrunner apply none.yaml 2>/dev/full", 2),
        ("flowrunner apply powersum.yaml >/dev/full", 74),
        ("flowrunner graph powersum.yaml >/dev/full", 74),
    ],
)
def test_a_stream_that_is_closed_or_full_is_no_fault_of_flowrunners(
    folder: Folder, command: str, code: int
) -> None:
    ended = shell(folder, command)
    assert ended.returncode == code
    assert "Traceback" not in ended.stderr
    assert "BUG" not in ended.stderr


def test_a_stdout_that_cannot_show_a_result_gets_it_escaped(folder: Folder) -> None:
    ended = shell(folder, "echo 'task: text' | flowrunner apply -", PYTHONIOENCODING="ascii")
    assert (ended.returncode, ended.stdout) == (0, "gr\\xf6\\xdfer\x1b[31m\n")


def test_the_documents_own_timeout_holds(folder: Folder) -> None:
    folder.write(
        "plugins/waiting.py",
        "import threading\nfrom flowrunner import hookimpl\n"
        "def wait():\n    threading.Event().wait()\n"
        "@hookimpl\ndef flowrunner_register_tasks(registry):\n    registry.add(wait)\n",
    )
    ended = folder.run("apply", "-", stdin="{timeout: 0.1, task: wait}")
    assert ended.code == 1
    assert "the run took longer than 0.1 s" in ended.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--plugin", "none.py"], 2, "plugin none.py (--plugin)"),
        (["--broker", "redis://127.0.0.1:1/0", "--backend", "redis://127.0.0.1:1/0"], 3, "reached"),
        (["--broker", "redis://x", "--backend", "redis://x", "--processes", "2"], 2, "--processes"),
    ],
)
def test_programs_get_every_refusal_as_one_object(
    folder: Folder, arguments: list[str], code: int, message: str
) -> None:
    ended = folder.run("apply", "powersum.yaml", "--output", "json", *arguments)
    said = json.loads(ended.out)
    assert (ended.code, said["state"]) == (code, "REFUSED")
    assert message in said["diagnostics"][0]["message"]
