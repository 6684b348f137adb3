"""What ``deploy/`` and its guide say: checked against the code, since nothing is run here."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from celery.bin.celery import celery as celery_command

from flowrunner.cli.main import cli
from flowrunner.engines.worker_settings import SETTINGS
from flowrunner.settings import VARIABLES

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

#: Seconds that a worker takes to give back what it runs: its soft shutdown, and some.
GIVING_BACK = SETTINGS["worker_soft_shutdown_timeout"].value + 10


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)


def strings(value: Any) -> Iterator[str]:
    """Yield the commands in a YAML document: lists of words, and texts."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        yield shlex.join(value)
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings(each)


def commands() -> list[list[str]]:
    """Return every command of flowrunner's and Celery's that stands anywhere."""
    found = [*strings(COMPOSE)]
    for block in blocks("yaml"):
        found += strings(yaml.safe_load(block))
    for block in blocks("ini"):
        found += re.findall(r"^ExecStart=\S*/(.*)", block, re.MULTILINE)
    for block in blocks("bash"):
        found += block.splitlines()
    words = [shlex.split(each) for each in found if re.match(r"(flowrunner|celery) \S", each)]
    return [list(each) for each in sorted({tuple(each) for each in words})]


def parse(command: click.Group, words: list[str]) -> None:
    """Parse a command line as its command does, and run nothing."""
    context = click.Context(command)
    name, *arguments = words
    found = command.get_command(context, name)
    assert found is not None, name
    found.make_context(name, arguments, parent=context)


@pytest.mark.parametrize("words", commands(), ids=shlex.join)
def test_every_command_is_one_that_there_is(words: list[str]) -> None:
    program, *arguments = words
    if program == "celery":
        assert arguments[:2] == ["-A", "flowrunner.worker"]
        parse(celery_command, arguments[2:])
    else:
        parse(cli, arguments)


def test_the_guide_names_settings_and_nothing_else() -> None:
    named = set(re.findall(r"FLOWRUNNER_\w+", GUIDE)) | set(
        COMPOSE["services"]["worker"]["environment"]
    )
    assert named <= {*VARIABLES, "REMAP_SIGTERM"}


def test_compose_has_a_redis_that_loses_nothing() -> None:
    redis = COMPOSE["services"]["redis"]
    for option in ("--appendonly yes", "--maxmemory-policy noeviction"):
        assert option in redis["command"]
    assert redis["volumes"] == ["redis:/data"]
    assert set(COMPOSE["volumes"]) == {"redis"}


def test_compose_has_a_worker_that_stops_in_order_and_a_run_that_waits_for_it() -> None:
    worker, apply = COMPOSE["services"]["worker"], COMPOSE["services"]["apply"]
    assert int(worker["stop_grace_period"].removesuffix("s")) > GIVING_BACK
    assert worker["environment"]["REMAP_SIGTERM"] == "SIGQUIT"
    assert worker["depends_on"]["redis"]["condition"] == "service_healthy"
    assert apply["depends_on"]["worker"]["condition"] == "service_healthy"
    assert apply["restart"] == "no"
    for name in ("FLOWRUNNER_BROKER", "FLOWRUNNER_BACKEND", "FLOWRUNNER_PLUGINS"):
        assert worker["environment"][name] == apply["environment"][name]
    assert (ROOT / worker["environment"]["FLOWRUNNER_PLUGINS"]).exists()
    assert (ROOT / apply["command"][-1]).exists()


def test_the_image_has_what_its_package_is_built_from() -> None:
    copied = [
        word
        for line in re.findall(r"^COPY (.*) /source\S*$", DOCKERFILE, re.MULTILINE)
        for word in line.split()
    ]
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {
        "pyproject.toml",
        PROJECT["project"]["readme"],
        *PROJECT["project"]["license-files"],
        *wheel["packages"],
        *wheel["force-include"],
    }
    assert set(copied) == needed
    assert re.search(r"^RUN pip install --no-cache-dir /source$", DOCKERFILE, re.MULTILINE)


def test_the_image_has_a_python_that_is_supported() -> None:
    (version,) = re.findall(r"^FROM python:([0-9.]+)-slim$", DOCKERFILE, re.MULTILINE)
    assert f"Programming Language :: Python :: {version}" in PROJECT["project"]["classifiers"]


def test_kubernetes_gives_a_worker_time_to_stop() -> None:
    deployment, *_ = [yaml.safe_load(block) for block in blocks("yaml")]
    pod = deployment["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > GIVING_BACK
    (container,) = pod["containers"]
    environment = {each["name"]: each for each in container["env"]}
    assert environment["REMAP_SIGTERM"]["value"] == "SIGQUIT"
    for name in ("FLOWRUNNER_BROKER", "FLOWRUNNER_BACKEND"):
        assert "secretKeyRef" in environment[name]["valueFrom"]
    probe = container["readinessProbe"]
    assert probe["periodSeconds"] >= probe["timeoutSeconds"]
    assert "livenessProbe" not in container


def test_systemd_gives_a_worker_time_to_stop() -> None:
    (unit,) = blocks("ini")
    parser = ConfigParser(interpolation=None, comment_prefixes=("#",))
    parser.read_string(unit)
    service = parser["Service"]
    assert service["KillSignal"] == "SIGQUIT"
    assert service["KillMode"] == "mixed"
    assert service.getint("TimeoutStopSec") > GIVING_BACK
    assert service["Restart"] == "always"
