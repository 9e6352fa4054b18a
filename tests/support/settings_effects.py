"""For every setting: a value that is not its default, and where that value is seen to act."""

from __future__ import annotations

import asyncio
import json
import logging
import runpy
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial, reduce
from typing import Any
from unittest.mock import MagicMock, patch

from celery import signals
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from bridge.durable import ensure_durable
from bridge.nats_connection import connect
from bridge.streams import PLANNING, ensure
from domain.plan import PlanRequest
from tests.support.factories import plan
from workers.app import make_app
from workers.bridge_process import capacity_of, options_of
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


def spec(name: str) -> Observe:
    """Look at the engine that a worker is pinned to."""
    return lambda settings: getattr(engine_of(settings).spec, name)


def command_line(settings: Settings) -> list[str]:
    """Return how the engine is started."""
    return list(VllmEngine().launch(engine_of(settings).spec, 1).argv)


def behind(flag: str) -> Observe:
    """Look at what follows a flag on the engine's command line; None without it."""

    def observe(settings: Settings) -> str | None:
        words = command_line(settings)
        return words[words.index(flag) + 1] if flag in words else None

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
    ports.councils.all()
    ports.plans.save([PlanRequest(request_id="r", plan=plan(), revision="1")])
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


SENTINEL = {"CONCLAVE_REDIS_URL": "sentinel://127.0.0.1:1"}
EXTERNAL = {"CONCLAVE_ENGINE_URL": "http://gpu/v1"}
RULE = {"CONCLAVE_REDELIBERATION_FAILED": "true"}
TRANSPORT = partial(app_conf, "broker_transport_options")

