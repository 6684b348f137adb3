"""Findings as people read them, at any width, and as programs do."""

from flowrunner.errors import Finding
from flowrunner.render.findings import findings_to_json, format_findings, format_warnings

FOUND = [
    Finding("ok", "broker", "redis://localhost/0 answers"),
    Finding("warning", "clocks", "Redis is 9 s ahead", "times are told wrong", "use NTP"),
    Finding(
        "error",
        "workers",
        "no worker answers on redis://localhost/0 within 3 s",
        "what is queued would wait until somebody starts one",
        "start one:\nflowrunner worker --broker redis://localhost/0 --backend redis://localhost/1",
    ),
]


def test_lines_are_as_wide_as_told_but_commands_stay_whole() -> None:
    assert format_findings(FOUND, width=50) == (
        "✓ broker   redis://localhost/0 answers\n"
        "! clocks   Redis is 9 s ahead\n"
        "           why   times are told wrong\n"
        "           fix   use NTP\n"
        "✗ workers  no worker answers on\n"
        "           redis://localhost/0 within 3 s\n"
        "           why   what is queued would wait until\n"
        "                 somebody starts one\n"
        "           fix   start one:\n"
        "                 flowrunner worker --broker redis://localhost/0 "
        "--backend redis://localhost/1\n"
        "\n"
        "1 error, 1 warning, 1 in order"
    )


def test_a_terminal_without_unicode_gets_ascii() -> None:
    text = format_findings(FOUND, unicode=False)
    assert text.isascii()
    assert text.startswith("ok broker   redis")
    assert "\nXX workers  no worker" in text


def test_colour_changes_no_word_and_no_width() -> None:
    import re

    plain = format_findings(FOUND, width=60)
    coloured = format_findings(FOUND, width=60, colour=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
    assert coloured != plain


def test_what_servers_say_cannot_move_the_cursor() -> None:
    text = format_findings([Finding("error", "broker", "bad \x1b[2J", "\x07", "x\ny \x1b[H")])
    assert "\x1b" not in text
    assert "\\x1b[2J" in text
    assert "\x1b" not in format_warnings([Finding("warning", "a", "\x1b[2J", "", "\x1b")])


def test_warnings_before_a_run_are_short() -> None:
    assert format_warnings(FOUND[1:2]) == "warning: Redis is 9 s ahead\n  = use NTP"


def test_json_says_whether_a_run_can_start() -> None:
    assert findings_to_json(FOUND)["ok"] is False
    assert findings_to_json(FOUND[:2])["ok"] is True
    assert findings_to_json(FOUND)["findings"][1] == {
        "severity": "warning",
        "check": "clocks",
        "what": "Redis is 9 s ahead",
        "why": "times are told wrong",
        "cure": "use NTP",
    }
