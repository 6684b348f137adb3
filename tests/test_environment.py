"""Values of the environment are put in where they are needed, and told nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from flowrunner.environment import (
    EnvironmentValueError,
    hardly_hidden,
    hide,
    missing,
    require_environment,
    revealed,
    shown_secrets,
    variables,
    without_secrets,
)
from flowrunner.errors import WorkflowError
from flowrunner.masking import Masks
from flowrunner.plan import Secret, has_secret
from tests.shapes import HERE

ENVIRONMENT = {"TOKEN": "hunter2-planted", "PORT": "5432", "WORD": "nan", "EMPTY": ""}


def secret(text: str, **names: Any) -> Secret:
    return Secret(text, HERE, names)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (secret("${env.TOKEN}"), "hunter2-planted"),
        (secret("Bearer ${env.TOKEN}"), "Bearer hunter2-planted"),
        (secret("${int(env.PORT) + 1}"), 5433),
        (secret("${env.EMPTY}"), ""),
        (secret("${inputs.user}:${env.TOKEN}", inputs={"user": "ada"}), "ada:hunter2-planted"),
        (
            secret("${inputs.header}!", inputs={"header": secret("Bearer ${env.TOKEN}")}),
            "Bearer hunter2-planted!",
        ),
        ([1, {"a": (secret("${env.PORT}"),)}], [1, {"a": ("5432",)}]),
        ({"plain": 1}, {"plain": 1}),
    ],
)
def test_values(value: Any, expected: Any) -> None:
    assert revealed(value, ENVIRONMENT) == expected


def test_a_secret_shows_its_text_only() -> None:
    value = {"a": [secret("Bearer ${env.TOKEN}")], "b": (secret("${env.PORT}"), 2)}
    assert shown_secrets(value) == {"a": ["Bearer ${env.TOKEN}"], "b": ("${env.PORT}", 2)}
    assert repr(value) == "{'a': ['Bearer ${env.TOKEN}'], 'b': ('${env.PORT}', 2)}"
    assert variables(value) == {"TOKEN", "PORT"}
    assert has_secret(value)
    assert not has_secret({"a": [1, ("b",)]})


def test_what_is_not_set_is_named() -> None:
    assert missing(["TOKEN", "EMPTY", "GONE"], ENVIRONMENT) == ["GONE"]
    both = [secret("${env.GONE}"), secret("${env.AWAY}")]
    with pytest.raises(EnvironmentValueError, match="variables AWAY, GONE are not set"):
        revealed(both, ENVIRONMENT)
    with pytest.raises(EnvironmentValueError, match="variable GONE is not set"):
        revealed(both[0], ENVIRONMENT)


def test_what_a_run_needs_is_asked_for_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWRUNNER_TEST_SET", "")
    monkeypatch.delenv("FLOWRUNNER_TEST_GONE", raising=False)
    require_environment(["FLOWRUNNER_TEST_SET"])
    with pytest.raises(WorkflowError, match="'FLOWRUNNER_TEST_GONE' is not set"):
        require_environment(["FLOWRUNNER_TEST_SET", "FLOWRUNNER_TEST_GONE"])


def test_an_expression_that_fails_does_not_tell_the_value() -> None:
    with pytest.raises(EnvironmentValueError) as caught:
        revealed(secret("${int(env.TOKEN)}"), ENVIRONMENT)
    assert "hunter2" not in str(caught.value)
    assert "${env.TOKEN}" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "text", "shown"),
    [
        ("hunter2-planted", "401 for hunter2-planted!", "401 for ${env.X}!"),
        ('it\'s "quoted"', r"""'it\'s "quoted"'""", "'${env.X}'"),
        ("a\nlong-second-line\n", "at long-second-line", "at ${env.X}"),
        ("tab\tted", '{"key": "tab\\tted"}', '{"key": "${env.X}"}'),
        ("abc", "abc is too short to be looked for", "abc is too short to be looked for"),
        ("    ", "blanks    are everywhere", "blanks    are everywhere"),
    ],
)
def test_texts(value: str, text: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowrunner.masking.masks.MASKS", Masks())
    hide(["X"], {"X": value})
    assert without_secrets(text) == shown


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("abc", "the value of ${env.X} is not masked: it has fewer than 4 characters"),
        ("a/bc", "is not masked in every encoding: some encoded forms have fewer than 8"),
        ("", None),
        ("hunter2-planted", None),
    ],
)
def test_values_that_are_too_short_to_be_masked(value: str, what: str | None) -> None:
    found = hardly_hidden(["X", "GONE"], {"X": value})
    assert [what in each.what for each in found] == ([] if what is None else [True])
    assert not any(value in each.what for each in found if value)
