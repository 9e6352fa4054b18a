"""TLS in front of a plain server; the embedded Valkey is built without it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path

import trustme
from anyio.from_thread import start_blocking_portal

from workers.processes.ports import HOST


@contextmanager
def tls_before(port: int, folder: Path) -> Iterator[tuple[int, Path]]:
    """Pass on from a port that speaks TLS; yield it and the file of its certificate authority."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(_listen(port, context)) as outer:
        yield outer, folder / "ca.pem"


@asynccontextmanager
async def _listen(port: int, context: ssl.SSLContext) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(OSError):
            inner_reader, inner_writer = await asyncio.open_connection(HOST, port)
            await asyncio.gather(_pass(reader, inner_writer), _pass(inner_reader, writer))

    async with await asyncio.start_server(serve, HOST, 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def _pass(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with closing(target), suppress(OSError):
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()
