"""EventHistory over JetStream: messages read one by one, which needs no right to make consumers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from heapq import merge
from typing import TypeVar

from nats.aio.client import Client
from nats.errors import Error
from nats.js.errors import NotFoundError

from bridge.event_publisher import EventLoopPortal
from bridge.intake import Reader
from bridge.message import InboundMessage
from bridge.nats_connection import NatsUnreachable, connect, permission_violation
from bridge.options import NatsOptions
from bridge.outgoing import event_in
from bridge.stored import StoredMessage, first_since, jetstream_request, message_from
from bridge.streams import StreamMissing, stream_of
from bridge.subjects import DELIBERATION_JUDGED, durable_name
from domain.contract import CancelledBody, CompletedBody, DeliberationHead, FailedBody, JudgedBody, StartedBody
from domain.errors import HistoryUnreadable
from domain.event_types import CANCELLED, COMPLETED, FAILED, JUDGED, STARTED
from domain.inbound import Intake
from domain.plan import PlanRequest
from domain.verdict import SaidVerdict

Body = TypeVar("Body", bound=DeliberationHead)

AT_ONCE = 100
"""Messages that are read before some are handed on."""
BODIES: Mapping[str, type[CompletedBody | FailedBody | CancelledBody]] = {
    COMPLETED: CompletedBody,
    FAILED: FailedBody,
    CANCELLED: CancelledBody,
}


class NatsEventHistory:
    """Reads over a connection of its own for each call."""

    def __init__(
        self, options: NatsOptions, portal: EventLoopPortal, *, readers: Mapping[str, Reader], durables: str
    ) -> None:
        """`readers` as a bridge reads, by subject; `durables` is what its consumers' names begin with."""
        self._options = options
        self._portal = portal
        self._readers = readers
        self._durables = durables

    def requests(self, since: float) -> Iterator[PlanRequest]:
        for subject in self._readers:
            if subject != DELIBERATION_JUDGED:
                yield from (request for intake in self._intakes(subject, since) for request in intake.requests)

    def verdicts(self, since: float) -> Iterator[SaidVerdict]:
        for intake in self._intakes(DELIBERATION_JUDGED, since):
            yield from intake.verdicts

    def judged(self, since: float) -> Iterator[JudgedBody]:
        yield from _bodies(JudgedBody, self._messages(JUDGED, since))

    def started(self, since: float) -> Iterator[StartedBody]:
        yield from _bodies(StartedBody, self._messages(STARTED, since))

    def ends(self, since: float) -> Iterator[CompletedBody | FailedBody | CancelledBody]:
        ends = (_bodies(body, self._messages(subject, since)) for subject, body in BODIES.items())
        yield from merge(*ends, key=lambda end: end.timestamp)

    def _intakes(self, subject: str, since: float) -> Iterator[Intake]:
        """Yield what follows from the messages that the subject's durable was given."""
        reader = self._readers[subject]
        for message in self._messages(subject, since, delivered_to=durable_name(self._durables, subject)):
            intake = reader(message)
            if isinstance(intake, Intake):
                yield intake

    def _messages(self, subject: str, since: float, *, delivered_to: str = "") -> Iterator[InboundMessage]:
        """Yield what is stored on a subject; only what its durable was given, where one is named."""
        try:
            client = self._portal.call(connect, self._options)
        except NatsUnreachable as error:
            raise HistoryUnreadable(str(error)) from error
        try:
            place = self._portal.call(_Place.find, client, subject, since, delivered_to)
            while place is not None:
                messages, place = self._portal.call(place.read)
                yield from messages
        except (Error, StreamMissing, TimeoutError, OSError) as error:
            violation = permission_violation(client)
            reason = violation or str(error) or type(error).__name__
            raise HistoryUnreadable(
                f"what is stored on {subject} can't be read: {reason}", forbidden=bool(violation)
            ) from error
        finally:
            self._portal.call(client.close)


class _Place:
    """Where in a stream to read on, and where to stop."""

    def __init__(self, client: Client, stream: str, subject: str, sequence: int, last: int) -> None:
        self._client = client
        self._stream = stream
        self._subject = subject
        self._sequence = sequence
        self._last = last

    @classmethod
    async def find(cls, client: Client, subject: str, since: float, delivered_to: str) -> _Place | None:
        """Return the first place to read; None where there is nothing."""
        stream = await stream_of(client.jetstream(), subject)
        if stream is None:
            return None
        state = (await jetstream_request(client, f"STREAM.INFO.{stream}"))["state"]
        first, last = int(state["first_seq"]), int(state["last_seq"])
        if delivered_to:
            try:
                durable = await jetstream_request(client, f"CONSUMER.INFO.{stream}.{delivered_to}")
            except NotFoundError:
                return None
            last = int(durable["delivered"]["stream_seq"])
            if durable["config"]["deliver_policy"] == "new":
                since = max(since, _epoch_s(durable["created"]))
        return cls(client, stream, subject, await first_since(client, stream, first, last, since), last)

    async def read(self) -> tuple[list[InboundMessage], _Place | None]:
        """Return the next messages, and where to go on; None after the last."""
        messages: list[InboundMessage] = []
        while len(messages) < AT_ONCE:
            found = await message_from(self._client, self._stream, self._sequence, self._subject)
            if found is None or found.sequence > self._last:
                return messages, None
            messages.append(_inbound(found, self._stream))
            self._sequence = found.sequence + 1
        return messages, self


def _inbound(stored: StoredMessage, stream: str) -> InboundMessage:
    return InboundMessage(
        subject=stored.subject,
        data=stored.data,
        headers=stored.headers,
        stream=stream,
        sequence=stored.sequence,
        received_at=stored.stored_at,
    )


def _bodies(model: type[Body], messages: Iterable[InboundMessage]) -> Iterator[Body]:
    """Yield the bodies of our events in whatever dialect; what another has put there is passed over."""
    for message in messages:
        body = event_in(message)
        if isinstance(body, model):
            yield body


def _epoch_s(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()
