"""NATS: reachable, JetStream on, streams as a pipeline needs them."""

from __future__ import annotations

import asyncio

from nats.aio.client import Client
from nats.errors import Error
from nats.js.api import RetentionPolicy, StorageType, StreamConfig, StreamInfo

from bridge.nats_connection import NatsUnreachable, connect
from bridge.options import NatsOptions
from bridge.streams import StreamPlan, all_streams, stream_of
from workers.doctor.finding import Finding, Findings, fail, ok, warn

FULL = 0.9
"""Share of a stream's size limit from which on old messages are about to go."""
DAY_S = 86_400


def examine_nats(options: NatsOptions, *, duplicate_window_s: float, max_message_bytes: int) -> Findings:
    """Connect once and look at the server and the streams."""
    yield from asyncio.run(_examine(options, duplicate_window_s, max_message_bytes))


async def _examine(options: NatsOptions, window_s: float, max_bytes: int) -> list[Finding]:
    try:
        client = await connect(options)
    except NatsUnreachable as error:
        return [fail("nats", str(error))]
    try:
        return [_server(client, options.address, max_bytes), *await _jetstream(client, window_s)]
    finally:
        await client.close()


def _server(client: Client, address: str, max_bytes: int) -> Finding:
    version = client.connected_server_version
    text = f"nats-server {version.major}.{version.minor}.{version.patch} at {address}"
    if client.max_payload < max_bytes:
        limit = f"takes messages up to {client.max_payload} bytes, below CONCLAVE_MAX_MESSAGE_BYTES {max_bytes}"
        return warn("nats", f"{text} {limit}: the largest plans and decisions can't pass; raise its max_payload")
    return ok("nats", text)


async def _jetstream(client: Client, window_s: float) -> list[Finding]:
    try:
        account = await client.jetstream().account_info()
    except (Error, TimeoutError) as error:
        text = f"can't be used ({error!r}); start nats-server with JetStream (-js) and let this user use it"
        return [fail("jetstream", text)]
    limit = account.limits.max_storage
    storage = "without a limit" if limit is None or limit < 0 else f"of {limit >> 20} MiB"
    findings = [ok("jetstream", f"on, {account.storage >> 20} MiB stored {storage}")]
    for plan in all_streams():
        findings += await _streams(client, plan, window_s)
    return findings


async def _streams(client: Client, plan: StreamPlan, window_s: float) -> list[Finding]:
    """Look at every stream that holds a subject of the plan, under whatever name."""
    stream = client.jetstream()
    held_by = {await stream_of(stream, subject) for subject in plan.needed}
    if None in held_by:
        text = f"no stream holds {', '.join(plan.subjects)} yet; a bridge makes the stream at its start"
        return [warn(f"stream {plan.name}", text)]
    names = sorted(name for name in held_by if name is not None)
    return [_judge(name, await stream.stream_info(name), window_s) for name in names]


def _judge(name: str, info: StreamInfo, window_s: float) -> Finding:
    config, what = info.config, f"stream {name}"
    if config.retention not in (None, RetentionPolicy.LIMITS):
        kind = RetentionPolicy(config.retention).value
        return warn(what, f"has {kind} retention: what one consumer acknowledges is gone for all; give it limits")
    if config.storage != StorageType.FILE:
        return fail(what, "is kept in memory only, so a restart loses what it holds; make it a file stream")
    found_s = config.duplicate_window or 0.0  # nats-py turns the server's nanoseconds into seconds
    if found_s < window_s:
        text = f"forgets duplicates after {_duration(found_s)}; what is published again later is seen twice"
        return warn(what, f"{text}; raise its duplicate window to {_duration(window_s)}")
    if config.max_bytes and config.max_bytes > 0 and info.state.bytes > FULL * config.max_bytes:
        return warn(
            what, f"is {info.state.bytes / config.max_bytes:.0%} full; its oldest messages are about to go"
        )
    duplicates = f"duplicates known for {_duration(found_s)}"
    return ok(what, f"{info.state.messages} messages on disk, {_limits(config)}, {duplicates}")


def _limits(config: StreamConfig) -> str:
    size = f"at most {config.max_bytes >> 20} MiB" if config.max_bytes and config.max_bytes > 0 else "any size"
    age = _duration(config.max_age) if config.max_age else "any age"
    return f"{size} and {age}, {config.num_replicas or 1} copies"


def _duration(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < DAY_S else f"{seconds / DAY_S:.3g} days"
