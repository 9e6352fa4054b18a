"""What commands say to NATS and hear from it, from a thread without an event loop of its own."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error
from nats.js.api import DeliverPolicy

from bridge.nats_connection import NatsUnreachable, connect, refusal_of
from bridge.options import NatsOptions, StreamLimits
from bridge.publication import NoStream, PublicationFailed, publish_confirmed
from bridge.streams import ORCHESTRATOR, PLANNING, StreamMissing, StreamPlan, ensure
from bridge.subjects import PLAN_APPROVED
from workers.cli.cli_error import CliError
from workers.portal import Portal
from workers.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True)
class ReceivedEvent:
    """An event as it came from NATS."""

    subject: str
    headers: dict[str, str]
    body: dict[str, Any]


class NatsSession:
    """One connection to NATS while the `with` block runs. Raises Complaint for whatever NATS refuses."""

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
            with _complaining():
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
        self._call(self._approve, payload)

    def consume(self, subject: str, hear: Callable[[ReceivedEvent], None]) -> None:
        """Hand every event stored from now on to `hear`, in order, from another thread: a JetStream consumer."""
        self._call(self._ensure, ORCHESTRATOR)
        self._call(self._consume, subject, hear)

    def overhear(self, subject: str, hear: Callable[[ReceivedEvent], None]) -> None:
        """Hand what is published from now on to `hear`, from another thread; some may be missed."""
        self._call(self._overhear, subject, hear)

    @property
    def _connected(self) -> Client:
        assert self._client is not None, "used outside its with block"
        return self._client

    def _call(self, function: Callable[..., Awaitable[T]], *args: Any) -> T:
        with _complaining():
            return self._portal.call(function, *args)

    async def _approve(self, payload: bytes) -> None:
        # A publisher's login may do no more than publish; whether there is a stream shows in that.
        try:
            await publish_confirmed(self._connected, PLAN_APPROVED, payload, {})
        except NoStream as missing:
            await self._make_planning(missing)
            await publish_confirmed(self._connected, PLAN_APPROVED, payload, {})

    async def _make_planning(self, missing: NoStream) -> None:
        try:
            await self._ensure(PLANNING)
        except TimeoutError as error:
            if refusal_of(self._connected):
                raise missing from error
            raise

    async def _ensure(self, plan: StreamPlan) -> None:
        await ensure(self._connected.jetstream(), plan, self._limits)

    async def _consume(self, subject: str, hear: Callable[[ReceivedEvent], None]) -> None:
        await self._connected.jetstream().subscribe(
            subject, cb=_listener(hear), ordered_consumer=True, deliver_policy=DeliverPolicy.NEW
        )

    async def _overhear(self, subject: str, hear: Callable[[ReceivedEvent], None]) -> None:
        await self._connected.subscribe(subject, cb=_listener(hear))
        await self._connected.flush()


def _listener(hear: Callable[[ReceivedEvent], None]) -> Callable[[Msg], Awaitable[None]]:
    async def listen(message: Msg) -> None:
        try:
            body = json.loads(message.data)
        except ValueError:
            return  # whoever published this on our subject, it is none of our events
        if isinstance(body, dict):
            hear(ReceivedEvent(message.subject, dict(message.headers or {}), body))

    return listen


@contextlib.contextmanager
def _complaining() -> Iterator[None]:
    try:
        yield
    except (NatsUnreachable, StreamMissing, PublicationFailed) as error:
        raise CliError(str(error)) from error
    except (Error, TimeoutError, OSError) as error:
        raise CliError(f"NATS refused: {str(error) or type(error).__name__}; try again") from error
