"""NATS: reachable, JetStream on, streams as a pipeline needs them, and nothing left unread in them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from nats.aio.client import Client
from nats.errors import Error
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig, StreamInfo
from nats.js.errors import NotFoundError, ServiceUnavailableError

from bridge.dead_letters import DeadLetters
from bridge.nats_connection import NatsUnreachable, connect
from bridge.options import NatsOptions
from bridge.position import fill_of, read_position
from bridge.stored import IMPORTED_API, jetstream_request
from bridge.streams import ORCHESTRATOR, StreamPlan, all_streams, stream_of
from bridge.subjects import INBOUND, advisory_subjects, durable_name
from domain.finding import Finding, Findings, fail, ok, warn
from workers.logins import NO_JETSTREAM

FULL = 0.9
"""Share of a limit from which on it is about to be reached."""
LOOK_ELSEWHERE = "this login may not look at streams and consumers, a bridge's may"
MANY = 500
"""Messages that wait for a bridge; the alert on the backlog has the same bound."""
DAY_S = 86_400


def examine_nats(
    options: NatsOptions, *, duplicate_window_s: float, max_message_bytes: int, durables: str
) -> Findings:
    """Connect once and look at the server, the streams, and what the bridges have left to read in them."""
    yield from asyncio.run(_examine(options, duplicate_window_s, max_message_bytes, durables))


async def _examine(options: NatsOptions, window_s: float, max_bytes: int, durables: str) -> list[Finding]:
    try:
        client = await connect(options)
    except NatsUnreachable as error:
        return [fail("nats", str(error))]
    try:
        return [_server(client, options.address, max_bytes), *await _jetstream(client, window_s, durables)]
    finally:
        await client.close()


def _server(client: Client, address: str, max_bytes: int) -> Finding:
    version = client.connected_server_version
    text = f"nats-server {version.major}.{version.minor}.{version.patch} at {address}"
    if client.max_payload < max_bytes:
        limit = f"takes messages up to {client.max_payload} bytes, below CONCLAVE_MAX_MESSAGE_BYTES {max_bytes}"
        return warn("nats", f"{text} {limit}: the largest plans and decisions can't pass; raise its max_payload")
    return ok("nats", text)


async def _jetstream(client: Client, window_s: float, durables: str) -> list[Finding]:
    try:
        account = await jetstream_request(client, "INFO")
    except (Error, TimeoutError) as error:
        if await _is_imported(client):
            return [ok("jetstream", f"answers in another account; {LOOK_ELSEWHERE}")]
        text = f"can't be used ({error!r}); start nats-server with JetStream (-js) and let this user use it"
        if isinstance(error, ServiceUnavailableError):
            text = f"does not answer this login: {NO_JETSTREAM}; of the shipped logins bridge or worker may look"
        return [fail("jetstream", text)]
    findings = [_storage(tier) for tier in account.get("tiers", {"": account}).values()]
    for plan in all_streams(durables):
        findings += await _streams(client, plan, window_s)
    for subject in INBOUND:
        findings += await _backlog(client, subject, durable_name(durables, subject))
    return findings + await _dead_letters(client, durables)


async def _is_imported(client: Client) -> bool:
    """Whether the events' stream answers from the account that exports it to this login's."""
    try:
        await jetstream_request(client, f"STREAM.INFO.{ORCHESTRATOR.name}", api=IMPORTED_API)
    except (Error, TimeoutError):
        return False
    return True


def _storage(account: Mapping[str, Any]) -> Finding:
    """Compare what an account, or a tier of it, stores and has reserved with its limit."""
    limit, stored, reserved = account["limits"]["max_storage"], account["storage"], account["reserved_storage"]
    text = f"on, {stored >> 20} MiB stored, {reserved >> 20} MiB reserved by the streams' limits"
    if limit <= 0:
        return ok("jetstream", f"{text}; the server shows no limit, its disk and max_file_store have one")
    text = f"{text} of {limit >> 20} MiB"
    if stored > FULL * limit:
        return warn("jetstream", f"{text}: soon it stores no more; raise the account's limit, or purge streams")
    if reserved > FULL * limit:
        return warn("jetstream", f"{text}: a further stream can't be created; raise the account's limit")
    return ok("jetstream", text)


async def _streams(client: Client, plan: StreamPlan, window_s: float) -> list[Finding]:
    """Look at every stream that holds a subject of the plan, under whatever name."""
    stream = client.jetstream()
    held_by = {await stream_of(stream, subject) for subject in plan.needed}
    if None in held_by:
        text = f"no stream holds {', '.join(plan.needed)} yet; a bridge makes the stream at its start"
        return [warn(f"stream {plan.name}", text)]
    names = sorted(name for name in held_by if name is not None)
    return [_judge(name, await stream.stream_info(name), window_s) for name in names]


def _judge(name: str, info: StreamInfo, window_s: float) -> Finding:
    config, what = info.config, f"stream {name}"
    if config.no_ack:
        text = "confirms nothing (no_ack), so what is published there is taken for lost and sent again and again"
        return fail(what, f"{text}; let it confirm: `nats stream edit {name} --ack`")
    if config.retention not in (None, RetentionPolicy.LIMITS):
        kind = RetentionPolicy(config.retention).value
        return warn(what, f"has {kind} retention: what one consumer acknowledges is gone for all; give it limits")
    if config.storage != StorageType.FILE:
        return fail(what, "is kept in memory only, so a restart loses what it holds; make it a file stream")
    found_s = config.duplicate_window or 0.0  # nats-py turns the server's nanoseconds into seconds
    if found_s < window_s:
        text = f"forgets duplicates after {_duration(found_s)}; what is published again later is seen twice"
        return warn(what, f"{text}; raise its duplicate window to {_duration(window_s)}")
    limits = {"max_bytes": config.max_bytes or 0, "max_msgs": config.max_msgs or 0}
    fill = fill_of(limits, {"bytes": info.state.bytes, "messages": info.state.messages})
    if fill > FULL:
        refuses = config.discard == DiscardPolicy.NEW
        then = "new messages will be refused" if refuses else "its oldest messages are about to go"
        return warn(what, f"is {fill:.0%} full; {then}: raise its limits with `nats stream edit {name}`")
    duplicates = f"duplicates known for {_duration(found_s)}"
    return ok(what, f"{info.state.messages} messages on disk, {_limits(config)}, {duplicates}")


async def _backlog(client: Client, subject: str, durable: str) -> list[Finding]:
    """Look at what waits on a subject, and at what has left its stream unread and was not reported by a bridge."""
    held_by, what = await stream_of(client.jetstream(), subject), f"messages on {subject}"
    try:
        position = await read_position(client, held_by, durable) if held_by else None
    except NotFoundError:
        position = None
    if position is None:
        return [warn(what, f"no bridge has read any yet: it makes the consumer {durable} at its start")]
    waiting = f"{position.pending} wait for a bridge, {position.ack_pending} are in flight"
    found = [ok(what, waiting)]
    if position.pending > MANY:
        remedy = "start bridges, or see what keeps deliberations open: at CONCLAVE_MAX_OPEN no more is fetched"
        found = [warn(what, f"{waiting}; {remedy}")]
    if position.gone:
        text = f"up to {position.gone} have left stream {held_by} before a bridge read them"
        found.append(warn(what, f"{text}; have them published again, and raise the stream's limits"))
    return found


async def _dead_letters(client: Client, durables: str) -> list[Finding]:
    found = []
    for subject in advisory_subjects(durables):
        if await stream_of(client.jetstream(), subject.replace("*", "ANY")) is None:
            text = "is kept nowhere, so a message that ends bridge after bridge leaves no dead letter"
            found.append(warn("dead letters", f"{subject} {text}; let the dead-letter stream hold it"))
    count = await DeadLetters(client, durables=durables).count()
    if not count:
        return [*found, ok("dead letters", "none")]
    remedy = "`conclave dead-letter list` says why, `replay NUMBER` or `purge NUMBER` ends it"
    return [*found, warn("dead letters", f"{count} messages were rejected, not processed or lost; {remedy}")]


def _limits(config: StreamConfig) -> str:
    size = f"at most {config.max_bytes >> 20} MiB" if config.max_bytes and config.max_bytes > 0 else "any size"
    age = _duration(config.max_age) if config.max_age else "any age"
    return f"{size} and {age}, {config.num_replicas or 1} copies"


def _duration(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < DAY_S else f"{seconds / DAY_S:.3g} days"
