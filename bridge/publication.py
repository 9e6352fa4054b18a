"""Publishing into a stream: done when the stream confirms it, or failed with the reason."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nats.aio.client import Client
from nats.errors import Error, MaxPayloadError
from nats.js import JetStreamContext
from nats.js.api import PubAck
from nats.js.errors import NoStreamResponseError

from bridge.event_message import EventEncoder, EventMessage
from bridge.nats_connection import permission_violation
from domain.event import Event

TIMEOUT_S = 5.0
RESEND_S = 2.0
"""How long a confirmation is awaited before its event is sent again, under the same id."""
POLL_S = 0.05
PROTOCOL_BYTES = 64
"""Of a message, around its headers."""


class PublicationFailed(Exception):
    """The stream did not confirm; the message may be stored all the same. The text says why.

    Of several events, `confirmed` names those that are stored, `unconfirmed` those that were sent, and not
    confirmed by a server that answers.
    """

    def __init__(self, reason: str, *, confirmed: tuple[str, ...] = (), unconfirmed: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.confirmed = confirmed
        self.unconfirmed = unconfirmed


class NoStream(PublicationFailed):
    """No stream holds the subject, so nothing is stored."""


class TooLarge(PublicationFailed):
    """The server would close the connection for a message of that size; nothing was sent."""

    def __init__(self, reason: str, event_id: str = "") -> None:
        super().__init__(reason)
        self.event_id = event_id


async def publish_confirmed(
    client: Client, subject: str, data: bytes, headers: Mapping[str, str], *, timeout_s: float = TIMEOUT_S
) -> PubAck:
    """Publish one message and return where it is stored. Raises PublicationFailed, NoStream, TooLarge."""
    _check_size(client, subject, data, headers)
    try:
        return await client.jetstream().publish(subject, data, timeout=timeout_s, headers=dict(headers))
    except NoStreamResponseError as error:
        raise NoStream(_sentence(subject, error, timeout_s)) from error
    except (Error, TimeoutError, OSError) as error:
        if isinstance(error, TimeoutError) and (violation := permission_violation(client)):
            raise PublicationFailed(violation) from error
        raise PublicationFailed(_sentence(subject, error, timeout_s)) from error


async def publish_events(
    stream: JetStreamContext, client: Client, events: Sequence[Event], *, encoder: EventEncoder, timeout_s: float
) -> None:
    """Publish events in order, all in flight at once, and return when every one is confirmed.

    An event that was lost with a connection is sent again under its id until the time is over. Raises TooLarge for
    the first of that kind before any is sent, PublicationFailed when all but some are confirmed.
    """
    messages = [message for event in events for message in encoder.messages(event)]
    progress = _Progress({message.message_id: message for message in messages})
    try:
        async with asyncio.timeout(timeout_s):
            while progress.missing:
                await _attempt(stream, client, progress)
    except TimeoutError:
        silent = progress.unconfirmed if await _answers(client) else ()
        subject = next(iter(progress.missing.values())).subject
        raise PublicationFailed(
            _not_confirmed(subject, timeout_s, answers=bool(silent)),
            confirmed=progress.confirmed(events),
            unconfirmed=silent,
        ) from None
    if progress.failed is not None:
        raise PublicationFailed(progress.failed, confirmed=progress.confirmed(events))


async def publish_unconfirmed(client: Client, events: Sequence[Event], *, encoder: EventEncoder) -> None:
    """Publish events without waiting for any confirmation. Raises nats' errors if they can't even be sent."""
    for event in events:
        for message in encoder.messages(event):
            await client.publish(message.subject, message.data, headers=dict(message.headers))


@dataclass
class _Progress:
    """What has become of the messages of several events so far."""

    missing: dict[str, EventMessage]
    """Neither confirmed nor refused, by message id."""
    refused: set[str] = field(default_factory=set)
    """The ids of events of which a message was refused."""
    failed: str | None = None
    """Why the first one that failed did."""

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """The ids of events of which a message is missing."""
        return tuple(dict.fromkeys(message.event_id for message in self.missing.values()))

    def confirmed(self, events: Sequence[Event]) -> tuple[str, ...]:
        """Return the ids of those events of which every message is stored."""
        open_ids = self.refused.union(self.unconfirmed)
        return tuple(event.event_id for event in events if event.event_id not in open_ids)

    def note(self, message: EventMessage, confirmation: asyncio.Future[PubAck]) -> None:
        """Sort a message by what its stream says; without an answer it stays missing."""
        if not confirmation.done() or confirmation.cancelled():
            return
        error = confirmation.exception()
        del self.missing[message.message_id]
        if error is None:
            return
        self.refused.add(message.event_id)
        if self.failed is None:
            self.failed = _sentence(message.subject, error, 0.0)


async def _attempt(stream: JetStreamContext, client: Client, progress: _Progress) -> None:
    """Send what is missing and wait a while for the confirmations. Raises TooLarge, PublicationFailed."""
    while not client.is_connected and not client.is_closed:
        await asyncio.sleep(POLL_S)
    ready = tuple(progress.missing.values())
    for message in ready:
        _check_size(client, message.subject, message.data, message.headers, event_id=message.event_id)
    sent: list[tuple[EventMessage, asyncio.Future[PubAck]]] = []
    try:
        for message in ready:
            sent.append((message, await _send(stream, message.subject, message.data, message.headers)))
        await asyncio.wait([confirmation for _, confirmation in sent], timeout=RESEND_S)
    finally:
        for message, confirmation in sent:
            progress.note(message, confirmation)
            _forget(confirmation)


async def _send(
    stream: JetStreamContext, subject: str, data: bytes, headers: Mapping[str, str]
) -> asyncio.Future[PubAck]:
    try:
        return await stream.publish_async(subject, data, headers=dict(headers))
    except (Error, OSError) as error:
        raise PublicationFailed(_sentence(subject, error, 0.0)) from error


async def _answers(client: Client) -> bool:
    """Whether the server answers now: where it does and doesn't confirm, the reason is in the stream."""
    try:
        await client.flush(timeout=1)
    except (Error, TimeoutError, OSError):
        return False
    return True


