"""`/metrics` is served where it was asked for; a port that is taken costs nothing else."""

from __future__ import annotations

import socket
import urllib.request

import pytest
import structlog
from prometheus_client import CollectorRegistry, Gauge

from workers.metrics.endpoint import serve_metrics
from workers.processes.ports import HOST, free_port


def test_nothing_is_served_on_port_zero() -> None:
    assert not serve_metrics(CollectorRegistry(), host=HOST, port=0)


def test_the_registry_is_served_as_prometheus_reads_it() -> None:
    registry, port = CollectorRegistry(), free_port()
    Gauge("answer", "Of everything", registry=registry).set(42)
    assert serve_metrics(registry, host=HOST, port=port)
    with urllib.request.urlopen(f"http://{HOST}:{port}/metrics") as response:
        assert "answer 42.0" in response.read().decode()


def test_a_taken_port_is_said_with_the_remedy_and_nothing_is_raised() -> None:
    with socket.create_server((HOST, 0)) as taken, structlog.testing.capture_logs() as lines:
        port = taken.getsockname()[1]
        assert not serve_metrics(CollectorRegistry(), host=HOST, port=port)
    (line,) = lines
    assert line["log_level"] == "error"
    assert line["address"] == f"{HOST}:{port}"
    assert "metrics_port" in line["remedy"]


def test_an_address_that_is_not_ours_is_said_too() -> None:
    with structlog.testing.capture_logs() as lines:
        assert not serve_metrics(CollectorRegistry(), host="192.0.2.1", port=free_port())
    assert lines[0]["address"].startswith("192.0.2.1:")


@pytest.mark.parametrize("host", ["no-such-host.invalid"])
def test_a_host_that_can_not_be_found_is_said_too(host: str) -> None:
    with structlog.testing.capture_logs() as lines:
        assert not serve_metrics(CollectorRegistry(), host=host, port=free_port())
    assert lines
