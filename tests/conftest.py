"""Fixtures every tier may use: one real server of each kind per test run, never flushed between tests."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import structlog
from hypothesis import settings

from tests.support.examples import examples
from tests.support.servers import NatsServer, ValkeyServer
from workers.processes.guard import Guard

# Property tests have no deadline per example: on a shared machine that would be an assertion about time.
settings.register_profile("untimed", deadline=None, max_examples=examples(100))
settings.load_profile("untimed")


def pytest_configure() -> None:
    """Have the processes that tests start hear Ctrl-C, also where a shell runs the tests in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _loggers_stay_loose() -> Iterator[None]:
    """Keep a logger that is used while one test has logging configured from being bound to that in later ones."""
    # What nobody has configured would go to standard output, which tests of commands read, and from debug on.
    structlog.configure(
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(os.environ.get("CONCLAVE_TEST_LOG", "warning")),
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(structlog, "configure", partial(_configure_uncached, structlog.configure))
        yield


def _configure_uncached(configure: Callable[..., None], **options: Any) -> None:
    configure(**options | {"cache_logger_on_first_use": False})


@pytest.fixture(scope="session")
def guard() -> Iterator[Guard]:
    """Ends every process that tests start through it, even when the test run is killed."""
    guard = Guard()
    yield guard
    guard.close()


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[NatsServer]:
    """A NATS server shared by the run: use fresh subjects; start your own to kill it."""
    with NatsServer(tmp_path_factory.mktemp("nats"), guard=guard) as server:
        yield server


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[ValkeyServer]:
    """A Valkey server shared by the run: use fresh keys; start your own to kill it."""
    with ValkeyServer(tmp_path_factory.mktemp("valkey"), guard=guard) as server:
        yield server
