"""For every setting: a value that is not its default, and where that value is seen to act."""

from __future__ import annotations

import json
import logging
from decimal import Decimal
from functools import partial

from domain.engine import EngineKind, EngineRecord, Guidance
from domain.prices import Price
from tests.support.settings_observers import (
    Effect,
    app_conf,
    behind,
    bridge,
    capacity,
    chat_model_made,
    command_line,
    dialect,
    durable_made,
    event_option,
    flower_option,
    formats_json,
    logging_as_set,
    metrics_served,
    nats_client,
    own_checks_run,
    services,
    spec,
    store_commands,
    store_database,
    stream_made,
    usual_ports,
)
from tests.support.settings_observers_web import (
    PASSWORD_HASH,
    web_address,
    web_cookie,
    web_known_session,
    web_link,
    web_server,
    web_status,
    web_status_of_second_question,
    web_status_of_second_verdict,
)
from workers.app import make_app
from workers.checks.registry import OWN
from workers.composition import Composition, engine_of, key_of
from workers.engines.vllm_engine import VllmEngine

ADA = {"CONCLAVE_WEB_USERS": json.dumps({"ada": PASSWORD_HASH})}
SECRET = "s" * 32
WITH_SECRET = {"CONCLAVE_WEB_SECRET": SECRET}
SENTINEL = {"CONCLAVE_REDIS_URL": "sentinel://127.0.0.1:1"}
EXAMPLE = EngineRecord(
    name="e",
    model="m",
    url="https://api.example/v1",
    kind=EngineKind.EXTERNAL,
    guidance=Guidance.JSON_SCHEMA,
)
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
    "stack_ports": Effect("free", usual_ports, {}),
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
    "remote_control": Effect("full", lambda settings: type(make_app(settings).control).__name__, "FullControl"),
    "external_engines": Effect(
        '{"https://api.example/v1/": "k"}', lambda settings: key_of(settings)(EXAMPLE), "k"
    ),
    "max_message_bytes": Effect("2048", bridge("max_message_bytes"), 2048),
    "max_open": Effect("5", capacity, 5),
    "open_plans_per_publisher": Effect(
        "7",
        lambda settings: (Composition(settings).places.bounded, '"limit":7' in store_commands(settings)),
        (True, True),
    ),
    "phase_roles": Effect('{"BUILD": ["DEV"]}', bridge("phases"), {"BUILD": ("DEV",)}),
    "default_roles": Effect('["DEV"]', bridge("default_roles"), ("DEV",)),
    "prices": Effect(
        '{"m": {"input": 0.1, "output": 2}}',
        services("prices.prices"),
        {"m": Price(input=Decimal("0.1"), output=Decimal(2))},
    ),
    "currency": Effect("EUR", services("prices.currency"), "EUR"),
    "otlp_endpoint": Effect(
        "http://127.0.0.1:9", lambda settings: type(Composition(settings).tracer).__name__, "OtelTracer"
    ),
    "state": Effect("TMP/state", flower_option("db"), "TMP/state/flower.db"),
    "log_json": Effect("false", logging_as_set(formats_json), False),
    "log_level": Effect("ERROR", logging_as_set(lambda root: root.level), logging.ERROR),
}
NATS = {
    "events.dialect": Effect("envelope", event_option("dialect"), ("envelope", "envelope")),
    "events.second_prefix": Effect(
        "orchestration.b", event_option("second_prefix"), ("orchestration.b", "orchestration.b")
    ),
    "events.second_dialect": Effect("bare", event_option("second_dialect"), ("bare", "bare")),
    "events.aliases": Effect("true", event_option("aliases"), (True, True)),
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
    "engine.tokens_field": Effect("max_completion_tokens", dialect("tokens_field"), "max_completion_tokens"),
    "engine.omit": Effect('["seed"]', dialect("omit"), ("seed",)),
    "engine.extra_body": Effect('{"top_k": 20}', dialect("extra_body"), {"top_k": 20}),
    "engine.thinking_switch": Effect("reasoning_effort", dialect("thinking_switch"), "reasoning_effort"),
    "engine.max_answer_bytes": Effect("100000", chat_model_made("max_answer_bytes"), 100_000),
    "engine.reasoning_parser": Effect("qwen3", behind("--reasoning-parser"), "qwen3"),
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
        ("thinking", "700", 700),
        ("token_budget", "7", 7),
        ("deadline_s", "7.5", 7.5),
        ("call_timeout_s", "7.5", 7.5),
        ("quorum", "2", 2),
        ("judges", "1", 1),
        ("model_wait_s", "7.5", 7.5),
        ("sweep_after_s", "7.5", 7.5),
        ("park_after_losses", "7", 7),
        ("cut_off", "fail", "fail"),
        ("review.orders", "2", 2),
        ("review.ballots", "listwise", "listwise"),
        ("review.checklist", "report", "report"),
        ("review.both_passes", "true", True),
        ("review.skip_decided", "true", True),
        ("review.swing", "2", 2.0),
        ("review.second_look", "true", True),
        ("review.explain_top", "1", 1),
        ("review.synthesis", "true", True),
        ("review.use_reliability", "true", True),
        ("review.thinking", "on", "on"),
        ("review.deadline_share", "0.5", 0.5),
        ("verdict.within_s", "7.5", 7.5),
        ("verdict.overdue", "expires", "expires"),
    )
} | {
    f"policy.limits.{name}": Effect("3", bridge(f"limits.{name}"), 3)
    for name in ("plan_chars", "roles", "agents", "rounds", "max_tokens", "deadline_s", "proposal_chars")
}
CHECKS = {
    f"checks.{name}": Effect(str(value), services(f"checks.bounds.{name}"), value)
    for name, value in (("time_s", 7.5), ("memory_mb", 77), ("input_bytes", 7777), ("processes", 7))
} | {"checks.left_out": Effect('["yaml"]', own_checks_run, tuple(one for one in OWN if one.name != "yaml"))}
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
    "web.host": Effect("::1", web_server("host"), "::1"),
    "web.port": Effect("8401", web_server("port"), 8401),
    "web.users": Effect(ADA["CONCLAVE_WEB_USERS"], web_status("/nothing"), 303),
    "web.proxy_header": Effect(
        "X-User", web_status("/nothing"), 401, beside={"CONCLAVE_WEB_TRUSTED_PROXIES": '["10.0.0.7"]'}
    ),
    "web.trusted_proxies": Effect(
        '["10.0.0.0/8"]', web_address(peer="10.0.0.7", forwarded_for="1.2.3.4"), "1.2.3.4"
    ),
    "web.approvals_per_minute": Effect("1", web_status_of_second_question, 429),
    "web.verdicts_per_minute": Effect("1", web_status_of_second_verdict, 429),
    "web.rights": Effect(
        '{"ada": ["judge"]}', web_known_session(SECRET, "/api/openapi.json"), 403, beside=ADA | WITH_SECRET
    ),
    "web.secret": Effect(SECRET, web_known_session(SECRET), 404, beside=ADA),
    "web.session_s": Effect("61", web_cookie("max-age"), "61", beside=ADA),
    "web.flower_url": Effect("http://h:5555", web_link("/task/"), "http://h:5555/task/d-1.conclude"),
    "web.trace_url": Effect("http://j/{trace_id}", web_link("http://j/"), f"http://j/{'a' * 32}"),
    "web.origin": Effect("https://council.example", web_cookie("secure"), "True", beside=ADA),
}
EFFECTS: dict[str, Effect] = ALL_PROCESSES | NATS | ENGINE | POLICY | CHECKS | REDELIBERATION | SHOWN
