"""Diagnostics as people read them."""

from pathlib import Path

import pytest

from flowrunner.errors import Diagnostic
from flowrunner.render.diagnostics import diagnostic_to_json, format_diagnostics
from flowrunner.source import Location, Source


def at(text: str, marked: str, name: str = "w.yaml") -> Location:
    start = text.index(marked)
    return Location(Source(name, text, Path(name)), start, start + len(marked))


def lines(diagnostic: Diagnostic, **style: bool) -> list[str]:
    return format_diagnostics([diagnostic], **style).splitlines()


TEXT = "chord:\n  header: powr x10\n"


def test_a_diagnostic_has_message_place_excerpt_caret_cure_and_notes() -> None:
    problem = Diagnostic(
        "unknown task 'powr'", at(TEXT, "powr"), "did you mean 'power'?", ("note",)
    )
    assert lines(problem) == [
        "error: unknown task 'powr'",
        "  ┌─ w.yaml:2:11",
        "  │",
        "2 │   header: powr x10",
        "  │           ^^^^ did you mean 'power'?",
        "  │",
        "  = note",
    ]


def test_one_without_a_place_is_its_message_and_notes() -> None:
    problem = Diagnostic("the file x does not exist", notes=("did you mean y?",))
    assert lines(problem) == ["error: the file x does not exist", "  = did you mean y?"]


def test_an_ascii_terminal_gets_an_ascii_frame() -> None:
    shown = format_diagnostics([Diagnostic("m", at(TEXT, "powr"))], unicode=False)
    assert shown.isascii()
    assert "--> w.yaml:2:11" in shown


def test_colour_changes_nothing_but_colour() -> None:
    problem = Diagnostic("m", at(TEXT, "powr"), "label", ("note",))
    coloured = format_diagnostics([problem], colour=True)
    for code in ("\x1b[1;31m", "\x1b[1;34m", "\x1b[1m", "\x1b[0m"):
        assert code in coloured
        coloured = coloured.replace(code, "")
    assert coloured == format_diagnostics([problem])


@pytest.mark.parametrize(
    ("text", "marked", "excerpt", "caret"),
    [
        ("a: 漢字 x", "x", "a: 漢字 x", "        ^"),
        ("\ta: b", "b", "    a: b", "       ^"),
        ("a: e\u0301 x", "x", "a: e\u0301 x", "     ^"),
        ("a: \u202ex", "x", "a: �x", "    ^"),
        ("a: b", "", "a: b", "^"),
        ("a: |\n  b\n", "|\n  b", "a: |", "   ^"),
        ("a: b  \n", "b  \n", "a: b", "   ^"),
    ],
)
def test_the_caret_stands_under_the_place(text: str, marked: str, excerpt: str, caret: str) -> None:
    shown = lines(Diagnostic("m", at(text, marked)))
    assert shown[3] == f"1 │ {excerpt}"
    assert shown[4] == f"  │ {caret}"


def test_a_long_line_is_cut_around_the_place() -> None:
    text = "k: [" + "x, " * 1000 + "HERE" + ", y" * 1000 + "]"
    shown = lines(Diagnostic("m", at(text, "HERE")))
    assert all(len(line) < 120 for line in shown)
    assert shown[3].index("HERE") == shown[4].index("^^^^")
    assert shown[3].count("…") == 2


def test_a_place_that_fills_a_long_line_is_cut_as_well() -> None:
    shown = lines(Diagnostic("m", at("x" * 5000, "x" * 5000)))
    assert all(len(line) < 120 for line in shown)


def test_what_a_file_or_a_task_says_cannot_steer_the_terminal() -> None:
    nasty = "\x1b[2J\x07\r\u202e"
    shown = format_diagnostics([Diagnostic(nasty, at(f"a: {nasty}", nasty), nasty, (nasty,))])
    assert all(line.isprintable() for line in shown.splitlines())
    assert "\\x1b[2J\\x07" in shown


def test_texts_without_end_are_cut() -> None:
    shown = lines(Diagnostic("x" * 10_000, notes=("y\n" * 10_000,)))
    assert len(shown[0]) < 500
    assert len(shown) < 100


def test_a_note_of_several_lines_stays_in_its_column() -> None:
    assert lines(Diagnostic("m", notes=("one\ntwo",))) == ["error: m", "  = one", "    two"]


def test_on_a_terminal_lines_are_broken_between_words_and_labels_get_a_line() -> None:
    text = "- {task: first}\n- {task: fetch, kwargs: {customer: ann}, retry: {max: 2}, id: one}\n"
    traceback = 'Traceback (most recent call last):\n  File "shop/orders.py", line 8, in fetch'
    said = format_diagnostics(
        [
            Diagnostic(
                "task 'fetch' failed: the order of ann was refused",
                at(text, "fetch"),
                "chord.header[0].chain[1]",
                (traceback, "start a worker:\n  flowrunner worker --broker redis://localhost/0"),
            )
        ],
        width=40,
    )
    assert said.splitlines() == [
        "error: task 'fetch' failed: the order of",
        "       ann was refused",
        "  ┌─ w.yaml:2:10",
        "  │",
        "2 │ - {task: fetch, kwargs: {customer: …",
        "  │          ^^^^^",
        "  │ chord.header[0].chain[1]",
        "  │",
        "  = Traceback (most recent call last):",
        '      File "shop/orders.py", line 8, in',
        "      fetch",
        "  = start a worker:",
        "      flowrunner worker --broker redis://localhost/0",
    ]


def test_thousands_of_problems_are_counted() -> None:
    shown = format_diagnostics([Diagnostic("m")] * 1000)
    assert shown.count("error:") == 50
    assert shown.endswith("… and 950 more problems")


def test_programs_get_the_same_as_an_object() -> None:
    problem = Diagnostic("m", at(TEXT, "powr"), "label", ("note",))
    assert diagnostic_to_json(problem) == {
        "file": "w.yaml",
        "line": 2,
        "column": 11,
        "message": "m",
        "label": "label",
        "notes": ["note"],
    }
    assert diagnostic_to_json(Diagnostic("m"))["line"] is None