def _forget(confirmation: asyncio.Future[PubAck]) -> None:
    """Give up on a confirmation. An exception that is never retrieved would be logged by asyncio."""
    if not confirmation.cancel() and not confirmation.cancelled():
        confirmation.exception()


def _check_size(
    client: Client, subject: str, data: bytes, headers: Mapping[str, str], *, event_id: str = ""
) -> None:
    """Raise TooLarge where the server would close the connection: it counts headers, the client only the body."""
    size = len(data) + sum(len(name) + len(value.encode()) + 4 for name, value in headers.items()) + PROTOCOL_BYTES
    if client.is_connected and size > client.max_payload:
        raise TooLarge(
            f"a message of {size} bytes on {subject} is over the server's {client.max_payload}; raise max_payload",
            event_id,
        )


def _sentence(subject: str, error: BaseException, timeout_s: float) -> str:
    if isinstance(error, NoStreamResponseError):
        return f"no stream holds {subject}; create one, or start a bridge, which does"
    if isinstance(error, TimeoutError):
        return _not_confirmed(subject, timeout_s, answers=False)
    if isinstance(error, MaxPayloadError):
        return f"a message on {subject} is larger than the server's max_payload; raise it"
    return f"NATS did not take a message on {subject}: {str(error)[:200] or type(error).__name__}"


def _not_confirmed(subject: str, timeout_s: float, *, answers: bool) -> str:
    remedy = "NATS answers, so look at the stream with `conclave doctor`" if answers else "it will be sent again"
    return f"NATS did not confirm a message on {subject} within {timeout_s:g} s; {remedy}"
