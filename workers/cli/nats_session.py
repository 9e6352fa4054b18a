"""NATS for commands, which run in a thread without an event loop of their own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error
from nats.js.api import DeliverPolicy

from bridge.cancelling import cancel_all
from bridge.message import InboundMessage
from bridge.nats_connection import LoginRefused, NatsUnreachable, connect, missing_permission
from bridge.options import NatsOptions, StreamLimits
from bridge.outgoing import payload_in
from bridge.publication import NoStream, PublicationFailed, publish_confirmed
from bridge.streams import (
    ORCHESTRATOR,
    PLANNING,
    REQUESTS,
    VERDICTS,
    JetStreamAway,
    StreamMissing,
    StreamPlan,
    ensure,
)
from bridge.subjects import DELIBERATION_JUDGED, DELIBERATION_REQUESTED, PLAN_APPROVED
from workers.cli.cli_error import CliError
from workers.logins import NATS, NO_JETSTREAM, may_not
from workers.portal import Portal
from workers.settings import Settings

T = TypeVar("T")
LOOK_S = 0.05
"""Between two looks at whether the server has refused something."""


class NotAllowed(Exception):
    """The login may not do it; the text is the server's own."""


@dataclass(frozen=True)
class ReceivedEvent:
    """An event as it came from NATS."""

    subject: str
    headers: dict[str, str]
    body: dict[str, Any]


class NatsSession:
    """One connection to NATS while the `with` block runs. Raises CliError for whatever NATS refuses."""

    def __init__(self, options: NatsOptions, limits: StreamLimits) -> None:
        self._options = options
        self._limits = limits
        self._portal = Portal()
        self._client: Client | None = None

    @classmethod
    def to(cls, settings: Settings) -> Self:
        """Describe a connection as settings say; nothing is connected yet."""
        return cls(settings.nats, settings.stream)

    def __enter__(self) -> Self:
        try:
            with _as_cli_errors(self._options):
                self._client = self._portal.call(connect, self._options)
        except BaseException:
            self._portal.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(Error, TimeoutError, OSError):
            self._portal.call(self._connected.close)
        self._portal.close()

    def approve(self, payload: bytes) -> None:
        """Publish an approval and return when JetStream has it; its stream is created if missing."""
        self._call(self._publish, PLAN_APPROVED, payload, PLANNING)

    def request(self, payload: bytes) -> None:
        """Publish a question to one role and return when JetStream has it; its stream is created if missing."""
        self._call(self._publish, DELIBERATION_REQUESTED, payload, REQUESTS)

    def judge(self, payload: bytes) -> None:
        """Publish a verdict and return when JetStream has it; its stream is created if missing."""
        self._call(self._publish, DELIBERATION_JUDGED, payload, VERDICTS)

    def consume(self, subject: str, handle: Callable[[ReceivedEvent], None]) -> None:
        """Have `handle` called in another thread with every event stored from now on, in order: JetStream."""
        self._call(self._ensure, ORCHESTRATOR)
        self._call(self._consume, subject, handle)

    def subscribe(self, subject: str, handle: Callable[[ReceivedEvent], None]) -> None:
        """Have `handle` called in another thread with events published from now on, some lost: core NATS."""
        self._call(self._subscribe, subject, handle)

    @property
    def _connected(self) -> Client:
        assert self._client is not None, "used outside its with block"
        return self._client

    def _call(self, function: Callable[..., Awaitable[T]], *args: Any) -> T:
        with _as_cli_errors(self._options):
            return cast(T, self._portal.call(self._while_allowed, function, args))

    async def _while_allowed(self, function: Callable[..., Awaitable[T]], args: tuple[Any, ...]) -> T:
        """Return what the function returns. Raises NotAllowed as soon as the server refuses a part of it.

        The server says so beside the request, whose answer would be waited for in vain.
        """
        before = self._connected.last_error
        work = asyncio.ensure_future(function(*args))
        try:
            while not work.done():
                await asyncio.wait([work], timeout=LOOK_S)
                refused = self._connected.last_error is not before and missing_permission(self._connected)
                if refused:
                    raise NotAllowed(refused)
            return work.result()
        finally:
            await cancel_all([work])

    async def _publish(self, subject: str, payload: bytes, stream: StreamPlan) -> None:
        # A publisher's login may do no more than publish; whether there is a stream shows in that.
        try:
            await publish_confirmed(self._connected, subject, payload, {})
        except NoStream as missing:
            await self._make(stream, missing)
            await publish_confirmed(self._connected, subject, payload, {})

    async def _make(self, stream: StreamPlan, missing: NoStream) -> None:
        try:
            await self._ensure(stream)
        except JetStreamAway as error:  # as for the shipped publisher, whose account has no streams
            raise NotAllowed(f"{missing}, if there is none") from error

    async def _ensure(self, plan: StreamPlan) -> None:
        await ensure(self._connected.jetstream(), plan, self._limits)

    async def _consume(self, subject: str, handle: Callable[[ReceivedEvent], None]) -> None:
        await self._connected.jetstream().subscribe(
            subject, cb=_callback(handle), ordered_consumer=True, deliver_policy=DeliverPolicy.NEW
        )

    async def _subscribe(self, subject: str, handle: Callable[[ReceivedEvent], None]) -> None:
        await self._connected.subscribe(subject, cb=_callback(handle))
        await self._connected.flush()


def _callback(handle: Callable[[ReceivedEvent], None]) -> Callable[[Msg], Awaitable[None]]:
    async def call(message: Msg) -> None:
        headers = dict(message.headers or {})
        body = payload_in(InboundMessage(subject=message.subject, data=message.data, headers=headers))
        # An answer of JetStream, or a message of another publisher, on our subject is no event.
        if body is not None:
            handle(ReceivedEvent(message.subject, headers, dict(body)))

    return call


@contextlib.contextmanager
def _as_cli_errors(options: NatsOptions) -> Iterator[None]:
    try:
        yield
    except NotAllowed as error:
        raise CliError(may_not(NATS, options.login, str(error))) from error
    except LoginRefused as error:
        raise CliError(may_not(NATS, options.login, str(error))) from error
    except JetStreamAway as error:
        raise CliError(may_not(NATS, options.login, NO_JETSTREAM)) from error
    except (NatsUnreachable, StreamMissing, PublicationFailed) as error:
        raise CliError(str(error)) from error
    except (Error, TimeoutError, OSError) as error:
        raise CliError(f"NATS refused: {str(error) or type(error).__name__}; try again") from error
