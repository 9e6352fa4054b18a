"""Deliveries that write down how they end, and a batch processor with everything it writes to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from nats.aio.client import Client
from nats.aio.msg import Msg

from bridge.batch_processor import BatchProcessor
from bridge.delivery import Delivery
from bridge.intake import Reader, readers
from bridge.message import InboundMessage
from bridge.publication import PublicationFailed
from bridge.statistics import SubjectStatistics
from bridge.subjects import DELIBERATION_JUDGED, PLAN_APPROVED, STORY_TRANSITIONED
from domain.errors import CannotJudge
from domain.event import Event
from domain.plan import PlanRequest
from domain.verdict import SaidVerdict

BACKOFF_S = (1.0, 2.0, 5.0)
MAX_DELIVER = 100


@dataclass
class Server:
    """A client of a server that writes down the ends of one delivery, and confirms an ack or not."""

    confirms: bool = True
    ends: list[str] = field(default_factory=list)

    async def request(self, subject: str, payload: bytes = b"", timeout: float = 0.5) -> Msg:
        self.ends.append("acknowledged")
        if not self.confirms:
            raise TimeoutError
        return Msg(cast(Client, self))

    async def publish(self, subject: str, payload: bytes) -> None:
        word, _, options = payload.partition(b" ")
        assert word == b"-NAK"
        self.ends.append(f"nak for {json.loads(options)['delay'] / 1e9:g} s")


class RecordedDelivery(Delivery):
    """A delivery whose ends can be looked at."""

    def __init__(
        self,
        body: object,
        *,
        subject: str = PLAN_APPROVED,
        delivered: int = 1,
        confirms: bool = True,
        sequence: int = 1,
    ):
        self._server = Server(confirms)
        reply = f"$JS.ACK.S.conclave.{delivered}.{sequence}.1.1700000000000000000.0"
        message = Msg(cast(Client, self._server), subject=subject, reply=reply, data=json.dumps(body).encode())
        super().__init__(message, max_deliver=MAX_DELIVER)

    @property
    def ends(self) -> list[str]:
        return self._server.ends


@dataclass
class Broker:
    """A Dispatcher that refuses certain plans, or everything."""

    down: bool = False
    refuses: frozenset[str] = frozenset()
    offers: list[list[str]] = field(default_factory=list)
    kept: dict[str, PlanRequest] = field(default_factory=dict)

    def plans(self, requests: Sequence[PlanRequest]) -> tuple[PlanRequest, ...]:
        names = [request.plan.plan_id for request in requests]
        self.offers.append(names)
        if self.down or self.refuses.intersection(names):
            raise ConnectionError("no broker at redis://127.0.0.1:1")
        return tuple(self.kept.setdefault(request.request_id, request) for request in requests)


@dataclass
class Court:
    """Records verdicts; refuses certain deliberations, or is away."""

    away: bool = False
    refuses: frozenset[str] = frozenset()
    breaks: frozenset[str] = frozenset()
    judged: list[tuple[str, str]] = field(default_factory=list)
    tried: int = 0

    def judge(self, said: SaidVerdict) -> None:
        self.tried += 1
        if self.away or said.deliberation_id in self.breaks:
            raise ConnectionError("no store at redis://127.0.0.1:1")
        if said.deliberation_id in self.refuses:
            raise CannotJudge(f"no deliberation {said.deliberation_id}")
        self.judged.append((said.deliberation_id, said.verdict))


@dataclass
class Sink:
    """Streams that write down what they store, or are away."""

    away: bool = False
    dead_letters: list[tuple[str, str]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    async def dead_letter(self, message: InboundMessage, reason: str) -> None:
        self._check()
        self.dead_letters.append((message.place, reason))

    async def publish(self, events: Sequence[Event]) -> None:
        self._check()
        self.events.extend(events)

    def _check(self) -> None:
        if self.away:
            raise PublicationFailed("no stream")


class House:
    """A batch processor with everything it writes to."""

    def __init__(self, subject: str = PLAN_APPROVED) -> None:
        self.broker, self.court, self.sink = Broker(), Court(), Sink()
        self.statistics = SubjectStatistics()
        self.subject = subject
        self.reader = readers(phases={"BUILD": ("DEV",)})[subject]

    def process(self, *deliveries: Delivery) -> float:
        return asyncio.run(self.processor(self.reader).process(deliveries))

    def processor(self, reader: Reader) -> BatchProcessor:
        return BatchProcessor(
            reader,
            self.broker,
            self.sink,
            judge=self.court.judge,
            backoff_s=BACKOFF_S,
            statistics=self.statistics,
        )


def approval(plan_id: str, *, title: str = "", **options: Any) -> RecordedDelivery:
    body = {
        "title": title,
        "story_id": "s",
        "plan_id": plan_id,
        "approved_by": "po",
        "timestamp": "2026-01-31T12:00:00Z",
        "roles": ["DEV"],
    }
    return RecordedDelivery(body, **options)


def transition(to_phase: str) -> RecordedDelivery:
    body = {"story_id": "s", "from_phase": "PLAN", "to_phase": to_phase, "timestamp": "2026-01-31T12:00:00Z"}
    return RecordedDelivery(body, subject=STORY_TRANSITIONED)


def judged(deliberation_id: str, verdict: str = "accept", **options: Any) -> RecordedDelivery:
    body = {
        "deliberation_id": deliberation_id,
        "verdict": verdict,
        "by": "ada",
        "timestamp": "2026-01-31T12:00:00Z",
    }
    return RecordedDelivery(body, subject=DELIBERATION_JUDGED, **options)
