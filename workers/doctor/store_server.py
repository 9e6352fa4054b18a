"""Valkey: reachable, durable, and never throwing work away."""

from __future__ import annotations

import time
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import NoPermissionError, RedisError

from domain.finding import Finding, Findings, fail, ok, warn
from workers.adapters.redis.connection import StoreUnreachable, address, connect, login, reach
from workers.logins import VALKEY, may_not
from workers.settings import Settings
from workers.skew import MAX_SKEW_S, sentence

log = structlog.get_logger("conclave.store")

SKEW_S = 2.0
"""Clocks further apart than this blur leases and deadlines of seconds."""


def examine_valkey(settings: Settings) -> Findings:
    """Look at the server behind broker, results and store."""
    url = settings.redis_url.get_secret_value()
    client = connect(url, master=settings.redis_sentinel_master, patience_s=0.5)
    try:
        reach(client, url)
    except StoreUnreachable as error:
        yield fail("valkey", str(error))
        return
    yield ok("valkey", f"answers at {address(url)}, broker, results and store under {settings.key_prefix}")
    try:
        yield from _server(client)
    except NoPermissionError as error:
        yield warn("valkey configuration", may_not(VALKEY, login(url), str(error).rstrip(".")))
    except RedisError as error:
        yield warn("valkey configuration", f"can't be looked at ({error}); check it as its administrator")


def _server(client: Redis) -> Findings:
    info: dict[str, Any] = client.info()
    version = info.get("valkey_version") or info.get("redis_version")
    yield ok("valkey version", f"{info.get('server_name', 'redis')} {version}")
    yield _append_only(info)
    yield _eviction(str(info.get("maxmemory_policy", "")))
    yield _skew(client)


def _append_only(info: dict[str, Any]) -> Finding:
    if not int(info.get("aof_enabled", 0)):
        return fail("valkey append-only file", "is off, so a restart forgets accepted plans; set appendonly yes")
    if str(info.get("aof_last_write_status", "ok")) != "ok":
        return fail("valkey append-only file", "could not be written last time; look at the server's disk")
    return ok("valkey append-only file", "on")


def warn_of_eviction(client: Redis) -> None:
    """Log that the store may evict keys; nothing where it may not, is away, or does not let us look."""
    try:
        info: dict[str, Any] = client.info("memory")
    except RedisError:
        return
    policy = str(info.get("maxmemory_policy", ""))
    if _evicts(policy) and int(info.get("maxmemory", 0)):
        log.warning("valkey may evict keys", reason=_eviction_sentence(policy))


def _eviction(policy: str) -> Finding:
    if _evicts(policy):
        return fail("valkey eviction", _eviction_sentence(policy))
    return ok("valkey eviction", "noeviction: a full server refuses, it forgets nothing")


def _evicts(policy: str) -> bool:
    return policy not in ("", "noeviction")


def _eviction_sentence(policy: str) -> str:
    return f"maxmemory-policy {policy} throws work away when memory is short; set noeviction"


def _skew(client: Redis) -> Finding:
    before = time.time()
    seconds, micros = client.time()
    return judge_skew(int(seconds) + int(micros) / 1e6 - (before + time.time()) / 2)


def judge_skew(skew: float) -> Finding:
    """Judge by how many seconds Valkey's clock is ahead of ours."""
    if abs(skew) > MAX_SKEW_S:
        return fail("clock", f"nothing of Conclave's starts here: {sentence(-skew)}")
    if abs(skew) > SKEW_S:
        return warn("clock", f"differs from Valkey's by {skew:+.1f} s; run an NTP client on both hosts")
    return ok("clock", f"within {abs(skew):.2f} s of Valkey's")
