"""Durable consumers on Conclave's events, through which programs read: made by hand, or at their first use."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from nats.aio.client import Client
from nats.js.errors import BadRequestError, NotFoundError
from pydantic import Field, StringConstraints

from bridge.nats_connection import permission_violation
from bridge.stored import API, jetstream_request
from domain.event_types import COMPLETED
from domain.value import Value

NANOSECONDS = 1_000_000_000
EXISTS = 10148
"""JetStream's error code for a consumer of that name with another configuration."""

_DURABLE_NAME = r"^[A-Za-z0-9_-]{1,200}$"
DurableName = Annotated[str, StringConstraints(pattern=_DURABLE_NAME)]
"""Dots and wildcards would end up in the subjects of the JetStream API."""
Subject = Annotated[str, StringConstraints(pattern=r"^orchestration(\.[^\s.]+)+$", max_length=200)]


def is_durable_name(name: str) -> bool:
    """Tell whether a consumer may be called so."""
    return re.fullmatch(_DURABLE_NAME, name) is not None


class NewConsumer(Value):
    """A durable pull consumer with explicit acknowledgement, as it is to be made."""

    name: DurableName
    subjects: Annotated[tuple[Subject, ...], Field(min_length=1)] = (COMPLETED,)
    """Events it delivers, wildcards allowed."""
    deliver: Literal["all", "new"] = "all"
    """Whether it begins with the oldest event that is kept, or with the next one."""
    ack_wait_s: float = Field(default=30.0, gt=0)
    """An event that is not acknowledged for so long is delivered again."""
    max_deliver: Literal[-1] | Annotated[int, Field(ge=1)] = -1
    """Deliveries of one event at most; -1 for no bound."""


class Consumer(Value):
    """A consumer as it is on the server."""

    name: str
    subjects: tuple[str, ...]
    ack_wait_s: float
    max_deliver: int
    """-1 for no bound."""
    pending: int
    """Events that are still to be delivered."""
    unacknowledged: int
    """Events that were delivered and not acknowledged."""


class ConsumerRefused(Exception):
    """The server does not do what was asked of a consumer; the text is one sentence with the remedy."""


class Consumers:
    """The consumers of one stream. Methods raise nats' errors and TimeoutError while NATS is away."""

    def __init__(self, client: Client, stream: str, *, api: str = API) -> None:
        self._client = client
        self._stream = stream
        self._api = api

    async def find(self, name: str) -> Consumer | None:
        """Return the consumer of that name; None if there is none. Raises ConsumerRefused."""
        try:
            return _consumer(await self._request(f"INFO.{self._stream}.{name}", f"read consumer {name}"))
        except NotFoundError as error:
            if error.code == 404:
                return None
            raise

    async def create(self, new: NewConsumer) -> Consumer:
        """Make a consumer; one that is there as described is left alone. Raises ConsumerRefused for any other."""
        config = {
            "name": new.name,
            "durable_name": new.name,
            "deliver_policy": new.deliver,
            "ack_policy": "explicit",
            "ack_wait": int(new.ack_wait_s * NANOSECONDS),
            "max_deliver": new.max_deliver,
            "replay_policy": "instant",
            "filter_subjects": list(new.subjects),
        }
        arguments = {"stream_name": self._stream, "config": config, "action": "create"}
        try:
            made = await self._request(f"CREATE.{self._stream}.{new.name}", f"make consumer {new.name}", arguments)
        except BadRequestError as error:
            raise ConsumerRefused(_why_refused(new.name, error)) from None
        return _consumer(made)

    async def list(self) -> tuple[Consumer, ...]:
        """Return every consumer, by name. Raises ConsumerRefused."""
        found: dict[str, Consumer] = {}
        while True:
            page = await self._request(f"LIST.{self._stream}", "list consumers", {"offset": len(found)})
            consumers = [_consumer(one) for one in page["consumers"] or ()]
            found |= {consumer.name: consumer for consumer in consumers}
            if not consumers or len(found) >= page["total"]:
                return tuple(found[name] for name in sorted(found))

    async def delete(self, name: str) -> bool:
        """Delete a consumer and with it what it knows of its reader; False if there was none."""
        try:
            await self._request(f"DELETE.{self._stream}.{name}", f"delete consumer {name}")
        except NotFoundError as error:
            if error.code == 404:
                return False
            raise
        return True

    async def _request(self, verb: str, what: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            return await jetstream_request(self._client, f"CONSUMER.{verb}", arguments, api=self._api)
        except TimeoutError:
            if violation := permission_violation(self._client):
                raise ConsumerRefused(f"this login may not {what}: {violation}") from None
            raise


def _why_refused(name: str, error: BadRequestError) -> str:
    if error.err_code == EXISTS:
        return f"consumer {name} exists with other options; delete it first, or take another name"
    return f"NATS makes no consumer {name} like this: {error.description}"


def _consumer(info: dict[str, Any]) -> Consumer:
    config = info["config"]
    subjects = config.get("filter_subjects") or [config.get("filter_subject") or ">"]
    return Consumer(
        name=info["name"],
        subjects=tuple(subjects),
        ack_wait_s=config.get("ack_wait", 30 * NANOSECONDS) / NANOSECONDS,
        max_deliver=config.get("max_deliver", -1),
        pending=info.get("num_pending", 0),
        unacknowledged=info.get("num_ack_pending", 0),
    )
