"""Offers the plan requests of a batch to the Dispatcher, and finds out which of them the Dispatcher can't take."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from bridge.delivery import Delivery
from bridge.rejection import Rejection, other_content
from domain.inbound import Intake
from domain.plan import PlanRequest

log = structlog.get_logger("bridge.batch_dispatch")

OUTAGE = 3
"""Single requests that failed in a row, after which the Dispatcher counts as down, not the requests as bad."""


class PlanDispatcher(Protocol):
    """What a bridge needs of the Dispatcher port."""

    def plans(self, requests: Sequence[PlanRequest]) -> tuple[PlanRequest, ...]:
        """As in domain.ports.dispatcher: return what is stored under the ids of the requests. Raises otherwise."""
        ...


@dataclass(frozen=True, eq=False)
class AcceptedMessage:
    """A delivery and what follows from it; compared by identity."""

    delivery: Delivery
    intake: Intake


Failure = str | Rejection
"""Why a message is not taken: for now, or for good."""


async def dispatch(batch: Sequence[AcceptedMessage], dispatcher: PlanDispatcher) -> dict[AcceptedMessage, Failure]:
    """Offer the batch's requests to the Dispatcher, all at once; return which messages are not taken, and why.

    A batch with redelivered messages that fails is offered again one by one: a request that the Dispatcher can't
    take holds up no other for longer than one delivery.
    """
    requests = _requests(batch)
    if not requests:
        return {}
    try:
        kept = await asyncio.to_thread(dispatcher.plans, requests)
    except Exception as error:
        failure = sentence_of(error)
        log.warning("dispatch_failed", requests=len(requests), error=failure)
        if len(requests) > 1 and any(message.delivery.inbound.delivered > 1 for message in batch):
            return await _dispatch_singly(batch, dispatcher)
        return {message: failure for message in batch if message.intake.requests}
    return _conflicts(batch, kept)


def sentence_of(error: Exception) -> str:
    """Return what a failure says, in a line."""
    return f"{type(error).__name__}: {error}".split("\n")[0][:200]


async def _dispatch_singly(
    batch: Sequence[AcceptedMessage], dispatcher: PlanDispatcher
) -> dict[AcceptedMessage, Failure]:
    failures: dict[AcceptedMessage, Failure] = {}
    in_a_row = 0
    # In random order: the requests that are always first would otherwise be the only ones that are ever tried.
    for message in random.sample(list(batch), len(batch)):
        if in_a_row < OUTAGE:
            failed = await dispatch([message], dispatcher)
            down = any(isinstance(failure, str) for failure in failed.values())
            in_a_row = in_a_row + 1 if down else 0
            failures |= failed
        elif message.intake.requests:
            failures[message] = "the Dispatcher is down"
    return failures


def _conflicts(batch: Iterable[AcceptedMessage], kept: Iterable[PlanRequest]) -> dict[AcceptedMessage, Failure]:
    """Reject messages that ask for something else than what is kept under the ids of their requests."""
    by_id = {request.request_id: request for request in kept}
    return {
        message: Rejection(mistakes=(other_content(request, by_id[request.request_id]),))
        for message in batch
        for request in message.intake.requests
        if not request.asks_as(by_id[request.request_id])
    }


def _requests(batch: Iterable[AcceptedMessage]) -> list[PlanRequest]:
    """Return every request once, in the order of the messages."""
    unique: dict[str, PlanRequest] = {}
    for message in batch:
        for request in message.intake.requests:
            unique.setdefault(request.request_id, request)
    return list(unique.values())
