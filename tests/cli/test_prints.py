"""What tasks print on the embedded engine, in threads and in processes."""

from __future__ import annotations

import pytest

from tests.cli.commands import Folder

MEETS = """
import sys
from pathlib import Path
from time import sleep
from flowrunner import hookimpl

def meets(name, folder, value=None):
    print(name, "begins", end=" ")
    print(name, "complains", file=sys.stderr)
    Path(folder, name).touch()
    while len(list(Path(folder).iterdir())) < 2:
        sleep(0.005)
    print("and\\nends", end="")
    return name

@hookimpl
def flowrunner_register_tasks(registry):
    registry.add(meets)
"""
WHOLE = """\
meets[0] │ a complains
meets[0] │ a begins and
meets[0] │ ends
meets[1] │ b complains
meets[1] │ b begins and
meets[1] │ ends
"""


@pytest.mark.parametrize("processes", [(), ("--processes", "2")])
def test_lines_of_parallel_tasks_are_whole_and_say_whose_they_are(
    folder: Folder, processes: tuple[str, ...]
) -> None:
    (folder.path / "met").mkdir()
    folder.write("plugins/meets.py", MEETS)
    folder.write(
        "parallel.yaml", "group: [{task: meets, args: [a, met]}, {task: meets, args: [b, met]}]"
    )
    ended = folder.run("apply", "parallel.yaml", *processes)
    assert (ended.code, ended.out) == (0, '["a", "b"]\n')
    assert sorted(ended.err.splitlines()) == sorted(WHOLE.splitlines())


def test_prints_of_a_chain_are_left_as_they_are(folder: Folder) -> None:
    (folder.path / "met").mkdir()
    (folder.path / "met" / "other").touch()
    folder.write("plugins/meets.py", MEETS)
    folder.write(
        "one.yaml",
        "chain: [{task: meets, args: [a, met]}, {task: meets, args: [b, met], immutable: true}]",
    )
    ended = folder.run("apply", "one.yaml")
    assert ended.err == "a begins a complains\nand\nendsb begins b complains\nand\nends"


def test_one_call_at_a_time_needs_no_names(folder: Folder) -> None:
    (folder.path / "met").mkdir()
    (folder.path / "met" / "other").touch()
    folder.write("plugins/meets.py", MEETS)
    folder.write(
        "parallel.yaml", "group: [{task: meets, args: [a, met]}, {task: meets, args: [b, met]}]"
    )
    ended = folder.run("apply", "parallel.yaml", "--concurrency", "1")
    assert " │ " not in ended.err
