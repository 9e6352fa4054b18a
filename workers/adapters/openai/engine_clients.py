"""The HTTP clients of a process: one pool of kept-alive connections, one client per engine over it."""

from __future__ import annotations

import os
from collections.abc import Callable

from aiohttp import ClientSession

from domain.engine import EngineKind, EngineRecord
from workers.adapters.openai.engine_client import EngineClient
from workers.adapters.openai.engine_http import EngineHttp, open_pool


class EngineClients:
    """Makes each client once per process; used on that process's event loop only."""

    def __init__(self, *, api_key: Callable[[EngineRecord], str], max_in_flight: int | None) -> None:
        self._api_key = api_key
        self._max_in_flight = max_in_flight
        self._pools: dict[tuple[int, bool], ClientSession] = {}
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
        http = EngineHttp(pool, record.url, api_key=self._api_key(record))
        slots = record.slots if self._max_in_flight is None else self._max_in_flight
        return EngineClient(record.kind, http, slots=slots)

    def _pool(self, *, outside: bool) -> ClientSession:
        key = os.getpid(), outside
        if key not in self._pools:
            self._pools[key] = open_pool(outside=outside)
        return self._pools[key]
