"""Where a setting is seen to act: each function looks at one part of what processes are made with."""

from __future__ import annotations

import asyncio
import json
import logging
import runpy
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import reduce
from importlib.metadata import EntryPoint
from typing import Any
from unittest.mock import MagicMock, patch

from celery import signals
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from bridge.durable import ensure_durable
from bridge.nats_connection import connect
from bridge.streams import PLANNING, ensure
from domain.engine import ThinkingSwitch
from domain.plan import PlanRequest
from tests.support.factories import plan
from tests.support.in_memory.clock import MemoryClock
from workers.app import make_app
from workers.bridge_process import capacity_of, options_of
from workers.checks.registry import OWN
from workers.cli.up_down import ports_of
from workers.composition import Composition, engine_of
from workers.engines.vllm_engine import VllmEngine
from workers.flower.options import CONFIG
from workers.settings import Settings

Observe = Callable[[Settings], Any]


@dataclass(frozen=True)
class Effect:
    """What to set, where to look, what to see there."""

    value: str
    """As the variable holds it; TMP stands for a folder of the test's own."""
    observe: Observe
    seen: Any
    beside: Mapping[str, str] = field(default_factory=dict)
    """Variables without which the setting means nothing."""


def app_conf(name: str, *within: str) -> Observe:
    """Look at Celery's configuration."""
    return lambda settings: reduce(lambda found, key: found[key], within, make_app(settings).conf[name])


def bridge(path: str) -> Observe:
    """Look at what a bridge is made with."""
    return lambda settings: reduce(getattr, path.split("."), options_of(settings))


def services(path: str) -> Observe:
    """Look at what the steps of a deliberation are given."""
    return lambda settings: reduce(getattr, path.split("."), Composition(settings).services(make_app(settings)))


def own_checks_run(settings: Settings) -> tuple[EntryPoint, ...]:
    """Look at which of Conclave's checks a proposal is put to."""
    return tuple(point for point in Composition(settings).checks.points if point in OWN)


def usual_ports(settings: Settings) -> Mapping[str, int]:
    """Look at which ports `conclave up` takes if they are free."""
    return ports_of(settings)


def spec(name: str) -> Observe:
    """Look at the engine that a worker is pinned to."""
    return lambda settings: getattr(engine_of(settings).spec, name)


def chat_model_made(name: str) -> Observe:
    """What the client of all engines is made with."""

    def observe(settings: Settings) -> Any:
        with patch("workers.adapters.openai.chat_model.OpenAIChatModel") as made:
            _ = Composition(settings).model
        return made.call_args.kwargs[name]

    return observe


def dialect(name: str) -> Observe:
    """How requests to the engine are made."""
    return lambda settings: getattr(engine_of(settings).spec.dialect(ThinkingSwitch.TEMPLATE), name)


def command_line(settings: Settings) -> list[str]:
    """Return how the engine is started."""
    return list(VllmEngine().launch(engine_of(settings).spec, 1).argv)


def behind(flag: str) -> Observe:
    """Look at what follows a flag on the engine's command line; None without it."""

    def observe(settings: Settings) -> str | None:
        words = command_line(settings)
        return words[words.index(flag) + 1] if flag in words else None

    return observe


def event_option(name: str) -> Observe:
    """How events leave a bridge, and how they leave a worker."""

    def observe(settings: Settings) -> Any:
        with patch("workers.composition.NatsEventPublisher") as made:
            _ = Composition(settings).publisher
        return bridge(f"events.{name}")(settings), getattr(made.call_args.kwargs["encoder"].options, name)

    return observe


def nats_client(name: str) -> Observe:
    """Look at what the NATS client, or the TLS context that it is given, is asked for."""

    def observe(settings: Settings) -> Any:
        asked: dict[str, Any] = {}

        async def connecting(_: Client, **arguments: Any) -> None:
            asked.update(arguments)

        def chain(_: ssl.SSLContext, *files: Any) -> None:
            asked["chain"] = [str(file) for file in files]

        def trust(_: ssl.SSLContext, authority: Any, *__: Any) -> None:
            asked["trust"] = str(authority)

        with (
            patch.object(Client, "connect", connecting),
            patch.object(ssl.SSLContext, "load_cert_chain", chain),
            patch.object(ssl.SSLContext, "load_verify_locations", trust),
        ):
            asyncio.run(connect(options_of(settings).nats))
        return asked.get(name)

    return observe


