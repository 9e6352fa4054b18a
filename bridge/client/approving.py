"""From a plan or a verdict as a program has it to the message that a bridge will take, and to its confirmation."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

from nats.aio.client import Client
from nats.errors import Error
from nats.js.api import PubAck

from bridge.client.errors import InvalidMessage, NotPublished, OtherContent
from bridge.client.news import RETRY_S
from bridge.intake import read
from bridge.message import InboundMessage
from bridge.nats_connection import permission_violation
from bridge.publication import PublicationFailed, TooLarge, publish_confirmed
from bridge.rejection import Rejection
from bridge.stored import StoredMessage, message_at
from bridge.subjects import DELIBERATION_JUDGED, PLAN_APPROVED
from domain.inbound import InboundEvent, Intake, deliberation_judged, plan_approved
from domain.plan import Plan, PlanRequest
from domain.validation.words import printable

ATTEMPT_S = 3.0
"""How long one attempt waits for its confirmation."""


@dataclass(frozen=True)
class Message:
    """A valid approval, ready to be published."""

    data: bytes
    request: PlanRequest
    """As a bridge will read it."""
    dated: float | None
    """The time that its publisher gave it, in epoch seconds; None if it was made now."""

    def asks_as(self, stored: StoredMessage) -> bool:
        """Whether a stored message is the same approval."""
        try:
            (request,) = _read(PLAN_APPROVED, stored.data, plan_approved, "it").requests
        except InvalidMessage:
            return False
        return request.request_id == self.request.request_id and self.request.asks_as(request)


def message_of(plan: Plan | Mapping[str, Any], key: str = "") -> Message:
    """Make the message; a plan without a timestamp gets the present, and a key puts it into an envelope.

    Raises InvalidMessage with every mistake.
    """
    fields = plan.model_dump(mode="json", exclude_unset=True) if isinstance(plan, Plan) else dict(plan)
    given = "timestamp" in fields
    fields.setdefault("timestamp", datetime.now(UTC).isoformat())
    event = {"event_type": PLAN_APPROVED, "payload": fields, "idempotency_key": key} if key else fields
    try:
        data = json.dumps(event, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        reason = f"the plan can't be written as JSON: {error}; use texts, numbers, lists and dicts"
        raise InvalidMessage(reason, (reason,)) from None
    (request,) = _read(PLAN_APPROVED, data, plan_approved, "the plan can't be approved").requests
    return Message(data, request, _epoch_s(request.plan.timestamp) if given else None)


def verdict_message(fields: Mapping[str, str]) -> bytes:
    """Make the message of a verdict. Raises InvalidMessage with every mistake."""
    what = "the verdict can't be given"
    data = _json(fields, what)
    _read(DELIBERATION_JUDGED, data, deliberation_judged, what)
    return data


def _json(fields: Mapping[str, Any], what: str) -> bytes:
    try:
        return json.dumps(dict(fields), ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        reason = f"{what}: it can't be written as JSON: {error}; use texts, numbers, lists and dicts"
        raise InvalidMessage(reason, (reason,)) from None


def _read(subject: str, data: bytes, translate: Callable[[InboundEvent], Intake], what: str) -> Intake:
    """Read a message as a bridge will."""
    intake = read(InboundMessage(subject=subject, data=data, received_at=time.time()), translate=translate)
    if isinstance(intake, Rejection):
        raise InvalidMessage(f"{what}: {intake.reason}", intake.mistakes)
    return intake


async def publish_approval(
    client: Client, message: Message, *, api: str, within_s: float, message_id: str
) -> tuple[PubAck, float | None]:
    """Publish an approval; return where it is stored, and since when, in epoch seconds, if it was there before.

    Raises OtherContent where another plan is stored under the id and this login may read it, and NotPublished.
    """
    what = f"the approval of plan {message.request.plan.plan_id}"
    publish = partial(publish_patiently, client, PLAN_APPROVED, message.data, what=what, within_s=within_s)
    stored = await publish(message_id=message_id)
    if not message_id or not stored.duplicate:
        return stored, None
    earlier = await _stored(client, stored, api)
    if earlier is None:
        return await publish(), None  # a bridge compares them
    if not message.asks_as(earlier):
        raise OtherContent(f"another plan is stored under the message id {message_id}; send {what} under another")
    return stored, earlier.stored_at


async def publish_patiently(
    client: Client, subject: str, data: bytes, *, what: str, within_s: float, message_id: str = ""
) -> PubAck:
    """Publish under one id, or a new one, until JetStream confirms it: stored once, however often it was sent.

    Raises NotPublished when the time is over, or at once where no waiting helps.
    """
    headers = {"Nats-Msg-Id": message_id or f"c-{uuid4().hex}"}
    loop = asyncio.get_running_loop()
    over = loop.time() + within_s
    while True:
        left = over - loop.time()
        try:
            return await publish_confirmed(
                client, subject, data, headers, timeout_s=max(0.1, min(left, ATTEMPT_S))
            )
        except TooLarge as error:
            raise NotPublished(f"{what} was not published: {error}") from error
        except PublicationFailed as error:
            reason = permission_violation(client)
            if reason or client.is_closed or loop.time() + RETRY_S >= over:
                raise NotPublished(_sentence(what, reason or str(error), within_s)) from error
            await asyncio.sleep(RETRY_S)


async def _stored(client: Client, stored: PubAck, api: str) -> StoredMessage | None:
    """Return what JetStream has stored there; None if it is gone, or can't be read by this login."""
    try:
        return await message_at(client, stored.stream, stored.seq, api=api)
    except (Error, TimeoutError, OSError):
        return None


def _sentence(what: str, reason: str, within_s: float) -> str:
    return f"{what} was not confirmed by JetStream within {within_s:g} s: {printable(reason, 300)}"


def _epoch_s(timestamp: str) -> float:
    moment = datetime.fromisoformat(timestamp)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
