"""What is wrong with a command line is said in flowrunner's words, with the right spelling."""

from __future__ import annotations

import pytest

from flowrunner.cli.main import COMMANDS, main

ALL = ", ".join(sorted(COMMANDS))
USAGE = "\n  = usage: flowrunner apply [OPTIONS] FILE"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("aply x.yaml", "flowrunner has no command 'aply'; did you mean 'apply'?"),
        ("run x.yaml", "flowrunner has no command 'run'; use 'apply'"),
        ("lint x.yaml", "flowrunner has no command 'lint'; use 'validate'"),
        (
            "x.yaml",
            "flowrunner has no command 'x.yaml'; run a workflow with: flowrunner apply x.yaml",
        ),
        ("zzz", f"flowrunner has no command 'zzz'; commands: {ALL}"),
        ("--hlep", "'flowrunner' has no option '--hlep'; did you mean '--help'?"),
        ("apply", f"'flowrunner apply' needs 'FILE'{USAGE}"),
        ("apply x y", f"'flowrunner apply' takes no further argument: y{USAGE}"),
        ("apply --detatch x",
         "'flowrunner apply' has no option '--detatch'; did you mean '--detach'?"),
        ("apply -q x",
         "'flowrunner apply' has no option '-q'; 'flowrunner apply --help' lists the options"),
        ("apply x --timeout", "'--timeout' needs a value"),
        ("apply --detach=1 x", "'--detach' takes no value"),
        ("apply --output xml x", "'--output' must be text or json, not 'xml'"),
        ("apply --processes 0 x", "'--processes' must be an integer from 1 to 1,000, not '0'"),
        ("apply --concurrency x x", "'--concurrency' must be an integer from 1 to 10,000, not 'x'"),
        ("worker --max-tasks-per-child x",
         "'--max-tasks-per-child' must be an integer from 1, not 'x'"),
        ("runs --state lost",
         "'--state' must be PENDING, STARTED, SUCCESS, FAILURE or REVOKED, not 'lost'"),
        (
            "apply --timeout soon x",
            "'--timeout' must be a duration of more than 0 and at most a year (30, 5m, 1h30m), "
            "not 'soon'",
        ),
    ],
)  # fmt: skip
def test_a_wrong_command_line(line: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split()) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"error: {said}\n")


def test_help_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["apply", "--help"]) == 0
    assert capsys.readouterr().out.startswith("Usage: flowrunner apply [OPTIONS] FILE")
