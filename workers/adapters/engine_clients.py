"""The HTTP clients of a process: one pool of kept-alive connections, one client per engine over it."""

from __future__ import annotations

import os
from collections.abc import Callable

from httpx2 import Limits
from openai import AsyncOpenAI, DefaultAioHttpClient, Timeout

from domain.ports.engine_directory import EngineKind, EngineRecord
from workers.adapters.engine_client import EngineClient

CONNECT_WITHIN_S = 5.0
KEEP_ALIVE_S = 4.0
"""Below the five seconds after which uvicorn and llama.cpp hang up: a call must not meet a closing connection."""
NOWHERE = "http://engine.invalid/v1"
"""The pool's own address; every engine puts its own in place of it."""
NO_KEY = "none"
"""What is sent to an engine that asks for no key; the client insists on one."""


class EngineClients:
    """Makes each client once per process; used on that process's event loop only."""

    def __init__(self, *, api_key: Callable[[EngineRecord], str], max_in_flight: int | None) -> None:
        self._api_key = api_key
        self._max_in_flight = max_in_flight
        self._pools: dict[tuple[int, bool], AsyncOpenAI] = {}
        self._clients: dict[tuple[int, str], EngineClient] = {}

    def of(self, record: EngineRecord) -> EngineClient:
        """Return the client of that engine's address."""
        key = os.getpid(), record.url
        if key not in self._clients:
            self._clients[key] = self._make(record)
        return self._clients[key]

    async def close(self) -> None:
        """Close this process's connections; a later call opens new ones."""
        mine = os.getpid()
        for key in [key for key in self._pools if key[0] == mine]:
            await self._pools.pop(key).close()
        self._clients = {key: client for key, client in self._clients.items() if key[0] != mine}

    def _make(self, record: EngineRecord) -> EngineClient:
        pool = self._pool(outside=record.kind is EngineKind.EXTERNAL)
        openai = pool.with_options(base_url=record.url, api_key=self._api_key(record) or NO_KEY)
        slots = record.slots if self._max_in_flight is None else self._max_in_flight
        return EngineClient(record.kind, openai, slots=slots)

    def _pool(self, *, outside: bool) -> AsyncOpenAI:
        key = os.getpid(), outside
        if key not in self._pools:
            self._pools[key] = _connect(outside=outside)
        return self._pools[key]


def _connect(*, outside: bool) -> AsyncOpenAI:
    """Open a pool; only calls that leave the operator's own machines take the environment's proxies."""
    # The bound on a whole call is the request's own; here only a host that doesn't answer is given up.
    timeout = Timeout(None, connect=CONNECT_WITHIN_S)
    limits = Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=KEEP_ALIVE_S)
    http = DefaultAioHttpClient(timeout=timeout, limits=limits, trust_env=outside)
    return AsyncOpenAI(api_key=NO_KEY, base_url=NOWHERE, max_retries=0, timeout=timeout, http_client=http)
