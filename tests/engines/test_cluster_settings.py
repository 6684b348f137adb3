"""What producers and workers are told of a cluster, from what somebody has asked for."""

from __future__ import annotations

import json
import ssl
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from flowrunner.app import Project
from flowrunner.engines.application import give_settings
from flowrunner.engines.cluster_settings import (
    ANSWER_TIMEOUT,
    CONNECT_TIMEOUT,
    cluster_settings,
    producer_settings,
    tls_options,
    with_given,
)
from flowrunner.errors import ConfigurationError
from flowrunner.settings import load_settings

REQUIRED = {"ssl_cert_reqs": ssl.CERT_REQUIRED}
SOCKET = {"socket_connect_timeout": CONNECT_TIMEOUT, "socket_timeout": ANSWER_TIMEOUT}


@pytest.mark.parametrize(
    ("address", "given", "told"),
    [
        ("redis://host", False, None),
        ("amqp://host", False, None),
        ("redis://host", True, REQUIRED),
        ("rediss://host", False, REQUIRED),
        ("rediss://host", {"ssl_ca_certs": "ca"}, {"ssl_ca_certs": "ca", **REQUIRED}),
        ("sentinel://host", {"ssl_cert_reqs": "none"}, {"ssl_cert_reqs": ssl.CERT_NONE}),
        ("amqps://host", False, {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None}),
        (
            "amqp://host",
            {"ssl_ca_certs": "ca", "ssl_check_hostname": False},
            {"ca_certs": "ca", "cert_reqs": ssl.CERT_REQUIRED},
        ),
        ("amqp://host", {"ssl_cert_reqs": "none"}, {"cert_reqs": ssl.CERT_NONE}),
    ],
)
def test_each_client_is_told_of_tls_in_its_own_words(
    address: str, given: dict[str, Any] | bool, told: dict[str, Any] | None
) -> None:
    assert tls_options(address, given) == told


@pytest.mark.parametrize(
    ("address", "option"),
    [("rediss://host", "ssl_server_hostname"), ("amqps://host", "ssl_password")],
)
def test_what_a_client_does_not_take_is_refused(address: str, option: str) -> None:
    with pytest.raises(ConfigurationError, match=option):
        tls_options(address, {option: "x"})


def test_options_are_merged_one_by_one_and_anything_else_is_replaced() -> None:
    settings = {"broker_transport_options": {"a": 1, "b": 1}, "result_expires": 1}
    given = {"broker_transport_options": {"b": 2}, "result_expires": 2}
    assert with_given(settings, given) == {
        "broker_transport_options": {"a": 1, "b": 2},
        "result_expires": 2,
        "result_chord_expires": 2,
    }


def test_a_producer_is_patient_unless_told_otherwise() -> None:
    given = {"broker_transport_options": {"socket_timeout": 1, "visibility_timeout": 2}}
    settings = producer_settings("redis://host", "redis://host", given)
    assert settings["broker_transport_options"] == {
        **SOCKET,
        "socket_timeout": 1,
        "visibility_timeout": 2,
    }


@pytest.mark.parametrize("make", [cluster_settings, producer_settings])
def test_nobody_waits_for_a_silent_sentinel(make: Any) -> None:
    options = {"master_name": "m", "sentinel_kwargs": {"password": "p"}}
    settings = make(
        "sentinel://host",
        "sentinel://host",
        {"broker_transport_options": options, "result_backend_transport_options": options},
    )
    for name in ("broker_transport_options", "result_backend_transport_options"):
        told = dict(settings[name]["sentinel_kwargs"])
        assert told.pop("retry").get_retries() == 0
        assert told == {"password": "p", **SOCKET}
        assert settings[name]["master_name"] == "m"


def test_a_sentinel_has_to_be_told_of_its_master() -> None:
    with pytest.raises(ConfigurationError) as caught:
        cluster_settings("sentinel://:pw@host", "sentinel://:pw@host")
    for option in ("broker_transport_options", "result_backend_transport_options"):
        assert f'{option} = {{ master_name = "mymaster" }}' in str(caught.value)
    assert "pw" not in str(caught.value)


def test_an_existing_app_keeps_what_nobody_has_asked_for() -> None:
    app = Celery("theirs", broker="rediss://host", backend="redis://host", set_as_current=False)
    app.conf.update(broker_transport_options={"a": 1, "b": 1}, result_expires=90)
    give_settings(app, {})
    assert not app.conf.broker_use_ssl  # as it says: not a word of TLS
    give_settings(app, {"broker_transport_options": {"b": 2}, "redis_backend_use_ssl": True})
    assert app.conf.broker_transport_options == {"a": 1, "b": 2}
    assert app.conf.redis_backend_use_ssl == REQUIRED
    assert app.conf.result_expires == 90
    assert app.conf.broker_url == "rediss://host"


@pytest.mark.parametrize("named", [{}, {"FLOWRUNNER_APP": "app_of_sentinels"}])
def test_a_worker_is_told_of_its_sentinels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: dict[str, str]
) -> None:
    (tmp_path / "app_of_sentinels.py").write_text("from celery import Celery\napp = Celery()\n")
    monkeypatch.syspath_prepend(tmp_path)
    options = json.dumps({"master_name": "m", "socket_timeout": 7})
    environment = {
        "FLOWRUNNER_BROKER": "sentinel://host/0",
        "FLOWRUNNER_BACKEND": "sentinel://host/1",
        "FLOWRUNNER_BROKER_TRANSPORT_OPTIONS": options,
        "FLOWRUNNER_RESULT_BACKEND_TRANSPORT_OPTIONS": options,
        **named,
    }
    conf = Project(load_settings(folder=tmp_path, environment=environment)).worker_app().conf
    assert conf.result_backend_transport_options["master_name"] == "m"
    told = conf.broker_transport_options
    assert (told["master_name"], told["socket_timeout"], told["socket_keepalive"]) == ("m", 7, True)
