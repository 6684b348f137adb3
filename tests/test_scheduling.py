"""Tests of one group share a process of pytest-xdist, so that a service starts once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.engines.services import ROOT
from tests.scheduling import group_of

KIT = "tests/conformance/"
CONFTEST = "from tests.conftest import pytest_xdist_make_scheduler\n"
TEST = """
import os
from pathlib import Path
from time import sleep
import pytest

@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("engine", ["embedded", "celery"])
def test_it(engine, number):
    sleep(0.02)
    with Path("{folder}", "log").open("a") as log:
        print(os.environ["PYTEST_XDIST_WORKER"], os.environ["PYTEST_CURRENT_TEST"], file=log)
"""


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/engines/test_a.py::test_it[celery]", "tests/engines/ on celery"),
        ("tests/engines/test_b.py::test_it[celery-1]", "tests/engines/ on celery"),
        ("tests/engines/test_b.py::test_it[celeryish]", "tests/engines/test_b.py"),
        ("tests/cli/test_a.py::test_it[celery]", "tests/cli/test_a.py"),
        ("tests/conformance/test_a.py::test_it[redis, threads-x]", f"{KIT} on redis, threads"),
        ("tests/chaos/test_chaos.py::test_it[a]", "tests/chaos/test_chaos.py::test_it[a]"),
        ("tests/test_a.py::test_it", "tests/test_a.py"),
    ],
)
def test_a_group_is_a_service_or_a_file(nodeid: str, group: str) -> None:
    assert group_of(nodeid) == group


def test_a_group_has_one_process_and_several_groups_have_several(tmp_path: Path) -> None:
    folder = tmp_path / "tests" / "engines"
    folder.mkdir(parents=True)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    for name in ("test_one.py", "test_two.py"):
        (folder / name).write_text(TEST.format(folder=tmp_path))
    options = ("-q", "-n", "2", "-p", "no:cacheprovider", "--import-mode=importlib")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    processes = defaultdict(set)
    lines = (tmp_path / "log").read_text().splitlines()
    for line in lines:
        process, nodeid, _ = line.split()
        processes[group_of(nodeid)].add(process)
    assert len(lines) == 16
    assert set(processes) == {"tests/engines/ on embedded", "tests/engines/ on celery"}
    assert all(len(each) == 1 for each in processes.values())
    assert len(set.union(*processes.values())) == 2
