"""The connection to NATS: how it is made and kept for ever, and the sentence for each reason why it can't be."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import structlog
from nats.aio.client import Client
from nats.errors import UnexpectedEOF

from bridge.cancelling import cancel_all
from bridge.options import NatsOptions

log = structlog.get_logger("bridge.nats_connection")

LOGIN_REFUSED = "authorization violation"
"""The server's words for a login it does not accept."""
PERMISSION_MISSING = "permissions violation"
"""The server's words for a subject that a login may not publish or subscribe to; a request then gets no answer."""


class NatsUnreachable(Exception):
    """NATS does not answer, or refuses the login. The text names address, reason and remedy."""


class LoginRefused(NatsUnreachable):
    """NATS answers, and does not accept the login."""


async def connect(options: NatsOptions, *, log: Any = log) -> Client:
    """Connect within the time-out; afterwards the client reconnects by itself for ever, and logs that to `log`.

    Raises NatsUnreachable as soon as every server has failed once.
    """
    client = _Client()
    monitor = _ConnectionMonitor(options, client, log)
    connecting = asyncio.ensure_future(client.connect(**_arguments(options, monitor)))
    failing = asyncio.ensure_future(monitor.all_failed.wait())
    try:
        await asyncio.wait(
            (connecting, failing), timeout=options.connect_timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        if connecting.done() and not connecting.cancelled() and connecting.exception() is None:
            monitor.connected = True
            return client
        cause = _cause(connecting, monitor)
        raise (LoginRefused if _is_refusal(cause) else NatsUnreachable)(_sentence(options, cause))
    finally:
        failing.cancel()
        if not monitor.connected:
            await _abandon(client, connecting)


def missing_permission(client: Client) -> str:
    """Return what the server said of the permission that the login last lacked; empty if it lacked none."""
    said = _first_line(client.last_error) if client.last_error is not None else ""
    return said.removeprefix("nats: ") if PERMISSION_MISSING in said.lower() else ""


def permission_violation(client: Client) -> str:
    """Return a sentence on the permission that the login last lacked, with remedies; empty if it lacked none."""
    violation = missing_permission(client)
    if not violation:
        return ""
    remedy = "give its user that right, or name an inbox prefix that it may read (CONCLAVE_NATS_INBOX_PREFIX)"
    return f"NATS refuses something to our login: {violation}; {remedy}"


class _Client(Client):
    """nats-py's client, but for a header block that ends its read loop."""

    async def _process_headers(self, headers: bytes) -> dict[str, str] | None:
        # nats-py 2.16 ends its read loop when a header block breaks off ("NATS/1.0" alone), which any publisher
        # can send; the connection would receive nothing until two pings went unanswered, at every delivery.
        try:
            parsed: dict[str, str] | None = await super()._process_headers(headers)
        except Exception:
            return None
        return parsed


class _ConnectionMonitor:
    """Follows the connection's callbacks: logs each change once, and keeps the reason of a failure."""

    def __init__(self, options: NatsOptions, client: Client, log: Any) -> None:
        self._client = client
        self._log = log
        self._address = options.address
        self._attempts_left = len(options.url)
        self.connected = False
        self.last_error: Exception | None = None
        self.all_failed = asyncio.Event()

    async def failed(self, error: Exception) -> None:
        hung_up = isinstance(error, ConnectionResetError | BrokenPipeError | UnexpectedEOF)
        # The server hangs up after it refuses a login, one more error for the client: the refusal is the reason.
        if self.last_error is None or not hung_up:
            self.last_error = error
        if self.connected:
            # No retry mends a missing permission; any other error is reported by the call that it fails.
            level = self._log.warning if PERMISSION_MISSING in str(error).lower() else self._log.debug
            level("nats_error", address=self._address, error=_first_line(error))
            return
        # A server that refuses a login may hang up before its reason is read: the next attempt reads it.
        self._attempts_left -= not hung_up
        if self._attempts_left <= 0:
            self.all_failed.set()

    async def disconnected(self) -> None:
        if self.connected and not self._client.is_closed:
            self._log.warning("nats_disconnected", address=self._address)

    async def reconnected(self) -> None:
        self._log.info("nats_reconnected", address=self._address)


def _arguments(options: NatsOptions, monitor: _ConnectionMonitor) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "servers": list(options.url),
        "name": options.name,
        "user": options.user or None,
        "password": options.password.get_secret_value() or None,
        "inbox_prefix": options.inbox_prefix,
        "connect_timeout": options.connect_timeout_s,
        "reconnect_time_wait": options.reconnect_wait_s,
        "max_reconnect_attempts": -1,
        "ping_interval": options.ping_interval_s,
        "error_cb": monitor.failed,
        "disconnected_cb": monitor.disconnected,
        "reconnected_cb": monitor.reconnected,
    }
    if options.credentials is not None:
        arguments["user_credentials"] = str(_readable(options, options.credentials))
    if options.ca or options.cert:
        arguments["tls"] = _tls(options)
    return arguments


def _tls(options: NatsOptions) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=options.ca)
        if options.cert is not None:
            context.load_cert_chain(options.cert, options.key)
    except OSError as error:
        raise NatsUnreachable(
            f"the TLS files for NATS at {options.address} can't be used: {_first_line(error)}"
        ) from error
    return context


def _readable(options: NatsOptions, path: Path) -> Path:
    if not path.is_file():
        raise NatsUnreachable(f"no credentials file {path} for NATS at {options.address}; correct its path")
    return path


async def _abandon(client: Client, connecting: asyncio.Future[None]) -> None:
    await cancel_all([connecting])
    await client.close()


def _cause(connecting: asyncio.Future[None], monitor: _ConnectionMonitor) -> BaseException | None:
    if monitor.last_error is None and connecting.done() and not connecting.cancelled():
        return connecting.exception()
    return monitor.last_error


def _is_refusal(cause: BaseException | None) -> bool:
    return cause is not None and LOGIN_REFUSED in str(cause).lower()


def _sentence(options: NatsOptions, cause: BaseException | None) -> str:
    if _is_refusal(cause):
        return f"NATS at {options.address} refuses our login; correct user, password or credentials file"
    if isinstance(cause, ImportError):
        return f"NATS credentials need the package nkeys, which is not installed ({_first_line(cause)})"
    reason = f" ({_first_line(cause)})" if cause is not None else f" within {options.connect_timeout_s:g} s"
    return f"NATS at {options.address} does not answer{reason}; start it, or correct its address"


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]
