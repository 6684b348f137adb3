"""What a terminal is shown: a live tree, colour; and what anything else is spared."""

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from threading import Thread
from time import sleep

import pytest

from flowrunner.cli.live import STYLES
from flowrunner.render.tally import Tally
from tests.cli.commands import Folder

pytestmark = pytest.mark.timeout(120)

SLOW = '''
import os
import threading
from flowrunner import hookimpl

def first(value):
    """Take longer than a run that is not worth a display."""
    threading.Event().wait(0.6)
    print(f"working on {value}")
    return value

def held(value):
    """Wait for a file."""
    while not os.path.exists("go"):
        threading.Event().wait(0.01)
    return value

def forever(value=None):
    print("waiting for ever", flush=True)
    threading.Event().wait()

def crash_late(value):
    threading.Event().wait(0.6)
    raise ValueError("no")

@hookimpl
def flowrunner_register_tasks(registry):
    for task in (first, held, forever, crash_late):
        registry.add(task)
'''


class Terminal:
    """A command whose stderr is a terminal of its own, and what it has shown.

    With ``both`` the terminal is that of its stdout as well.
    """

    def __init__(
        self,
        folder: Folder,
        *arguments: str,
        both: bool = False,
        columns: str = "100",
        **environment: str,
    ) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flowrunner", *arguments],
            cwd=folder.path,
            env=folder.environment(TERM="xterm-256color", COLUMNS=columns, **environment),
            stdin=subprocess.DEVNULL,
            stdout=theirs if both else subprocess.PIPE,
            stderr=theirs,
            text=True,
        )
        os.close(theirs)
        self._shown = ""
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                part = os.read(self._ours, 65536)
            except OSError:  # the other end is closed
                return
            if not part:
                return
            self._shown += part.decode()

    def await_text(self, text: str) -> None:
        """Wait until the terminal has shown a text."""
        while text not in plain(self._shown):
            assert self.process.poll() is None, self._shown
            sleep(0.01)

    def end(self) -> tuple[int, str, str]:
        """Wait for the end; return the exit code, what stdout got and what the terminal showed."""
        out, _ = self.process.communicate(timeout=60)
        self._reader.join(timeout=10)
        os.close(self._ours)
        return self.process.returncode, out, self._shown


@pytest.fixture
def slow(folder: Folder) -> Iterator[Folder]:
    folder.write("plugins/slow.py", SLOW)
    folder.write("slow.yaml", "chord:\n  header: first x4\n  body: amass\n")
    return folder


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text).replace("\r\n", "\n")


def test_a_run_is_shown_as_a_live_tree_and_the_result_stands_apart(slow: Folder) -> None:
    slow.write("slow.yaml", "chord:\n  header: held x4\n  body: amass\n")
    terminal = Terminal(slow, "apply", "slow.yaml")
    terminal.await_text("4 running")
    (slow.path / "go").touch()
    code, out, shown = terminal.end()
    assert (code, out) == (0, "6\n")
    text = plain(shown)
    assert "held ×4" in text
    assert "4 running" in text
    assert re.search(r"━{20} +4/4 done", text)
    assert "slow succeeded after" in text
    assert "\x1b[" in shown


def test_what_tasks_print_stands_in_lines_of_its_own(slow: Folder) -> None:
    _, _, shown = Terminal(slow, "apply", "slow.yaml").end()
    lines = [line.strip() for line in plain(shown).replace("\r", "\n").splitlines()]
    for value in range(4):
        assert f"first[{value}] │ working on {value}" in lines


def test_a_short_run_is_not_worth_a_display(slow: Folder) -> None:
    slow.write("short.yaml", "task: power\nargs: [3]\n")
    code, out, shown = Terminal(slow, "apply", "short.yaml").end()
    assert (code, out) == (0, "9\n")
    assert plain(shown).startswith("short succeeded after")


def test_on_a_narrow_terminal_labels_are_cut_and_states_are_whole(slow: Folder) -> None:
    slow.write(
        "crash.yaml",
        "chord:\n  header:\n"
        "  - {task: first, args: [a-customer-with-a-long-name], id: orders_of_the_customer}\n"
        "  - {task: crash_late, args: [a-customer-with-a-long-name], retry: {max: 1, delay: 0}}\n"
        "  body: amass\n",
    )
    shown = plain(Terminal(slow, "apply", "crash.yaml", columns="48").end()[2])
    tree = shown[shown.rindex("└─ chord") : shown.index("error:")].splitlines()
    assert [line.split()[-1] for line in tree[2:4]] == ["done", "retry"]
    assert any("…" in line and line.endswith("failed, 1 retry") for line in tree)
    rest = shown[shown.index("error:") :].splitlines()
    assert all(len(line) <= 48 or " " not in line.strip() for line in [*tree, *rest])
    shown = plain(Terminal(slow, "show", "last", columns="48", both=True).end()[2])
    assert [line for line in shown.splitlines() if line.endswith("…   failed, 1 retry")]


def test_a_failed_run_leaves_the_tree_and_the_failure(slow: Folder) -> None:
    slow.write("crash.yaml", "chord:\n  header: [first x2, crash_late x1]\n  body: amass\n")
    code, out, shown = Terminal(slow, "apply", "crash.yaml").end()
    assert (code, out) == (1, "")
    text = plain(shown)
    assert "task 'crash_late' failed: ValueError: no" in text
    assert "skipped because of it: chord.body" in text


