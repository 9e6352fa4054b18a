"""What becomes of a batch: accepted by the Dispatcher, buried with its reason, or handed back for later."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from bridge.intake import Reader
from bridge.message import InboundMessage
from bridge.publication import PublicationFailed
from bridge.rejection import Rejection
from bridge.statistics import SubjectStatistics
from domain.event import Event
from domain.inbound import Intake
from domain.plan import PlanRequest

log = structlog.get_logger("bridge.batch_processor")

OUTAGE = 3
"""Single requests refused in a row after which the Dispatcher counts as down, not the requests as bad."""


class PlanDispatcher(Protocol):
    """What a bridge needs of the Dispatcher port."""

    def plans(self, requests: Sequence[PlanRequest]) -> None:
        """As in domain.ports.dispatcher: on return every request is stored and queued. Raises otherwise."""
        ...


class Delivery(Protocol):
    """A message in our hands, to be ended once."""

    @property
    def inbound(self) -> InboundMessage:
        """What was delivered."""
        ...

    @property
    def last(self) -> bool:
        """Whether the server would deliver it no more after this."""
        ...

    async def acknowledge(self) -> bool:
        """End it for good; False if the server did not confirm that, and will deliver it again."""
        ...

    async def hand_back(self, delay_s: float) -> None:
        """Ask for another delivery after the delay."""
        ...


class EventSink(Protocol):
    """Where a bridge writes."""

    async def bury(self, message: InboundMessage, reason: str) -> None:
        """Put the message among the dead letters; raises PublicationFailed if that is not confirmed."""
        ...

    async def announce(self, events: Sequence[Event]) -> None:
        """Publish the events; raises PublicationFailed if one is not confirmed."""
        ...


@dataclass(frozen=True, eq=False)
class AcceptedMessage:
    """A delivery and what it asks for; compared by identity."""

    delivery: Delivery
    intake: Intake


class BatchProcessor:
    """Settles the deliveries of one subject, each exactly once."""

    def __init__(
        self,
        reader: Reader,
        dispatcher: PlanDispatcher,
        outlet: EventSink,
        *,
        backoff_s: Sequence[float],
        statistics: SubjectStatistics,
    ) -> None:
        self._reader = reader
        self._dispatcher = dispatcher
        self._outlet = outlet
        self._backoff_s = backoff_s
        self._statistics = statistics

    async def settle(self, deliveries: Sequence[Delivery]) -> float:
        """Bring every delivery to an end; return the seconds to wait before the next fetch.

        These are 0 unless all was handed back: what failed for a whole batch would fail for the next.
        """
        self._count(deliveries)
        read = [(delivery, self._read(delivery.inbound)) for delivery in deliveries]
        refused = [(delivery, told) for delivery, told in read if isinstance(told, Rejection)]
        taken = [AcceptedMessage(delivery, told) for delivery, told in read if isinstance(told, Intake)]
        buried = await asyncio.gather(*(self._bury(delivery, told.reason) for delivery, told in refused))
        ended = [*buried, *await self._take_in(taken)]
        return 0.0 if any(ended) or not ended else self._backoff_s[0]

    def _read(self, message: InboundMessage) -> Intake | Rejection:
        try:
            return self._reader(message)
        except Exception as error:
            # A reader raises nothing; if ours ever does, one message is lost to the dead letters and no bridge.
            log.exception("reader_failed", subject=message.subject, at=message.place)
            return Rejection(reason=f"could not be read ({type(error).__name__}); this is a defect of the bridge")

    async def _take_in(self, taken: Sequence[AcceptedMessage]) -> list[bool]:
        failures = await self._dispatch(taken)
        return list(await asyncio.gather(*(self._end(one, failures.get(one)) for one in taken)))

    async def _dispatch(self, taken: Sequence[AcceptedMessage]) -> dict[AcceptedMessage, str]:
        """Offer what was taken to the Dispatcher, all at once; return where it failed, and why."""
        requests = _requests(taken)
        if not requests:
            return {}
        try:
            await asyncio.to_thread(self._dispatcher.plans, requests)
        except Exception as error:
            log.warning("dispatch_failed", requests=len(requests), error=_words(error))
            if len(requests) == 1 or not any(one.delivery.inbound.delivered > 1 for one in taken):
                return {one: _words(error) for one in taken if one.intake.requests}
            return await self._dispatch_singly(taken)
        return {}

    async def _dispatch_singly(self, taken: Sequence[AcceptedMessage]) -> dict[AcceptedMessage, str]:
        """Find out which request spoils the batch, so that its neighbours don't share its fate."""
        failures: dict[AcceptedMessage, str] = {}
        in_a_row = 0
        for one in random.sample(list(taken), len(taken)):
            if in_a_row < OUTAGE:
                failed = await self._dispatch([one])
                in_a_row = in_a_row + 1 if failed else 0
                failures |= failed
            elif one.intake.requests:
                failures[one] = "the Dispatcher is down"
        return failures

    async def _end(self, one: AcceptedMessage, failure: str | None) -> bool:
        """Settle one delivery; whether it is done with rather than handed back."""
        if failure is None and one.intake.events:
            failure = await self._announce(one.intake.events)
        if failure is not None:
            return await self._give_up_or_back(one.delivery, failure)
        self._statistics.accepted += 1
        await self._acknowledge(one.delivery)
        self._log_accepted(one)
        return True

    async def _announce(self, events: Sequence[Event]) -> str | None:
        try:
            await self._outlet.announce(events)
        except PublicationFailed as failed:
            return str(failed)
        return None

    async def _give_up_or_back(self, delivery: Delivery, failure: str) -> bool:
        self._statistics.last_error = failure
        if delivery.last:
            return await self._bury(delivery, f"not taken in {delivery.inbound.delivered} deliveries: {failure}")
        return await self._hand_back(delivery)

    async def _bury(self, delivery: Delivery, reason: str) -> bool:
        message = delivery.inbound
        try:
            await self._outlet.bury(message, reason)
        except PublicationFailed as failed:
            self._statistics.last_error = str(failed)
            log.warning("dead_letter_failed", subject=message.subject, at=message.place, error=str(failed))
            return await self._hand_back(delivery)
        self._statistics.rejected += 1
        await self._acknowledge(delivery)
        log.warning("message_rejected", subject=message.subject, at=message.place, reason=reason)
        return True

    async def _hand_back(self, delivery: Delivery) -> bool:
        wait_s = self._backoff_s[min(delivery.inbound.delivered, len(self._backoff_s)) - 1]
        self._statistics.handed_back += 1
        await delivery.hand_back(wait_s)
        return False

    async def _acknowledge(self, delivery: Delivery) -> None:
        if not await delivery.acknowledge():
            self._statistics.unconfirmed += 1
            log.info("acknowledgement_unconfirmed", at=delivery.inbound.place)

    def _count(self, deliveries: Sequence[Delivery]) -> None:
        self._statistics.fetched += len(deliveries)
        self._statistics.redelivered += sum(delivery.inbound.delivered > 1 for delivery in deliveries)

    def _log_accepted(self, one: AcceptedMessage) -> None:
        for request in one.intake.requests:
            log.info(
                "plan_accepted",
                at=one.delivery.inbound.place,
                plan=request.plan.plan_id,
                request=request.request_id,
                roles=len(request.plan.roles),
            )


def _requests(taken: Iterable[AcceptedMessage]) -> list[PlanRequest]:
    """Every request once, in order of arrival."""
    unique: dict[str, PlanRequest] = {}
    for one in taken:
        for request in one.intake.requests:
            unique.setdefault(request.request_id, request)
    return list(unique.values())


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".split("\n")[0][:200]
