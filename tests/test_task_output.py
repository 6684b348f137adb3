"""What tasks print side by side: whole lines, each with the call that printed it."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest

from flowrunner.plan import Call
from flowrunner.task_output import LONGEST_LINE, TaskOutput, printed_by
from tests.unfolding import call

ONE, TWO = call("one"), call("two")


def label(of: Call) -> str:
    return f"{of.path} | "


def in_thread(work: Callable[[], Any]) -> None:
    """Run what a task does where tasks run: not in the main thread."""
    thread = Thread(target=work)
    thread.start()
    thread.join()


def printed(work: Callable[[], Any], *, of: Call | None = ONE, **options: Any) -> str:
    """Return what a call's prints become."""
    target = io.StringIO()

    def run() -> None:
        with printed_by(of):
            work()

    with TaskOutput(target, **{"label": label, **options}):
        in_thread(run)
    return target.getvalue()


@pytest.mark.parametrize(
    ("texts", "lines"),
    [
        (["a", " ", "b", "\n"], "one | a b\n"),
        (["a\nb\n", "c\n"], "one | a\none | b\none | c\n"),
        (["no end"], "one | no end\n"),
        (["\n"], "one | \n"),
        (["a\n", "", "b"], "one | a\none | b\n"),
        (["\r1/2", "\r2/2", "\n"], "one | 2/2\n"),
        (["1/2\r", "2/2\r", "\n"], "one | 2/2\n"),
        (["1/2\r", "2/2\r"], "one | 2/2\n"),
        (["a\r\nb\r\n"], "one | a\none | b\n"),
        ([], ""),
        (["x" * LONGEST_LINE, "y", "z\n"], f"one | {'x' * LONGEST_LINE}y\none | z\n"),
    ],
    ids=lambda each: repr(each)[:20],
)
def test_lines_are_whole_and_have_a_name(texts: list[str], lines: str) -> None:
    assert printed(lambda: [sys.stdout.write(text) for text in texts]) == lines


def test_what_print_does_is_the_same() -> None:
    def work() -> None:
        print("a", 1, None, sep="-")
        print("b", end="")
        print("c", flush=True)
        print("error", file=sys.stderr)
        sys.stdout.buffer.write("größer\n".encode())
        sys.stdout.buffer.write(b"\xc3")
        sys.stdout.buffer.write(b"\xa4\n")

    assert printed(work, label=None) == "a-1-None\nbc\nerror\ngrößer\nä\n"


def test_bytes_are_no_text() -> None:
    def work() -> None:
        with pytest.raises(TypeError, match=r"must be str, not bytes"):
            sys.stdout.write(b"a")  # type: ignore[arg-type]

    assert printed(work) == ""


def test_lines_of_two_calls_do_not_mix() -> None:
    target = io.StringIO()

    def first() -> None:
        with printed_by(ONE):
            print("a", end="")
            in_thread(second)
            print("c")

    def second() -> None:
        with printed_by(TWO):
            print("b")

    with TaskOutput(target, label=label):
        in_thread(first)
    assert target.getvalue() == "two | b\none | ac\n"


def test_stdout_and_stderr_have_lines_of_their_own() -> None:
    def work() -> None:
        print("out", end="")
        print("err", file=sys.stderr)
        print("put")

    assert printed(work) == "one | err\none | output\n"


def test_a_thread_that_a_task_has_started_has_no_name_and_whole_lines() -> None:
    assert printed(lambda: in_thread(lambda: print("a", "b", end=""))) == "a b\n"


def test_the_main_thread_writes_as_ever() -> None:
    target = io.StringIO()
    with TaskOutput(target, label=label):
        sys.stderr.write("a")
        assert target.getvalue() == "a"
    assert target.getvalue() == "a"
    assert not isinstance(sys.stdout, type(target))


def test_secrets_are_taken_out_of_whole_lines() -> None:
    def work() -> None:
        print("pass", end="")
        print("word", "b")

    assert printed(work, masked=lambda line: line.replace("password", "*")) == "one | * b\n"


def test_a_display_writes_the_lines() -> None:
    shown: list[str] = []
    target = io.StringIO()
    with TaskOutput(target, label=label) as output, output.shown_by(shown.append):
        print("its own")
    assert (shown, target.getvalue()) == (["its own\n"], "")