ALL_PROCESSES = {
    "redis_url": Effect("redis://h/3", store_database, ("redis://h/3", "redis://h/3", 3)),
    "redis_sentinel_master": Effect("m", TRANSPORT("master_name"), "m", beside=SENTINEL),
    "key_prefix": Effect(
        "p:",
        lambda settings: (
            TRANSPORT("global_keyprefix")(settings),
            app_conf("result_backend_transport_options", "global_keyprefix")(settings),
            app_conf("redbeat_key_prefix")(settings),
            "'p:councils'" in store_commands(settings),
        ),
        ("p:broker:", "p:results:", "p:beat:", True),
    ),
    "retention_s": Effect("61.5", lambda settings: "61500" in store_commands(settings), True),
    "model": Effect(
        "m",
        lambda settings: (
            services("policy.model")(settings),
            spec("model")(settings),
            "llm.m" in {queue.name for queue in app_conf("task_queues")(settings)},
        ),
        ("m", "m", True),
    ),
    "worker_concurrency": Effect("7", app_conf("worker_concurrency"), 7),
    "visibility_timeout_s": Effect("9.5", TRANSPORT("visibility_timeout"), 9.5),
    "max_message_bytes": Effect("2048", bridge("max_message_bytes"), 2048),
    "max_open": Effect("5", capacity, 5),
    "phase_roles": Effect('{"BUILD": ["DEV"]}', bridge("phases"), {"BUILD": ("DEV",)}),
    "otlp_endpoint": Effect(
        "http://127.0.0.1:9", lambda settings: type(Composition(settings).tracer).__name__, "OtelTracer"
    ),
    "state": Effect("TMP/state", flower_option("db"), "TMP/state/flower.db"),
    "log_json": Effect("false", logging_as_set(formats_json), False),
    "log_level": Effect("ERROR", logging_as_set(lambda root: root.level), logging.ERROR),
}
NATS = {
    "nats.url": Effect("nats://a,tls://b", nats_client("servers"), ["nats://a", "tls://b"]),
    "nats.name": Effect("ours", nats_client("name"), "ours"),
    "nats.user": Effect("u", nats_client("user"), "u"),
    "nats.password": Effect("p", nats_client("password"), "p"),
    "nats.credentials": Effect(__file__, nats_client("user_credentials"), __file__),
    "nats.inbox_prefix": Effect("_I", nats_client("inbox_prefix"), "_I"),
    "nats.ca": Effect("a.pem", nats_client("trust"), "a.pem"),
    "nats.cert": Effect("c.pem", lambda settings: (nats_client("chain")(settings) or [""])[0], "c.pem"),
    "nats.key": Effect(
        "k.pem",
        lambda settings: nats_client("chain")(settings)[1],
        "k.pem",
        beside={"CONCLAVE_NATS_CERT": "c.pem"},
    ),
    "nats.connect_timeout_s": Effect("7.5", nats_client("connect_timeout"), 7.5),
    "nats.reconnect_wait_s": Effect("7.5", nats_client("reconnect_time_wait"), 7.5),
    "nats.ping_interval_s": Effect("7", nats_client("ping_interval"), 7),
    "stream.max_bytes": Effect("4096", stream_made("max_bytes"), 4096),
    "stream.max_age_s": Effect("7200.5", stream_made("max_age"), 7200.5),
    "stream.duplicate_window_s": Effect("7.5", stream_made("duplicate_window"), 7.5),
    "stream.replicas": Effect("3", stream_made("num_replicas"), 3),
    "bridge.durables": Effect("ours", durable_made("durable_name"), "ours-subject"),
    "bridge.batch": Effect("7", bridge("consumer.batch"), 7),
    "bridge.batch_bytes": Effect("4096", bridge("consumer.batch_bytes"), 4096),
    "bridge.wait_s": Effect("7.5", bridge("consumer.wait_s"), 7.5),
    "bridge.ack_wait_s": Effect("7.5", durable_made("ack_wait"), 7.5),
    "bridge.max_ack_pending": Effect("7", durable_made("max_ack_pending"), 7),
    "bridge.max_deliver": Effect("7", durable_made("max_deliver"), 7),
    "bridge.backoff_s": Effect("[1, 7]", bridge("consumer.backoff_s"), (1.0, 7.0)),
    "bridge.from_beginning": Effect(
        "false", lambda settings: durable_made("deliver_policy")(settings).value, "new"
    ),
}
ENGINE = {
    "engine.kind": Effect("llama.cpp", spec("kind"), "llama.cpp"),
    "engine.weights": Effect("/w", lambda settings: command_line(settings)[2], "/w"),
    "engine.gpus": Effect(
        '["0", "1"]',
        lambda settings: VllmEngine().launch(engine_of(settings).spec, 1).env.get("CUDA_VISIBLE_DEVICES"),
        "0,1",
    ),
    "engine.url": Effect(
        "http://gpu/v1",
        lambda settings: (spec("kind")(settings), spec("url")(settings)),
        (
            "external",
            "http://gpu/v1",
        ),
    ),
    "engine.key": Effect("k", lambda settings: spec("key")(settings).get_secret_value(), "k", beside=EXTERNAL),
    "engine.host": Effect("10.0.0.7", behind("--host"), "10.0.0.7"),
    "engine.port": Effect("8123", spec("port"), 8123),
    "engine.command": Effect('["a", "b"]', lambda settings: command_line(settings)[:2], ["a", "b"]),
    "engine.extra_args": Effect('["--x", "1"]', lambda settings: command_line(settings)[-2:], ["--x", "1"]),
    "engine.slots": Effect("7", behind("--max-num-seqs"), "7"),
    "engine.max_model_len": Effect("4096", behind("--max-model-len"), "4096"),
    "engine.guidance": Effect("grammar", spec("guidance"), "grammar"),
    "engine.state_dir": Effect("TMP/e", lambda settings: str(spec("state_dir")(settings)), "TMP/e"),
    **{
        f"engine.{name}": Effect("7.5", spec(name), 7.5)
        for name in ("start_within_s", "lease_s", "probe_every_s", "probe_within_s", "stall_s", "publish_ttl_s")
    },
}
POLICY = {
    f"policy.{name}": Effect(value, services(f"policy.{name}"), seen)
    for name, value, seen in (
        ("rounds", "2", 2),
        ("max_tokens", "7", 7),
        ("token_budget", "7", 7),
        ("deadline_s", "7.5", 7.5),
        ("call_timeout_s", "7.5", 7.5),
        ("quorum", "2", 2),
        ("judges", "1", 1),
        ("model_wait_s", "7.5", 7.5),
        ("sweep_after_s", "7.5", 7.5),
        ("cut_off", "fail", "fail"),
        ("review.orders", "2", 2),
        ("review.both_passes", "false", False),
        ("review.skip_decided", "true", True),
        ("review.swing", "2", 2.0),
        ("review.explain_top", "1", 1),
        ("review.synthesis", "true", True),
        ("review.use_reliability", "true", True),
    )
} | {
    f"policy.limits.{name}": Effect("3", bridge(f"limits.{name}"), 3)
    for name in ("plan_chars", "roles", "agents", "rounds", "max_tokens", "deadline_s", "proposal_chars")
}
REDELIBERATION = {
    f"redeliberation.{name}": Effect(value, services(f"redeliberation.{name}"), seen)
    for name, value, seen in (
        ("stale_after_s", "7.5", 7.5),
        ("min_kendall_w", "0.5", 0.5),
        ("min_p_winner", "0.5", 0.5),
        ("contested", "true", True),
        ("degraded", "true", True),
        ("failed", "true", True),
        ("council_changed", "true", True),
        ("max_revisions", "7", 7),
        ("cool_down_s", "7.5", 7.5),
        ("per_run", "7", 7),
        ("with_prior_winner", "false", False),
    )
} | {
    "redeliberation.every_s": Effect(
        "7.5", app_conf("beat_schedule", "redeliberate", "schedule"), 7.5, beside=RULE
    )
}
SHOWN = {
    "metrics.port": Effect("9100", metrics_served, (9100, "127.0.0.1")),
    "metrics.host": Effect("0.0.0.0", metrics_served, (9100, "0.0.0.0"), beside={"CONCLAVE_METRICS_PORT": "9100"}),
    "flower.auth": Effect("ops:one, dev:two", flower_option("basic_auth"), ["ops:one", "dev:two"]),
    "flower.read_only": Effect("false", flower_option("read_only"), False),
}
EFFECTS: dict[str, Effect] = ALL_PROCESSES | NATS | ENGINE | POLICY | REDELIBERATION | SHOWN
