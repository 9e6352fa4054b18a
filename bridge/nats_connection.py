"""The connection to NATS: how it is described, made, kept for ever, and what is said when it can't be made."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import structlog
from nats.aio.client import Client
from nats.errors import UnexpectedEOF

from bridge.options import NatsOptions

log = structlog.get_logger("bridge.nats_connection")

LOGIN_REFUSED = "authorization violation"
"""The server's words for a login it does not accept."""
RIGHT_MISSING = "permissions violation"
"""The server's words for what a login may not say or hear; whoever waits for an answer then waits in vain."""


class NatsUnreachable(Exception):
    """NATS can't be used: it does not answer, or lets us not in. The text names address, reason and remedy."""


async def connect(options: NatsOptions) -> Client:
    """Connect within the time-out; afterwards the client reconnects by itself for ever.

    Raises Unreachable as soon as every server has failed once.
    """
    client = _Client()
    witness = _Witness(options, client)
    connecting = asyncio.ensure_future(client.connect(**_arguments(options, witness)))
    failing = asyncio.ensure_future(witness.all_failed.wait())
    try:
        await asyncio.wait(
            (connecting, failing), timeout=options.connect_timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        if connecting.done() and not connecting.cancelled() and connecting.exception() is None:
            witness.connected = True
            return client
        raise NatsUnreachable(_sentence(options, _why(connecting, witness)))
    finally:
        failing.cancel()
        if not witness.connected:
            await _abandon(client, connecting)


def refusal_of(client: Client) -> str:
    """Say what the server last refused to this login, and the remedies; empty if it refused nothing."""
    words = _words(client.last_error) if client.last_error is not None else ""
    if RIGHT_MISSING not in words.lower():
        return ""
    remedy = "give its user that right, or name the inbox prefix that it may hear (CONCLAVE_NATS_INBOX_PREFIX)"
    return f"NATS refuses something to our login: {words.removeprefix('nats: ')}; {remedy}"


class _Client(Client):
    """The client, made deaf to nothing."""

    async def _process_headers(self, headers: bytes) -> dict[str, str] | None:
        # nats-py 2.16 ends its read loop when a header block breaks off ("NATS/1.0" alone), which any publisher
        # can send; the connection would be deaf until two pings went unanswered, at every delivery.
        try:
            parsed: dict[str, str] | None = await super()._process_headers(headers)
        except Exception:
            return None
        return parsed


class _Witness:
    """Sees what befalls the connection, says it once, and remembers why."""

    def __init__(self, options: NatsOptions, client: Client) -> None:
        self._client = client
        self._address = options.address
        self._chances = len(options.url)
        self.connected = False
        self.last_error: Exception | None = None
        self.all_failed = asyncio.Event()

    async def failed(self, error: Exception) -> None:
        hung_up = isinstance(error, ConnectionResetError | BrokenPipeError | UnexpectedEOF)
        # Hanging up follows a refusal, and is told by the client as one more error: the reason is the refusal.
        if self.last_error is None or not hung_up:
            self.last_error = error
        if self.connected:
            # Refused is what nobody expects and no retry mends; the rest is said by whoever it hits.
            level = log.warning if RIGHT_MISSING in str(error).lower() else log.debug
            level("nats_error", address=self._address, error=_words(error))
            return
        # A server that refuses a login may hang up before its reason is read: the next attempt tells.
        self._chances -= not hung_up
        if self._chances <= 0:
            self.all_failed.set()

    async def disconnected(self) -> None:
        if self.connected and not self._client.is_closed:
            log.warning("nats_disconnected", address=self._address)

    async def reconnected(self) -> None:
        log.info("nats_reconnected", address=self._address)


def _arguments(options: NatsOptions, witness: _Witness) -> dict[str, Any]:
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
        "error_cb": witness.failed,
        "disconnected_cb": witness.disconnected,
        "reconnected_cb": witness.reconnected,
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
            f"the TLS files for NATS at {options.address} can't be used: {_words(error)}"
        ) from error
    return context


def _readable(options: NatsOptions, path: Path) -> Path:
    if not path.is_file():
        raise NatsUnreachable(f"no credentials file {path} for NATS at {options.address}; correct its path")
    return path


async def _abandon(client: Client, connecting: asyncio.Future[None]) -> None:
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)
    await client.close()


def _why(connecting: asyncio.Future[None], witness: _Witness) -> BaseException | None:
    if witness.last_error is None and connecting.done() and not connecting.cancelled():
        return connecting.exception()
    return witness.last_error


def _sentence(options: NatsOptions, why: BaseException | None) -> str:
    if why is not None and LOGIN_REFUSED in str(why).lower():
        return f"NATS at {options.address} refuses our login; correct user, password or credentials file"
    if isinstance(why, ImportError):
        return f"NATS credentials need the package nkeys, which is not installed ({_words(why)})"
    reason = f" ({_words(why)})" if why is not None else f" within {options.connect_timeout_s:g} s"
    return f"NATS at {options.address} does not answer{reason}; start it, or correct its address"


def _words(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]