def test_diagnostics_are_coloured_on_a_terminal_only_and_never_against_no_color(
    slow: Folder,
) -> None:
    wrong = slow.write("wrong.yaml", "task: powr\n")
    assert "\x1b[1;31merror\x1b[0m" in Terminal(slow, "validate", wrong).end()[2]
    assert "\x1b" not in Terminal(slow, "validate", wrong, NO_COLOR="1").end()[2]
    assert "\x1b" not in slow.run("validate", wrong).err


def interrupted(folder: Folder, workflow: str, *, after: str) -> subprocess.Popen[str]:
    """Start a run, one task at a time, and interrupt it when its first line has come."""
    process = subprocess.Popen(
        [sys.executable, "-m", "flowrunner", "apply", workflow, "--concurrency", "1"],
        cwd=folder.path,
        env=folder.environment(PYTHONUNBUFFERED="1"),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline() == after
    process.send_signal(signal.SIGINT)
    return process


def test_ctrl_c_waits_for_what_runs_and_a_second_one_leaves(slow: Folder) -> None:
    slow.write("forever.yaml", "chain: [{group: [forever, forever]}, amass]\n")
    process = interrupted(slow, "forever.yaml", after="waiting for ever\n")
    assert process.stderr is not None
    assert process.stderr.readline() == "\n"
    assert "waiting for running tasks; Ctrl-C leaves now" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_ctrl_c_cancels_what_is_queued_and_says_what_became_of_each_step(slow: Folder) -> None:
    slow.write("long.yaml", "chord:\n  header: first x100\n  body: amass\n")
    process = interrupted(slow, "long.yaml", after="working on 0\n")
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert "long was cancelled after" in err
    assert "cancelled" in err
    assert "skipped" in err


def test_ctrl_c_says_that_finally_is_still_to_run(slow: Folder) -> None:
    slow.write("long.yaml", "group: first x3\nfinally: crash\n")
    process = interrupted(slow, "long.yaml", after="working on 0\n")
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert "waiting for running tasks, then running 'finally'; Ctrl-C leaves now" in err
    assert "about to crash" in err
    assert "error: task 'crash' failed: ValueError: no invoice for {'run': " in err


def test_every_state_of_a_line_has_its_colour() -> None:
    words = {
        Tally(1).word,
        Tally(1, running=1).word,
        Tally(1, retrying=1).word,
        Tally(1, succeeded=1).word,
        Tally(1, failed=1).word,
        Tally(1, caught=1).word,
        Tally(1, skipped=1).word,
        Tally(1, revoked=1).word,
        Tally(1, unneeded=1).word,
        Tally(1, abandoned=1).word,
    }
    assert words == STYLES.keys()


CONTROLS = """
from flowrunner import hookimpl

def text(value=None):
    return "größer\\x1b[31m\\r\\x9b\\u202e\\n\\tlast"

def listed(value=None):
    return [text()]

@hookimpl
def flowrunner_register_tasks(registry):
    registry.add(text)
    registry.add(listed)
"""


def test_a_result_cannot_drive_the_terminal(folder: Folder) -> None:
    folder.write("plugins/tasks.py", CONTROLS)
    folder.write("w.yaml", "task: text\n")
    raw = "größer\x1b[31m\r\x9b\u202e\n\tlast\n"
    escaped = "größer\\x1b[31m\\r\\x9b\\u202e\n\tlast\n"
    assert (
        Terminal(folder, "apply", "w.yaml", both=True)
        .end()[2]
        .endswith(escaped.replace("\n", "\r\n"))
    )
    assert (
        Terminal(folder, "show", "last", both=True).end()[2].endswith(escaped.replace("\n", "\r\n"))
    )
    assert folder.run_bytes("apply", "w.yaml") == raw.encode()
    assert folder.run_bytes("show", "last").endswith(raw.encode())


@pytest.mark.parametrize(
    "command",
    [
        ("apply", "w.yaml"),
        ("apply", "w.yaml", "--output", "json"),
        ("graph", "w.yaml", "--format", "json"),
        ("validate", "wrong\x9b\u202e.yaml", "--output", "json"),
    ],
)
def test_json_has_no_control_characters(folder: Folder, command: tuple[str, ...]) -> None:
    folder.write("plugins/tasks.py", CONTROLS)
    folder.write("w.yaml", r'{description: "\x9b\u202e", task: listed, args: ["\x9b\u202e"]}')
    folder.write("wrong\x9b\u202e.yaml", "chain: 1")
    written = folder.run_bytes(*command).decode()
    assert "\\u009b" in written
    assert "\\u202e" in written
    assert not set(written) & {"\x1b", "\x9b", "\u202e"}


def test_an_error_cannot_drive_the_terminal_either(folder: Folder) -> None:
    folder.write("pyproject.toml", r"[tool.flowrunner]" + "\n" + r'"\u001b[31m" = 1')
    assert r"unknown setting '\x1b[31m'" in folder.run("validate", "powersum.yaml").err