def stream_made(name: str) -> Observe:
    """Look at a stream as the bridge makes it."""

    def observe(settings: Settings) -> Any:
        server = MagicMock()
        known: list[Any] = []

        async def held_by(_: str) -> str:
            if not known:
                raise NotFoundError
            return "stream"

        async def add(config: Any) -> None:
            known.append(config)

        server.find_stream_name_by_subject, server.add_stream = held_by, add
        asyncio.run(ensure(server, PLANNING, options_of(settings).streams))
        return getattr(known[0], name)

    return observe


def durable_made(name: str) -> Observe:
    """Look at a durable consumer as the bridge makes it."""

    def observe(settings: Settings) -> Any:
        made: list[Any] = []

        class Server:
            async def find_stream_name_by_subject(self, _: str) -> str:
                return "stream"

            async def consumer_info(self, *_: str) -> None:
                raise NotFoundError

            async def add_consumer(self, _: str, config: Any) -> Any:
                made.append(config)
                return MagicMock(config=config)

        server: Any = Server()
        asyncio.run(ensure_durable(server, "subject", options_of(settings).consumer))
        return getattr(made[0], name)

    return observe


def store_commands(settings: Settings) -> str:
    """Return in words what the store's server is asked for when councils are read and a plan is saved."""
    ports = Composition(settings)
    ports.__dict__["store"] = client = MagicMock()
    client.register_script.return_value.return_value = None  # nothing was kept before
    ports.__dict__["clock"] = MemoryClock()
    ports.councils.all()
    request = PlanRequest(request_id="r", plan=plan(), revision="1")
    ports.plans.save([request])
    client.register_script.return_value.return_value = "taken"
    ports.places.take(request)
    return repr(client.mock_calls)


def store_database(settings: Settings) -> tuple[str, str, int]:
    """Return broker, results and the store's database."""
    conf = make_app(settings).conf
    number = Composition(settings).store.connection_pool.connection_kwargs.get("db", 0)
    return conf.broker_url, conf.result_backend.partition("+")[2], number


def capacity(settings: Settings) -> int:
    """Return how much a bridge takes in while nothing is open."""
    ports = MagicMock()
    ports.deliberations.count_open.return_value = ports.plans.count_undispatched.return_value = 0
    ports.places.bounded = False
    return int(capacity_of(settings, ports)())


def metrics_served(settings: Settings) -> tuple[int, str] | None:
    """Return where a worker that is ready shows its metrics."""
    signals.worker_ready.disconnect(dispatch_uid="conclave.metrics")
    make_app(settings)
    with patch("workers.metrics.endpoint.start_http_server") as start:
        signals.worker_ready.send(sender=None)
    return (start.call_args.args[0], start.call_args.kwargs["addr"]) if start.called else None


def flower_option(name: str) -> Observe:
    """Look at an option as Flower reads it."""
    return lambda settings: runpy.run_path(str(CONFIG)).get(name)


def logging_as_set(look: Callable[[logging.Logger], Any]) -> Observe:
    """Look at the root logger of a worker that sets up its logging."""

    def observe(settings: Settings) -> Any:
        signals.setup_logging.disconnect(dispatch_uid="conclave.logs")
        make_app(settings)
        with _root_logger_kept() as root:
            signals.setup_logging.send(sender=None)
            return look(root)

    return observe


@contextmanager
def _root_logger_kept() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield root
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def formats_json(root: logging.Logger) -> bool:
    """Whether a line that is logged is JSON."""
    line = root.handlers[0].format(logging.LogRecord("test", logging.ERROR, "", 0, "words", None, None))
    with suppress(ValueError):
        return isinstance(json.loads(line), dict)
    return False
