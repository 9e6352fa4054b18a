"""HTTP to engines over one pool of kept-alive connections: JSON out, an answer's bytes back, nothing tried twice.

The protocol is OpenAI's, its Python client is not used: around every call it costs twice the processor time of the
call itself, which the calls of fifty deliberations wait for (`make bench`), and a third of a process's start.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

CONNECT_WITHIN_S = 5.0
KEEP_ALIVE_S = 4.0
"""Below the five seconds after which uvicorn and llama.cpp hang up: a call must not meet a closing connection."""
ERROR = 400
"""The first status that means one."""


class ErrorStatus(Exception):
    """The engine answered with an error; whatever else aiohttp raises means that it did not answer whole."""

    def __init__(self, status: int, reason: str, body: bytes = b"", retry_after: str = "") -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.body = body
        self.retry_after = retry_after


class EngineHttp:
    """One engine's address over a pool."""

    def __init__(self, pool: ClientSession, url: str, *, api_key: str = "") -> None:
        """`url`: base of its OpenAI API."""
        self._pool = pool
        self._url = url.rstrip("/")
        self._root = self._url.removesuffix("/v1")
        self._known = {"Authorization": f"Bearer {api_key}"} if api_key else {}

    async def post(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> bytes:
        """Post JSON to a path of the API. Raises ErrorStatus, aiohttp's ClientError, OSError."""
        return await self._post(self._url + path, body, headers or {})

    async def post_to_root(self, path: str, body: Mapping[str, Any]) -> bytes:
        """Post JSON to a path beside the API, where engines keep what is their own."""
        return await self._post(self._root + path, body, {})

    async def _post(self, url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> bytes:
        async with self._pool.post(url, json=body, headers={**self._known, **headers}) as answer:
            data = await answer.read()
            if answer.status >= ERROR:
                retry_after = answer.headers.get("Retry-After", "")
                raise ErrorStatus(answer.status, answer.reason or "", data, retry_after)
            return data


def open_pool(*, outside: bool) -> ClientSession:
    """Open a pool on the running loop; only calls that leave the operator's own machines take the proxies' way."""
    return ClientSession(
        # As many connections as there are calls: engine and slots bound these.
        connector=TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S),
        # The bound on a whole call is the request's own; here only a host that doesn't answer is given up.
        timeout=ClientTimeout(total=None, sock_connect=CONNECT_WITHIN_S),
        # What one engine sets is none of another's business.
        cookie_jar=DummyCookieJar(),
        trust_env=outside,
    )
