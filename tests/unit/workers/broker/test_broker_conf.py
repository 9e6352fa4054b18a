"""The settings exist in this Celery, fit each other and hold for every kind of address."""

from __future__ import annotations

import ssl
from typing import Any

import pytest
from celery import Celery
from celery.app.defaults import NAMESPACES, flatten
from celery.backends.base import Backend
from hypothesis import given
from hypothesis import strategies as st
from kombu import Connection
from kombu.utils.imports import symbol_by_name

from workers.broker import celery_conf, install
from workers.broker.visibility import Visibility
from workers.broker.worker_consumer import WorkerConsumer

PLAIN: dict[str, Any] = {"broker_url": "redis://127.0.0.1:1/0", "result_url": "redis://127.0.0.1:1/1"}
TLS: dict[str, Any] = {"broker_url": "rediss://127.0.0.1:1/0", "result_url": "rediss://127.0.0.1:1/1"}
WATCHED: dict[str, Any] = {
    "broker_url": "sentinel://127.0.0.1:1/0;sentinel://127.0.0.1:2/0",
    "result_url": "sentinel://127.0.0.1:1/1;sentinel://127.0.0.1:2/1",
    "sentinel_master": "council",
}


def test_every_setting_is_one_that_celery_knows() -> None:
    known = {option[0] for option in flatten(NAMESPACES)} | {"redis_backend_health_check_interval"}
    assert set(celery_conf(**TLS)) <= known


def test_workers_consume_with_our_consumer() -> None:
    assert symbol_by_name(celery_conf(**PLAIN)["worker_consumer"]) is WorkerConsumer


@pytest.mark.parametrize("address", [PLAIN, TLS, WATCHED], ids=["redis", "rediss", "sentinel"])
def test_connections_and_results_are_ours_whatever_the_address(address: dict[str, Any]) -> None:
    app = _app(address)
    assert type(app.connection_for_write().transport).__module__ == "workers.broker.transport"
    assert type(app.backend).__module__ == "workers.broker.backend"
    assert isinstance(app.backend, Backend)


def test_second_sentinel_gets_the_same_transport_as_the_first() -> None:
    connection = _app(WATCHED).connection_for_write()
    connection.maybe_switch_next()
    assert type(connection.transport).__module__ == "workers.broker.transport"


def test_address_is_shown_by_its_scheme_and_without_its_password() -> None:
    app = _app({"broker_url": "redis://:secret@127.0.0.1:1/0", "result_url": "redis://:secret@127.0.0.1:1/1"})
    shown = app.connection().as_uri(), app.backend.as_uri()
    assert shown[0].startswith("redis://")
    assert not any("secret" in uri for uri in shown)


def test_pickle_is_neither_sent_nor_read() -> None:
    app = _app(PLAIN)
    assert app.conf.accept_content == app.conf.result_accept_content == ["json"]
    assert {app.conf.task_serializer, app.conf.result_serializer, app.conf.event_serializer} == {"json"}


@given(st.floats(min_value=1, max_value=600), st.floats(min_value=0, max_value=600))
def test_times_fit_each_other(visibility_s: float, outage_s: float) -> None:
    conf = celery_conf(**PLAIN, visibility_timeout_s=visibility_s, outage_s=outage_s)
    options, policy = conf["broker_transport_options"], conf["task_publish_retry_policy"]
    assert 0 < options["unacked_restore_grace"] < options["visibility_timeout"]
    assert abs(policy["max_retries"] * policy["interval_max"] - outage_s) <= policy["interval_max"]
    assert options["socket_timeout"] > 1, "longer than a blocking pop"


def test_tls_is_verified_unless_the_url_says_otherwise() -> None:
    assert celery_conf(**TLS)["broker_use_ssl"] == {"ssl_cert_reqs": ssl.CERT_REQUIRED}
    assert _ssl("rediss://127.0.0.1:1/0")["ssl_cert_reqs"] == ssl.CERT_REQUIRED
    assert _ssl("rediss://127.0.0.1:1/0?ssl_ca_certs=/ca.pem")["ssl_ca_certs"] == "/ca.pem"
    assert _ssl("rediss://127.0.0.1:1/0?ssl_cert_reqs=CERT_NONE")["ssl_cert_reqs"] == ssl.CERT_NONE


@pytest.mark.parametrize("url", ["", "amqp://127.0.0.1", "valkey://127.0.0.1", "127.0.0.1:6379"])
def test_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="a broker is at redis"):
        celery_conf(broker_url=url, result_url=url)


def test_sentinel_without_its_masters_name_is_refused() -> None:
    with pytest.raises(ValueError, match="name of its master"):
        celery_conf(broker_url="sentinel://127.0.0.1:1/0", result_url="sentinel://127.0.0.1:1/1")


def test_installing_twice_adds_one_heartbeat() -> None:
    app = _app(PLAIN)
    install(app)
    assert app.steps["consumer"] == {Visibility}


def _app(address: dict[str, Any]) -> Celery:
    app = Celery(set_as_current=False)
    app.conf.update(celery_conf(**address))
    install(app)
    return app


def _ssl(url: str) -> dict[str, Any]:
    connection: Connection = _app({"broker_url": url, "result_url": url}).connection_for_write()
    assert isinstance(connection.ssl, dict)
    return connection.ssl
