"""What ``--help`` says of options that several commands have."""

import click
import pytest

from flowrunner.cli.main import COMMANDS, cli
from flowrunner.loader.schema import workflow_schema
from tests.shipped import ROOT

LOOKS_AT_RUNS = ("runs", "show", "watch", "cancel", "doctor", "config")


def options(name: str) -> dict[str, str]:
    command = cli.get_command(click.Context(cli), name)  # type: ignore[attr-defined]
    return {each.name: each.help or "" for each in command.params if hasattr(each, "help")}


@pytest.mark.parametrize("name", LOOKS_AT_RUNS)
def test_a_command_that_runs_nothing_does_not_offer_to_run_on_a_cluster(name: str) -> None:
    told = options(name)
    assert "broker" in told["broker"]
    assert "result backend" in told["backend"]
    assert not [text for text in told.values() if text.startswith("Run on")]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_no_option_is_explained_by_another_command(name: str) -> None:
    assert not [text for text in options(name).values() if "As apply" in text]


def test_backoff_is_called_a_factor_as_it_is_one() -> None:
    schema = workflow_schema()["$defs"]["retryKeys"]["properties"]["backoff"]
    page = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    (row,) = (line for line in page.splitlines() if line.startswith("| `backoff` |"))
    assert schema["description"].startswith("Factor")
    assert "factor" in row
