"""How each delivery of a batch ends: acknowledged, dead-lettered with its reason, or sent a nak for later."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from bridge import batch_judging
from bridge.batch_dispatch import AcceptedMessage, Failure, PlanDispatcher, dispatch
from bridge.delivery import Delivery
from bridge.intake import Reader
from bridge.message import InboundMessage
from bridge.publication import PublicationFailed
from bridge.rejection import Rejection
from bridge.statistics import SubjectStatistics
from domain.event import Event
from domain.inbound import Intake

log = structlog.get_logger("bridge.batch_processor")


class EventSink(Protocol):
    """Where a bridge publishes."""

    async def dead_letter(self, message: InboundMessage, reason: str) -> None:
        """Store the message as a dead letter; raises PublicationFailed if that is not confirmed."""
        ...

    async def publish(self, events: Sequence[Event]) -> None:
        """Publish the events; raises PublicationFailed if one is not confirmed."""
        ...


class BatchProcessor:
    """Brings the deliveries of one subject to their end, each exactly once."""

    def __init__(
        self,
        reader: Reader,
        dispatcher: PlanDispatcher,
        sink: EventSink,
        *,
        judge: batch_judging.Judge,
        backoff_s: Sequence[float],
        statistics: SubjectStatistics,
    ) -> None:
        self._reader = reader
        self._dispatcher = dispatcher
        self._judge = judge
        self._sink = sink
        self._backoff_s = backoff_s
        self._statistics = statistics

    async def process(self, deliveries: Sequence[Delivery]) -> float:
        """Bring every delivery to its end; return the seconds to wait before the next fetch.

        These are 0 unless every delivery was sent a nak: what failed for a whole batch would fail for the next.
        """
        self._count(deliveries)
        readings = [(delivery, await self._read_in_turn(delivery.inbound)) for delivery in deliveries]
        rejected = [(delivery, found.reason) for delivery, found in readings if isinstance(found, Rejection)]
        accepted = [AcceptedMessage(delivery, found) for delivery, found in readings if isinstance(found, Intake)]
        done = await asyncio.gather(*(self._dead_letter(delivery, reason) for delivery, reason in rejected))
        done += await self._accept(accepted)
        return 0.0 if any(done) or not done else self._backoff_s[0]

    async def _read_in_turn(self, message: InboundMessage) -> Intake | Rejection:
        # A hostile batch takes longer than the ack wait, which a heartbeat extends meanwhile.
        await asyncio.sleep(0)
        return self._read(message)

    def _read(self, message: InboundMessage) -> Intake | Rejection:
        try:
            return self._reader(message)
        except Exception as error:
            # A reader raises nothing; if ours ever does, one message becomes a dead letter and the bridge goes on.
            log.exception("reader_failed", subject=message.subject, at=message.place)
            reason = f"could not be read ({type(error).__name__}); this is a defect of the bridge"
            return Rejection(mistakes=(reason,))

    async def _accept(self, batch: Sequence[AcceptedMessage]) -> list[bool]:
        failures = await dispatch(batch, self._dispatcher)
        if any(message.intake.verdicts for message in batch):
            failures |= await batch_judging.judge(batch, self._judge)
        return await asyncio.gather(*(self._end(message, failures.get(message)) for message in batch))

    async def _end(self, message: AcceptedMessage, failure: Failure | None) -> bool:
        """Publish and acknowledge, or see to the failure; whether the message is done rather than sent a nak."""
        if failure is None and message.intake.events:
            failure = await self._publish(message.intake.events)
        if isinstance(failure, Rejection):
            return await self._dead_letter(message.delivery, failure.reason)
        if failure is not None:
            return await self._fail(message.delivery, failure)
        self._statistics.accepted += 1
        await self._acknowledge(message.delivery)
        _log_accepted(message)
        return True

    async def _publish(self, events: Sequence[Event]) -> str | None:
        try:
            await self._sink.publish(events)
        except PublicationFailed as error:
            return str(error)
        return None

    async def _fail(self, delivery: Delivery, failure: str) -> bool:
        self._statistics.last_error = failure
        if delivery.last:
            reason = f"not taken in {delivery.inbound.delivered} deliveries: {failure}"
            return await self._dead_letter(delivery, reason)
        return await self._nak(delivery)

    async def _dead_letter(self, delivery: Delivery, reason: str) -> bool:
        message = delivery.inbound
        try:
            await self._sink.dead_letter(message, reason)
        except PublicationFailed as error:
            self._statistics.last_error = str(error)
            log.warning("dead_letter_failed", subject=message.subject, at=message.place, error=str(error))
            return await self._nak(delivery)
        self._statistics.rejected += 1
        await self._acknowledge(delivery)
        log.warning("message_rejected", subject=message.subject, at=message.place, reason=reason)
        return True

    async def _nak(self, delivery: Delivery) -> bool:
        delay_s = self._backoff_s[min(delivery.inbound.delivered, len(self._backoff_s)) - 1]
        self._statistics.naks += 1
        await delivery.nak(delay_s)
        return False

    async def _acknowledge(self, delivery: Delivery) -> None:
        if not await delivery.acknowledge():
            self._statistics.unconfirmed += 1
            log.info("ack_unconfirmed", at=delivery.inbound.place)

    def _count(self, deliveries: Sequence[Delivery]) -> None:
        self._statistics.fetched += len(deliveries)
        self._statistics.redelivered += sum(delivery.inbound.delivered > 1 for delivery in deliveries)


def _log_accepted(message: AcceptedMessage) -> None:
    for request in message.intake.requests:
        log.info(
            "plan_accepted",
            at=message.delivery.inbound.place,
            plan=request.plan.plan_id,
            request=request.request_id,
            roles=len(request.plan.roles),
        )
