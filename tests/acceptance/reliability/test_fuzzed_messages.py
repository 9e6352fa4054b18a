"""Ten thousand messages nobody would send, through one bridge: each is answered, or kept with its reason."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import nats
import psutil
import pytest
from nats.aio.client import Client

from bridge.intake import readers
from bridge.message import InboundMessage
from bridge.rejection import MAX_REASON
from bridge.service import STATUS_SUBJECT
from domain.event_types import DISPATCHED, PHASE_CHANGED
from domain.identity import event_id
from domain.inbound import Intake
from tests.acceptance.chaos.stage import Stage, staged
from tests.acceptance.reliability.lag import taken_in
from tests.acceptance.reliability.unfinished import finish
from tests.acceptance.test_pipeline import APPROVED, COMPLETED, approval
from tests.support.fuzz import Fuzzed, fuzzed
from tests.support.observer import ObservedEvent
from tests.support.recorded import recorded
from tests.support.spoilt_messages import GOOD, ROLE
from workers.processes.guard import Guard

COUNT = 10_000
WARM = 2000
"""After so many a bridge has met every kind of message, the heavy ones above all."""
HEAVY = 1 << 16
IN_FLIGHT = 250
GROWTH = 32 << 20
"""Bytes. Less than one MiB is usual; this leaves room for what an allocator keeps of a batch. The messages weigh
twice as much: a bridge made to keep the refused ones, for a trial, grew by 40 MiB."""
PHASES = {GOOD["to_phase"]: (ROLE,)}
FLEET = {"bridge": 1, "control": 2, "worker": 1}
WITHIN_S = 200.0

pytestmark = pytest.mark.timeout(3 * WITHIN_S)

Place = tuple[str, int]
"""Stream and sequence of a message."""


@dataclass
class Sent:
    """What was published, by where it lies."""

    client: Client
    messages: dict[Place, Fuzzed] = field(default_factory=dict)

    async def send(self, messages: list[Fuzzed]) -> None:
        for at in range(0, len(messages), IN_FLIGHT):
            await asyncio.gather(*(self._send(one) for one in messages[at : at + IN_FLIGHT]))

    async def _send(self, one: Fuzzed) -> None:
        jetstream = self.client.jetstream(timeout=WITHIN_S)
        stored = await jetstream.publish(one.subject, one.data, headers=one.headers or None)
        self.messages[stored.stream, stored.seq] = one


def test_ten_thousand_are_each_answered_or_kept_with_a_reason_by_one_and_the_same_bridge(
    tmp_path: Path, guard: Guard
) -> None:
    env = {"CONCLAVE_PHASE_ROLES": json.dumps(PHASES)}
    with staged(tmp_path, guard, latency_s=0.05, count=FLEET, env=env) as stage:
        asyncio.run(_scenario(stage))


async def _scenario(stage: Stage) -> None:
    (bridge,) = stage.kinds["bridge"]
    process = psutil.Process(bridge.pid)
    client = await nats.connect(stage.nats.url)
    sent, messages = Sent(client), sorted(fuzzed(COUNT), key=lambda one: len(one.data) < HEAVY)
    await sent.send(messages[:WARM])
    await taken_in(client, within=WITHIN_S)
    warm = process.memory_info().rss
    await sent.send(messages[WARM:])
    await taken_in(client, within=WITHIN_S)
    grown = process.memory_info().rss - warm

    valid = approval()
    await sent.send([Fuzzed(APPROVED, json.dumps(valid).encode())])
    await finish(stage, within=WITHIN_S)
    status = json.loads((await client.request(STATUS_SUBJECT, timeout=60)).data)
    await client.close()
    events = await recorded(stage.nats.url, "orchestration.>")
    letters = await recorded(stage.nats.url, "conclave.dead_letter.>")

    (decision,) = [one for one in events if one.subject == COMPLETED]
    assert decision.body["plan_id"] == valid["plan_id"]
    answered = sent.messages.keys() - _buried(letters, sent.messages)
    assert _answers(events) == _asked(sent.messages, answered)
    assert (bridge.running, process.is_running(), status["sessions"]) == (True, True, 1)
    assert _sums(status, "fetched", "accepted", "rejected") == (COUNT + 1, len(answered), len(letters))
    assert min(len(answered), len(letters)) > COUNT / 10, "all good or all bad would show nothing"
    assert grown < GROWTH


def _buried(letters: list[ObservedEvent], sent: dict[Place, Fuzzed]) -> set[Place]:
    """Return where the originals of the dead letters lie; each has one letter, with its body and a sentence."""
    buried: set[Place] = set()
    for letter in letters:
        place = (letter.headers["Conclave-Stream"], int(letter.headers["Conclave-Sequence"]))
        assert place not in buried
        assert letter.data == sent[place].data
        assert 0 < len(letter.headers["Conclave-Reason"]) <= MAX_REASON
        buried.add(place)
    return buried


def _answers(events: list[ObservedEvent]) -> Counter[str]:
    return Counter(one.headers["Nats-Msg-Id"] for one in events if one.subject in (DISPATCHED, PHASE_CHANGED))


def _asked(sent: dict[Place, Fuzzed], answered: set[Place]) -> Counter[str]:
    """Return the ids of the events that answer those messages: one for one fact, however often it was sent."""
    read = readers(phases=PHASES)
    wanted: set[str] = set()
    for place in answered:
        one = sent[place]
        told = read[one.subject](InboundMessage(subject=one.subject, data=one.data, headers=one.headers))
        assert isinstance(told, Intake), f"neither answered nor buried: {one.data[:200]!r}: {told}"
        wanted |= {event.event_id for event in told.events}
        wanted |= {event_id(DISPATCHED, request.request_id) for request in told.requests}
    return Counter(wanted)


def _sums(status: dict[str, dict[str, dict[str, int]]], *names: str) -> tuple[int, ...]:
    return tuple(sum(one[name] for one in status["subjects"].values()) for name in names)
