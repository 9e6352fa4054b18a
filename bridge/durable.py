"""The durable consumers on the server, one per subject, shared by all bridges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import structlog
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo, DeliverPolicy
from nats.js.errors import BadRequestError, NotFoundError

from bridge.streams import StreamMissing, stream_of
from bridge.subjects import durable_name

log = structlog.get_logger("bridge.durable")

DEFAULT_ACK_WAIT_S = 30.0
"""The server's, where a consumer names none."""


class DurableOptions(Protocol):
    """What a durable is created with."""

    @property
    def durables(self) -> str: ...
    @property
    def ack_wait_s(self) -> float: ...
    @property
    def max_ack_pending(self) -> int: ...
    @property
    def max_deliver(self) -> int: ...
    @property
    def from_beginning(self) -> bool: ...


@dataclass(frozen=True)
class Durable:
    """A durable pull consumer as it is on the server."""

    stream: str
    name: str
    ack_wait_s: float
    max_deliver: int
    """0 for no limit."""


async def ensure_durable(stream: JetStreamContext, subject: str, options: DurableOptions) -> Durable:
    """Return the subject's durable, created if missing and otherwise as the operator left it.

    Raises StreamMissing if no stream holds the subject or the name is taken by a consumer of another kind, and
    nats' errors.
    """
    held_by = await stream_of(stream, subject)
    if held_by is None:
        raise StreamMissing(f"no stream holds {subject} any more; it is created again")
    name = durable_name(options.durables, subject)
    info = await _existing(stream, held_by, name) or await _create(stream, held_by, name, subject, options)
    if info.config.deliver_subject or info.config.ack_policy != AckPolicy.EXPLICIT:
        raise StreamMissing(f"consumer {name} is not a pull consumer with explicit acknowledgement; delete it")
    return Durable(
        stream=held_by,
        name=name,
        ack_wait_s=(info.config.backoff or [info.config.ack_wait or DEFAULT_ACK_WAIT_S])[0],
        max_deliver=max(info.config.max_deliver or 0, 0),
    )


async def _existing(stream: JetStreamContext, held_by: str, name: str) -> ConsumerInfo | None:
    try:
        info: ConsumerInfo = await stream.consumer_info(held_by, name)
        return info
    except NotFoundError:
        return None


async def _create(
    stream: JetStreamContext, held_by: str, name: str, subject: str, options: DurableOptions
) -> ConsumerInfo:
    configuration = ConsumerConfig(
        name=name,
        durable_name=name,
        filter_subject=subject,
        deliver_policy=DeliverPolicy.ALL if options.from_beginning else DeliverPolicy.NEW,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=options.ack_wait_s,
        max_deliver=options.max_deliver,
        max_ack_pending=options.max_ack_pending,
    )
    try:
        info = await stream.add_consumer(held_by, configuration)
    except BadRequestError as error:
        raise StreamMissing(f"consumer {name} on {held_by} can't be created: {error.description}") from error
    log.info("consumer_created", stream=held_by, consumer=name, subject=subject)
    return info
