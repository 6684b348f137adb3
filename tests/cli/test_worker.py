"""``flowrunner worker`` where it does not start."""

from __future__ import annotations

import pytest

from tests.cli.commands import Folder

BROKER = "--broker redis://localhost/0"


def test_without_a_broker_the_line_to_type_is_said(folder: Folder) -> None:
    ended = folder.run("worker")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "error: no broker is configured; a cluster needs a broker and a result backend\n"
        "  flowrunner worker --broker redis://localhost/0 --backend redis://localhost/1\n"
    )
    assert "no result backend" in folder.run("worker", *BROKER.split()).err


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("app = Celery('shop', broker='redis://')", "it has no result backend: set result_backend"),
        ("app = None", "is a NoneType, not a Celery app"),
    ],
)
def test_an_app_that_cannot_run_workflows_is_refused(
    folder: Folder, source: str, words: str
) -> None:
    folder.write("shop.py", f"from celery import Celery\n{source}\n")
    ended = folder.run("worker", "-A", "shop:app")
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err


def test_an_option_that_celery_does_not_have_is_said(folder: Folder) -> None:
    where = [*BROKER.split(), "--backend", "redis://localhost/1"]
    ended = folder.run("worker", *where, "--", "--no-such-option")
    assert ended.code == 2
    assert "no-such-option" in ended.err


def test_reload_is_refused_where_there_is_nothing_to_reload(folder: Folder) -> None:
    cluster = ("--broker", "redis://127.0.0.1:1", "--backend", "redis://127.0.0.1:1")
    ended = folder.run("worker", "--reload", *cluster, "--", "--detach")
    assert (ended.code, "cannot be used with Celery's --detach" in ended.err) == (2, True)
    folder.write("pyproject.toml", "")
    ended = folder.run("worker", "--reload", *cluster)
    assert ended.code == 2
    assert "--reload finds no file to watch" in ended.err
