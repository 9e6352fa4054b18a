"""The options of a bridge and of a connection to NATS, as values that settings hold; nothing here speaks NATS."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from bridge.strict_json import MAX_BYTES
from bridge.subjects import DURABLES
from domain.limits import Limits
from domain.value import Name, Value


class NatsOptions(Value):
    """Where NATS is and who we are there."""

    url: tuple[str, ...] = Field(default=("nats://127.0.0.1:4222",), min_length=1)
    """Servers of one cluster, separated by commas: nats:// or tls://, tried in random order."""
    name: str = "conclave"
    """Shown by the server beside the connection."""
    user: str = ""
    """User name; empty for none."""
    password: SecretStr = SecretStr("")
    """Password of the user."""
    credentials: Path | None = None
    """A .creds file in place of user and password; needs the extra `credentials`."""
    inbox_prefix: str = Field(default="_INBOX", min_length=1)
    """Below this NATS answers us; for servers that give each login an inbox of its own. The shipped ones don't."""
    ca: Path | None = None
    """Certificate authority of the servers, PEM."""
    cert: Path | None = None
    """Our certificate, PEM."""
    key: Path | None = None
    """The key of our certificate, PEM."""
    connect_timeout_s: float = Field(default=3.0, gt=0)
    """Bound on the first connection, over all servers."""
    reconnect_wait_s: float = Field(default=0.5, gt=0)
    """Between two attempts at the same server."""
    ping_interval_s: int = Field(default=5, ge=1)
    """Two unanswered pings make a half-open connection a broken one."""

    @field_validator("url", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @property
    def login(self) -> str:
        """The user's name; of several servers' the first. Empty where a file holds it, or none is set."""
        return self.user or urlsplit(self.url[0]).username or ""

    @property
    def address(self) -> str:
        """The servers as an operator may read them: without user names and passwords."""
        return ", ".join(_without_userinfo(server) for server in self.url)


class ConsumerOptions(Value):
    """How messages are taken in; those that the server keeps hold for consumers that we create."""

    durables: str = Field(default=DURABLES, pattern=r"^[A-Za-z0-9_-]+$")
    """In front of the durables' names; bridges with the same one share the work."""
    batch: int = Field(default=64, ge=1, le=1000)
    """Messages fetched at once."""
    batch_bytes: int = Field(default=8 << 20, ge=1)
    """Bound on a batch's bytes beyond its first message: what a bridge may hold in memory."""
    wait_s: float = Field(default=1.0, gt=0)
    """How long one fetch waits for a message; a stop is seen after this at the latest."""
    ack_wait_s: float = Field(default=10.0, gt=0)
    """How soon a killed bridge's messages go to another; a heartbeat keeps those of a slow one."""
    max_ack_pending: int = Field(default=1000, ge=1)
    """Unacknowledged messages over all bridges."""
    max_deliver: int = Field(default=100, ge=1)
    """Deliveries of one message before the dead letters: a quarter of an hour without a broker."""
    backoff_s: tuple[float, ...] = Field(default=(1.0, 2.0, 5.0, 10.0), min_length=1)
    """Wait before the second, third … delivery of a message that was not acknowledged, as JSON; the last one
    repeats, and bounds how long a message waits after an outage has ended."""
    from_beginning: bool = True
    """Whether a new durable reads what the stream already holds; false: only what comes from then on."""


class StreamLimits(Value):
    """Bounds of the streams that we create; an existing stream keeps its own."""

    max_bytes: int = Field(default=1 << 30, gt=0)
    """Size limit of each stream: 1 GiB. A full stream of events or dead letters drops its oldest messages, a full
    one of approvals or questions refuses new ones until its oldest are past `max_age_s`."""
    max_age_s: float = Field(default=30 * 86_400.0, gt=0)
    """Age of the oldest message: a month, so that a decision's events outlive a sprint."""
    duplicate_window_s: float = Field(default=3600.0, gt=0)
    """How long the same Nats-Msg-Id is stored once; longer than an event may wait in the outbox."""
    replicas: int = Field(default=1, ge=1, le=5)
    """Copies of each stream within a NATS cluster; 3 survives the loss of a server."""


SOURCE = "conclave"
EventDialect = Literal["bare", "envelope", "cloudevents"]


class EventOptions(Value):
    """In which form our events leave."""

    dialect: EventDialect = "bare"
    """`bare`: the body, with CloudEvents' attributes in headers. `envelope`: the body as `payload` beside
    `event_type` and `idempotency_key`. `cloudevents`: one CloudEvent in structured mode, the body as its `data`.
    The same in all processes."""
    second_prefix: str = Field(default="", pattern=r"^(orchestration(\.[A-Za-z0-9_-]+)+)?$")
    """Where each event is published once more, for consumers of another dialect: `orchestration.enveloped` stands
    for `orchestration` in its subject. Below `orchestration`, so that one stream holds both; empty: nowhere."""
    second_dialect: EventDialect = "envelope"
    """The dialect below `second_prefix`."""
    aliases: bool = False
    """Whether `orchestration.plan.approved` and `orchestration.task.dispatched` tell of plans and agents too."""


class BridgeOptions(Value):
    """Everything that a bridge is made with."""

    nats: NatsOptions = NatsOptions()
    consumer: ConsumerOptions = ConsumerOptions()
    streams: StreamLimits = StreamLimits()
    max_message_bytes: int = Field(default=MAX_BYTES, ge=1024)
    """Larger messages become dead letters."""
    limits: Limits = Limits()
    """Plans beyond them become dead letters too."""
    phases: dict[str, tuple[Name, ...]] = {}
    """The roles that deliberate when a story enters a phase."""
    default_roles: tuple[Name, ...] = ()
    """The roles that deliberate on a plan that has none."""
    source: str = SOURCE
    """Who our events are from: CloudEvents' source, a URI reference."""
    events: EventOptions = EventOptions()
    """In which form our events leave."""
    version: str = "0.0.0"
    """Shown by the micro service; semantic."""
    drain_s: float = Field(default=10.0, gt=0)
    """How long a stop waits for the batches at hand; what is not settled by then is delivered to another."""


def _without_userinfo(server: str) -> str:
    parts = urlsplit(server if "://" in server else f"nats://{server}")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
