"""No command shows a password, whatever happens to it, and no worker logs one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from flowrunner.cli.main import COMMANDS, cli
from tests.cli.commands import Folder
from tests.engines.services import ClusterAddress, Service, Worker, free_port

#: Planted everywhere; each as a URL has it, and as it is.
PASSWORDS = {"hunter2": "hunter2", "p%40ss%2Fw%3Aord": "p@ss/w:ord"}
HIDDEN = [*PASSWORDS, *PASSWORDS.values(), "ss/w", "nested-secret"]

OPTIONS = {"master_name": "m", "sentinel_kwargs": {"password": "nested-secret"}}
TABLES = {
    "FLOWRUNNER_BROKER_TRANSPORT_OPTIONS": json.dumps(OPTIONS),
    "FLOWRUNNER_RESULT_BACKEND_TRANSPORT_OPTIONS": json.dumps(OPTIONS),
    "FLOWRUNNER_BROKER_USE_SSL": json.dumps({"ssl_password": "nested-secret"}),
}


def clusters(password: str) -> list[dict[str, str]]:
    """Return the environments of clusters that are not there."""
    host = f"127.0.0.1:{free_port()}"
    urls = [
        f"redis://user:{password}@{host}/0",
        f"redis+socket:///no/such/socket?password={password}",
        f"sentinel://:{password}@{host}/0;sentinel://:{password}@{host}/0",
    ]
    return [
        {"FLOWRUNNER_BROKER": url, "FLOWRUNNER_BACKEND": url}
        | (TABLES if url.startswith("sentinel") else {})
        for url in urls
    ]


def assert_hidden(text: str) -> None:
    assert [each for each in HIDDEN if each in text] == []


@pytest.mark.parametrize("password", PASSWORDS, ids=["plain", "encoded"])
def test_config_shows_none(folder: Folder, password: str) -> None:
    for environment in clusters(password):
        for output in ("text", "json"):
            ended = folder.run("config", "--output", output, **environment)
            assert ended.code == 0
            assert "**" in ended.out
            assert_hidden(ended.out + ended.err)


@pytest.mark.parametrize(("output", "password"), [*zip(("text", "json"), PASSWORDS, strict=True)])
def test_a_cluster_that_is_not_there_is_named_without(
    folder: Folder, output: str, password: str
) -> None:
    for environment in clusters(password):
        ended = folder.run("apply", "powersum.yaml", "--output", output, **environment)
        assert ended.code == 3, ended.err
        assert "cannot be reached" in ended.out + ended.err
        assert_hidden((ended.out + ended.err).replace(str(folder.path), ""))


@pytest.mark.parametrize(
    "arguments",
    [
        ["apply", "powersum.yaml", "redis://:hunter2@host/0"],
        ["apply", "powersum.yaml", "--brokr", "redis://:hunter2@host/0"],
        ["apply", "powersum.yaml", "--broker", "redis://:hunter2@host/0"],
        ["apply", "powersum.yaml", "--broker", "redis://:p@ss/w:ord@host/0"],
        ["apply", "powersum.yaml", "--broker", "redis://:hunter2@host:port/0"],
        ["config", "--broker", "redis://:p@ss/w:ord@host/0"],
        ["redis://:hunter2@host/0"],
    ],
)
def test_a_wrong_command_line_is_refused_without(folder: Folder, arguments: list[str]) -> None:
    ended = folder.run(*arguments)
    assert ended.code == 2
    assert_hidden(ended.out + ended.err)


@pytest.mark.parametrize(
    "text",
    [
        'broker = "redis://:hunter2@host:port/0"',
        'broker = { url = "redis://:hunter2@host/0" }',
        'backends = "redis://:hunter2@host/0"',
        'broker = "redis://:hunter2@host/0',
        'broker_use_ssl = { ssl_pasword = "nested-secret" }',
    ],
)
def test_a_wrong_file_is_refused_without(folder: Folder, text: str) -> None:
    folder.write("flowrunner.toml", text + "\n")
    ended = folder.run("config")
    assert ended.code == 2
    assert_hidden(ended.out + ended.err)


def test_no_command_shows_one_whatever_it_does(folder: Folder) -> None:
    environment = clusters("hunter2")[0]
    for name in sorted(set(COMMANDS) - {"worker"}):
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        takes_one = any(isinstance(each, click.Argument) for each in command.params)
        ended = folder.run(name, *["powersum.yaml"][:takes_one], **environment)
        assert_hidden(ended.out + ended.err)


@pytest.mark.parametrize("number", range(3))
def test_a_worker_logs_none(
    number: int, folder: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment = clusters("p%40ss%2Fw%3Aord")[number]
    address = ClusterAddress(environment["FLOWRUNNER_BROKER"], environment["FLOWRUNNER_BACKEND"])
    start = Service.__init__

    def until_refused(self: Service, command: list[str], ready: str, **options: Any) -> None:
        start(self, command, "Trying again in", **options)

    monkeypatch.setattr(Service, "__init__", until_refused)
    tables = {name: text for name, text in environment.items() if name in TABLES}
    with Worker(
        address,
        folder.path,
        "--loglevel",
        "DEBUG",
        environment={**tables, "FLOWRUNNER_PLUGINS": "plugins"},
    ) as worker:
        shown = "".join(worker.output)
    assert "broker" in shown
    assert "backend" in shown
    assert_hidden(shown)
