"""A TCP link between a client and a server that can be made slow, cut, or gone silent while it is in use.

In a test: `with TcpProxy(server.port) as link: client(link.port); link.sever(); …; link.heal()`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from workers.processes.ports import HOST, free_port

CHUNK = 65_536
WITHIN_S = 60.0
"""For what the proxy itself does; it is a matter of milliseconds."""

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Connection:
    """One client's connection and, unless it came while the link was silent, the server's other half of it."""

    def __init__(self, link: TcpProxy) -> None:
        self._link = link
        self.silent = False
        """Whatever arrives from either side is swallowed, a closing too: for good, as after a lost route."""
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, client: Ends) -> None:
        self._writers.append(client[1])
        if self.silent:
            await self._swallow(client[0])
            return
        server = await asyncio.open_connection(HOST, self._link.target)
        self._writers.append(server[1])
        await asyncio.gather(self._pump(client[0], server[1]), self._pump(server[0], client[1]))

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(CHUNK):
                await asyncio.sleep(self._link.delay_s)
                if not self.silent:
                    sink.write(data)
                    await sink.drain()
        except OSError:
            if not self.silent:
                raise
        if not self.silent:
            sink.close()

    async def _swallow(self, source: asyncio.StreamReader) -> None:
        while await source.read(CHUNK):
            pass


class TcpProxy:
    """Listens on a port of its own for one server's clients, on a thread and loop of its own.

    Steered from any thread; a call returns when it holds. Connections that went silent never speak again, also
    after `heal`: neither side is told, as when a host vanished or a firewall forgot them.
    """

    def __init__(self, target: int, *, delay_s: float = 0.0) -> None:
        """`target`: the server's port on this machine; `delay_s`: added to every chunk, both ways."""
        self.target = target
        self.port = free_port()
        self.delay_s = delay_s
        self._silent = False
        self._connections: set[_Connection] = set()
        self._listener: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tcp-proxy", daemon=True)

    def sever(self) -> None:
        """Close all connections on both sides and refuse new ones."""
        self._do(self._sever())

    def half_open(self) -> None:
        """Keep connections open, accept new ones, and forward nothing of any of them."""
        self._do(self._go_silent())

    def heal(self) -> None:
        """Let new connections through again."""
        self._do(self._heal())

    def connections(self) -> int:
        """Return how many connections reach the server and may speak."""
        return sum(not one.silent for one in list(self._connections))

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._heal())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WITHIN_S)
        self._loop.close()

    def _do(self, action: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(action, self._loop).result(WITHIN_S)

    async def _heal(self) -> None:
        self._silent = False
        if self._listener is None:
            self._listener = await asyncio.start_server(self._accepted, HOST, self.port)

    async def _go_silent(self) -> None:
        await self._heal()
        self._silent = True
        for one in self._connections:
            one.silent = True

    async def _sever(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for one in self._connections:
            one.cut()

    async def _end(self) -> None:
        await self._sever()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self)
        connection.silent = self._silent
        self._connections.add(connection)
        try:
            # Cancelled at the end, which asyncio's streams would log as an error.
            with suppress(OSError, asyncio.CancelledError):
                await connection.serve((reader, writer))
        finally:
            self._connections.discard(connection)
            connection.cut()
