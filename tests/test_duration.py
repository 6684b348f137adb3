"""Durations are read in one way wherever seconds are taken."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest

from flowrunner.cli.options import Duration
from flowrunner.duration import MOST_SECONDS, in_seconds, read_duration, written_duration
from flowrunner.errors import ConfigurationError, PluginError
from flowrunner.loader.schema import workflow_schema
from flowrunner.settings import load_settings
from flowrunner.tasks import TaskRegistry
from tests.planner.planning import diagnostics, planned, refused

PATTERN = workflow_schema()["$defs"]["duration"]["pattern"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("30s", 30),
        ("5m", 300),
        ("1h30m", 5_400),
        ("1h 30m", 5_400),
        ("36h", 129_600),
        ("1d", 86_400),
        ("2w", 1_209_600),
        ("1.5h", 5_400),
        ("0s", 0),
        ("1m500ms", 60.5),
        ("5 minutes", 300),
        ("1 hour 30 mins", 5_400),
    ],
)
def test_a_text_with_units_is_a_duration(text: str, seconds: float) -> None:
    assert repr(read_duration(text)) == repr(seconds)
    assert re.search(PATTERN, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "m",
        "5",
        "-5m",
        "1h30",
        "5 parsecs",
        "5mm",
        "1:30",
        "PT5M",
        "½h",
        "5m!",
        "5m\n",
        "٣m",
        "1h" * 99,
    ],
)
def test_any_other_text_is_none(text: str) -> None:
    assert text == "5m\n" or read_duration(text) is None
    assert len(text) > 100 or not re.search(PATTERN, text)


@pytest.mark.parametrize(
    ("value", "seconds"), [(5, 5), (0.5, 0.5), (True, None), (None, None), (float("inf"), None)]
)
def test_a_number_is_seconds(value: Any, seconds: float | None) -> None:
    assert in_seconds(value) == seconds


@pytest.mark.parametrize("text", ["500ms", "30s", "5m", "1h30m", "1d12h", "1m500ms", "0ms"])
def test_a_duration_is_written_as_it_is_read(text: str) -> None:
    seconds = read_duration(text)
    assert seconds is not None
    assert written_duration(seconds) == text


def test_every_key_in_seconds_takes_one() -> None:
    ready = planned(
        "{timeout: 1d, task: call, countdown: 5m, time_limit: 1h30m, soft_time_limit: 500ms, "
        "retry: {max: 1, delay: 1m, cap: 36h}}"
    )
    (call,) = ready.calls()
    assert ready.timeout == 86_400
    assert call.options == {"countdown": 300, "time_limit": 5_400, "soft_time_limit": 0.5}
    assert call.retry is not None
    assert (call.retry.delay, call.retry.cap) == (60, 129_600)


def test_so_do_expressions() -> None:
    ready = planned(
        "{inputs: {wait: 5m}, task: call, countdown: '${inputs.wait}', time_limit: '${\"1h\"}', "
        "retry: {max: 1, delay: '${inputs.wait}', cap: '${2 * 60}'}}"
    )
    (call,) = ready.calls()
    assert call.options == {"countdown": 300, "time_limit": 3_600}
    assert call.retry is not None
    assert (call.retry.delay, call.retry.cap) == (300, 120)


LIMIT = "a duration of more than 0 and at most a year (30, 5m, 1h30m)"
DELAY = "a duration from 0 to a year (30, 5m, 1h30m)"


@pytest.mark.parametrize(
    ("text", "said", "cure"),
    [
        ("{timeout: soon, task: call}", f"'timeout' must be {LIMIT}, not the string 'soon'", ""),
        ("{timeout: 0s, task: call}", f"'timeout' must be {LIMIT}, not '0s'", ""),
        ("{timeout: 366d, task: call}", f"'timeout' must be {LIMIT}, not '366d'", ""),
        ("{timeout: '${1}', task: call}", f"'timeout' must be {LIMIT}, not the string '${{1}}'",
         "write a duration without an expression: 30 or 5m"),
        ("{timeout: '30', task: call}", f"'timeout' must be {LIMIT}, not the string '30'",
         "write it without quotes: 30"),
        ("{timeout: PT1H30M, task: call}", f"'timeout' must be {LIMIT}, not the string 'PT1H30M'",
         "write 1h30m"),
        ("{timeout: '1:30', task: call}", f"'timeout' must be {LIMIT}, not the string '1:30'",
         "write 1m30s"),
        ("{timeout: 5 Minutes, task: call}",
         f"'timeout' must be {LIMIT}, not the string '5 Minutes'",
         "write 5m"),
        ("{timeout: 1h30, task: call}", f"'timeout' must be {LIMIT}, not the string '1h30'",
         "use the units ms, s, m, h, d and w"),
        ("{task: call, time_limit: 0s}", f"'time_limit' must be {LIMIT}, not '0s'", ""),
        ("{task: call, countdown: 53w}", f"'countdown' must be {DELAY}, not '53w'", ""),
        ("{task: call, countdown: '${\"soon\"}'}", f"'countdown' must be {DELAY}, not 'soon'", ""),
        ("{task: call, retry: {max: 1, delay: '${\"soon\"}'}}",
         f"'delay' of 'retry' must be {DELAY}, not 'soon'", ""),
        ("{task: call, retry: {max: 1, cap: 53w}}",
         f"'cap' of 'retry' must be {DELAY}, not '53w'", ""),
    ],
)  # fmt: skip
def test_a_text_that_is_none_is_refused(text: str, said: str, cure: str) -> None:
    (problem,) = diagnostics(text)
    assert (problem.message, problem.label) == (said, cure)


def test_a_year_is_the_longest() -> None:
    assert planned("{timeout: 365d, task: call}").timeout == MOST_SECONDS
    assert refused("{timeout: 8761h, task: call}")


@pytest.mark.parametrize("text", ["90", "1m30s", "1.5m"])
def test_so_does_the_command_line(text: str) -> None:
    assert Duration().convert(text, None, None) == 90


@pytest.mark.parametrize("text", ["soon", "0", "0s", "-5m", "366d", "nan", ""])
def test_the_command_line_refuses_what_is_none(text: str) -> None:
    with pytest.raises(click.BadParameter, match="must be a duration of more than 0"):
        Duration().convert(text, None, None)


def test_so_do_the_settings_of_transports(tmp_path: Path) -> None:
    def loaded(text: str) -> Any:
        environment = {"FLOWRUNNER_BROKER_TRANSPORT_OPTIONS": text}
        return load_settings(folder=tmp_path, environment=environment).broker_transport_options

    text = '{"visibility_timeout": "2h", "socket_timeout": 5, "retry_policy": {"timeout": "5s"}}'
    assert loaded(text) == {
        "visibility_timeout": 7_200,
        "socket_timeout": 5,
        "retry_policy": {"timeout": 5},
    }
    with pytest.raises(ConfigurationError, match="for visibility_timeout, not 'soon'"):
        loaded('{"visibility_timeout": "soon"}')


def test_so_do_the_options_of_a_plugins_tasks() -> None:
    tasks = TaskRegistry()
    tasks.for_plugin("tests").add(len, time_limit="5m", soft_time_limit=2.5)
    found = tasks.get("len")
    assert found is not None
    assert found.options == {"time_limit": 300, "soft_time_limit": 2.5}
    with pytest.raises(PluginError, match="'time_limit' takes seconds, or a string like '5m'"):
        tasks.for_plugin("tests").add(len, name="other", time_limit="soon")
