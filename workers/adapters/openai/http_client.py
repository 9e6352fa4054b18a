"""OpenAI's Python client over one pool of kept-alive connections, with answers bounded while they are read.

aiohttp sends and receives, for about half the processor time of httpx2's own transport. What an engine answers
is foreign input: its headers and its body are bounded, redirects are not followed, cookies are not kept.
"""

from __future__ import annotations

from urllib.request import getproxies, proxy_bypass

import httpx2
from aiohttp import (
    ClientError,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from openai import AsyncOpenAI, Omit

from workers.adapters.openai.failures import UnreadableAnswer

MAX_ANSWER_BYTES = 8 * 1024 * 1024
"""Far beyond the longest completion; an answer is read whole, by as many calls as are in flight."""
MAX_ERROR_BODY_BYTES = 64 * 1024
"""Of an error, whose first sentence is read; the rest is left unread."""
MAX_HEADER_BYTES = 8 * 1024
"""Of the status line, and of each header."""
MAX_HEADERS = 64
CONNECT_WITHIN_S = 5.0
KEEP_ALIVE_S = 4.0
"""Below the five seconds after which uvicorn and llama.cpp hang up: a call must not meet a closing connection."""
READ_HEADERS = ("Content-Type", "Retry-After")
"""The headers of an answer that matter; without Set-Cookie no cookie of one engine reaches another."""


def open_client(*, proxies: bool, max_answer_bytes: int) -> AsyncOpenAI:
    """Return OpenAI's client for calls that name their engine's whole address and key; it tries nothing twice.

    `proxies`: take the environment's, for calls that leave the operator's own machines. `max_answer_bytes`: of a
    body, decompressed.
    """
    transport = EngineTransport(proxies=proxies, max_answer_bytes=max_answer_bytes)
    return _PlainOpenAI(
        base_url="http://every.call.names.its.own.invalid",
        api_key="every call names its own",
        http_client=httpx2.AsyncClient(transport=transport, trust_env=False),
        timeout=None,  # The bound on a whole call is the request's own.
        max_retries=0,
    )


class _PlainOpenAI(AsyncOpenAI):
    """OpenAI's client without the headers that are meant for OpenAI.

    These name this host's platform and, from OPENAI_… variables, an organisation, a project and others.
    """

    @property
    def default_headers(self) -> dict[str, str | Omit]:
        return {
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "Content-Type": "application/json",
            "User-Agent": "conclave",
        }


class EngineTransport(httpx2.AsyncBaseTransport):
    """httpx2's transport interface over aiohttp. Used on one event loop only."""

    def __init__(self, *, proxies: bool, max_answer_bytes: int) -> None:
        """See `open_client`."""
        self._proxies = proxies
        self._max_answer_bytes = max_answer_bytes
        self._session: ClientSession | None = None
        self._proxy_of: dict[tuple[str, str], str | None] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Make one call and read its answer whole.

        Raises httpx2's NetworkError for a connection that failed or broke, UnreadableAnswer for what is no HTTP,
        or exceeds a bound.
        """
        try:
            async with self._open().request(
                request.method,
                # httpx2 made a header of a login in the URL; aiohttp refuses both together.
                str(request.url.copy_with(userinfo=b"") if request.url.userinfo else request.url),
                headers=request.headers.multi_items(),
                data=request.content,
                allow_redirects=False,
                proxy=self._proxy(request.url) if self._proxies else None,
            ) as response:
                body = await self._read(response)
        except ClientResponseError as error:
            # Also for headers beyond the bounds: the same call would be answered the same way again.
            words = f"the engine's answer is no HTTP, or its headers are longer than {MAX_HEADER_BYTES} bytes"
            raise UnreadableAnswer(words) from error
        except (ClientError, OSError) as error:
            raise httpx2.NetworkError(str(error)) from error
        return httpx2.Response(
            response.status,
            headers={name: _ascii(response.headers[name]) for name in READ_HEADERS if name in response.headers},
            content=body,
            extensions={"reason_phrase": _ascii(response.reason or "").encode()},
        )

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _open(self) -> ClientSession:
        """Return the session, made at the first call: it belongs to the loop that runs then."""
        if self._session is None:
            self._session = ClientSession(
                # As many connections as there are calls: engine and slots bound these.
                connector=TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S),
                # The bound on a whole call is the request's own; here only a host that doesn't answer is given up.
                timeout=ClientTimeout(total=None, sock_connect=CONNECT_WITHIN_S),
                cookie_jar=DummyCookieJar(),
                max_line_size=MAX_HEADER_BYTES,
                max_field_size=MAX_HEADER_BYTES,
                max_headers=MAX_HEADERS,
            )
        return self._session

    def _proxy(self, url: httpx2.URL) -> str | None:
        """Return the environment's proxy for a host, looked up once: aiohttp would for every call, in a thread."""
        origin = url.scheme, url.host
        if origin not in self._proxy_of:
            self._proxy_of[origin] = None if proxy_bypass(url.host) else getproxies().get(url.scheme)
        return self._proxy_of[origin]

    async def _read(self, response: ClientResponse) -> bytes:
        """Read a body, decompressed piece by piece; the beginning alone where an error's is too long."""
        failed = not 200 <= response.status < 300
        limit = MAX_ERROR_BODY_BYTES if failed else self._max_answer_bytes
        body = bytearray()
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > limit:
                response.close()  # Otherwise the rest would be read before the connection is used again.
                if failed:
                    break
                raise UnreadableAnswer(f"the engine's answer is longer than {limit} bytes")
        return bytes(body[:limit])


def _ascii(words: str) -> str:
    """Return what a header says with a question mark for every other byte, which httpx2 would not take."""
    return words.encode("ascii", "replace").decode()
