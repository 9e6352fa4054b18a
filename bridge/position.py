"""How far the bridges have read a stream: where their durable stands, and where the stream begins by now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nats.aio.client import Client

from bridge.stored import jetstream_request

RECORDED = "conclave-position"
"""Name in a durable's metadata. The server moves a durable only with what it delivers, so that messages on other
subjects would look like unread ones as soon as they leave the stream."""


@dataclass(frozen=True)
class Position:
    """A durable and its stream at one moment; sequences are the stream's."""

    identity: str
    """Of stream and durable: another one where either was deleted and made again."""
    first: int
    last: int
    delivered: int
    """The newest message that was delivered."""
    deliveries: int
    """Of all messages, repeated ones included."""
    pending: int
    """Messages that are still to be delivered for the first time."""
    ack_pending: int
    recorded: int
    """Up to here a bridge has seen that nothing was unread, or has reported what was; 0 where none has."""
    refuses: bool
    """What the stream does when it is full: refuse new messages, or drop its oldest."""
    fill: float
    """The larger share of the stream's limits of bytes and messages that is used, from 0.0."""
    config: Mapping[str, Any] = field(repr=False)
    """The durable's, as the server has it."""

    @property
    def read_to(self) -> int:
        """Up to here nothing is unread, as far as the server knows."""
        return max(self.delivered, self.recorded)

    @property
    def gone(self) -> int:
        """At most so many messages left the stream unread, by what the server knows."""
        return max(0, self.first - 1 - self.read_to)

    def nearness(self, read_to: int) -> float:
        """Return how near the stream is to refusing messages, or to dropping unread ones: at 1.0 it does.

        A stream that drops is full in the ordinary way; only what may be unread in it counts, from `read_to` on.
        """
        if self.refuses:
            return self.fill
        unread = (self.last - max(read_to, self.first - 1)) / max(1, self.last - self.first + 1)
        return self.fill * unread if self.pending else 0.0


def gone_between(before: Position, now: Position, read_to: int) -> int:
    """Return how many messages may have left the stream unread, where all up to `read_to` was read before."""
    gone = now.first - 1 - read_to
    if gone <= 0 or now.delivered <= read_to:
        return max(0, gone)
    deliveries = now.deliveries - before.deliveries
    if not deliveries:  # a purge has moved the durable
        return max(0, now.first - 1 - now.delivered)
    passed = max(now.delivered, now.first - 1) - read_to
    return min(gone, max(0, passed - deliveries))


async def read_position(client: Client, stream: str, durable: str) -> Position:
    """Ask the server. Raises nats' errors, NotFoundError where stream or durable is gone."""
    # The stream first: what is delivered in between must not count as gone.
    found = await jetstream_request(client, f"STREAM.INFO.{stream}")
    info = await jetstream_request(client, f"CONSUMER.INFO.{stream}.{durable}")
    recorded = str(info["config"].get("metadata", {}).get(RECORDED, ""))
    return Position(
        identity=f"{found['created']} {info['created']}",
        first=found["state"]["first_seq"],
        last=found["state"]["last_seq"],
        delivered=info["delivered"]["stream_seq"],
        deliveries=info["delivered"]["consumer_seq"],
        pending=info["num_pending"],
        ack_pending=info["num_ack_pending"],
        recorded=int(recorded) if recorded.isdecimal() else 0,
        refuses=found["config"]["discard"] == "new",
        fill=fill_of(found["config"], found["state"]),
        config=info["config"],
    )


async def record_position(client: Client, stream: str, durable: str, position: Position, read_to: int) -> None:
    """Write into the durable's metadata how far the bridges have read; nothing else of it changes."""
    metadata = {**position.config.get("metadata", {}), RECORDED: str(read_to)}
    request = {"stream_name": stream, "config": {**position.config, "metadata": metadata}, "action": "update"}
    await jetstream_request(client, f"CONSUMER.DURABLE.CREATE.{stream}.{durable}", request)


def fill_of(config: Mapping[str, Any], state: Mapping[str, Any]) -> float:
    """Return the larger share of a stream's limits that is used; a server names no limit by -1 or 0."""
    limits = (("max_bytes", "bytes"), ("max_msgs", "messages"))
    return max(state[used] / config[limit] if config.get(limit, -1) > 0 else 0.0 for limit, used in limits)
