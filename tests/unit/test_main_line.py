"""docs/architecture.md names every file that one plan passes through, and no other."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import re
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from celery import _state
from nats.aio.client import Client
from nats.aio.msg import Msg

import tasks.entrypoints  # noqa: F401  # declares the tasks
from bridge.batch_processor import BatchProcessor
from bridge.delivery import Delivery
from bridge.intake import readers
from bridge.message import InboundMessage
from bridge.statistics import SubjectStatistics
from bridge.subjects import PLAN_APPROVED
from domain.checks.not_empty import NotEmpty
from domain.checks.runner import InProcess
from domain.event import Event
from domain.event_types import COMPLETED
from domain.policy import Policy
from domain.prices import PriceList
from domain.redeliberation import RedeliberationPolicy
from domain.services import Services
from domain.verdict import SaidVerdict
from tasks.dispatcher import CeleryDispatcher
from tasks.heartbeat import DeliberationHeartbeat
from tasks.queue_names import CONTROL, model_queue_name
from tasks.queues import declared
from tasks.step import ConclaveApp
from tests.support.factories import council
from tests.support.in_memory.clock import MemoryClock
from tests.support.in_memory.engine_directory import MemoryEngineDirectory
from tests.support.in_memory.event_history import MemoryEventHistory
from tests.support.in_memory.event_publisher import MemoryEventPublisher
from tests.support.in_memory.meter import MemoryMeter
from tests.support.scripted_model import ScriptedModel
from tests.support.stores import memory_stores
from workers.processes.readiness import wait_until
from workers.tracing.silent import SilentTracer

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
FOLDERS = ("domain", "tasks", "bridge")
MODEL = "tiny"
DECIDED_WITHIN = 60.0
"""Seconds; it takes one or two."""
APPROVAL = {
    "story_id": "SHOP-7",
    "plan_id": "SHOP-7-search",
    "approved_by": "product-owner",
    "timestamp": "2026-01-31T12:00:00Z",
    "roles": ["DEV"],
    "title": "Let customers search their orders",
}


def test_the_page_names_the_files_that_one_plan_enters(main_line: set[str]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    way = text.partition("## The way of one plan")[2].partition("\n## ")[0]
    named = set(re.findall(r"`((?:domain|tasks|bridge)/[\w/]+\.py)`", way))
    assert named == main_line


def test_every_file_that_the_page_names_exists() -> None:
    named = set(
        re.findall(r"`((?:domain|tasks|bridge|workers|tests)/[\w/]+\.\w+)`", PAGE.read_text(encoding="utf-8"))
    )
    placeholders = ("NAME", "TECHNOLOGY")
    missing = [path for path in sorted(named) if not (ROOT / path).is_file()]
    assert [path for path in missing if not any(word in path for word in placeholders)] == []


@pytest.fixture(scope="module")
def main_line() -> set[str]:
    """Run one deliberation in memory, Celery's broker included, and return the files whose functions it called."""
    app = ConclaveApp("main-line", broker="memory://", backend="cache+memory://", set_as_current=False)
    app.conf.update(task_queues=declared([MODEL]), worker_hijack_root_logger=False)
    publisher = MemoryEventPublisher()
    services = services_in_memory(app, publisher)
    heartbeat = DeliberationHeartbeat(deliberations=services.deliberations, clock=services.clock, every_s=5.0)
    app.services, app.heartbeat = lambda: services, lambda: heartbeat
    entered: set[str] = set()
    with traced(entered):
        worker = app.Worker(queues=f"{CONTROL},{model_queue_name(MODEL)}", pool="threads", concurrency=4)
        threading.Thread(target=worker.start, daemon=True).start()
        entered.clear()
        asyncio.run(deliver_approval(services))
        assert wait_until(lambda: any(is_completed(event) for event in publisher.read), within=DECIDED_WITHIN)
    worker.stop()
    # Celery's threads pool sets this for the whole process; a later test that joins results would be refused.
    _state._set_task_join_will_block(False)  # type: ignore[attr-defined]  # not in the stubs
    return entered


def services_in_memory(app: ConclaveApp, publisher: MemoryEventPublisher) -> Services:
    clock = MemoryClock()
    stores = memory_stores(clock)
    stores.councils.save(council("DEV"))
    return Services(
        clock=clock,
        continuity=stores.continuity,
        history=MemoryEventHistory(),
        councils=stores.councils,
        plans=stores.plans,
        places=stores.places,
        deliberations=stores.deliberations,
        verdicts=stores.verdicts,
        outbox=stores.outbox,
        publisher=publisher,
        dispatcher=CeleryDispatcher(app, stores.plans),
        model=ScriptedModel(),
        engines=MemoryEngineDirectory(clock=clock),
        parking=stores.parking,
        meter=MemoryMeter(),
        tracer=SilentTracer(),
        prices=PriceList(),
        checks=InProcess([NotEmpty()]),
        policy=Policy(),
        redeliberation=RedeliberationPolicy(),
    )


async def deliver_approval(services: Services) -> None:
    """Hand the bridge one delivery, as JetStream makes it, and see it acknowledged."""
    acknowledging = Acknowledging()
    message = Msg(
        _client=acknowledging,
        subject=PLAN_APPROVED,
        reply="$JS.ACK.PLANNING_EVENTS.conclave.1.1.1.1700000000000000000.0",
        data=json.dumps(APPROVAL).encode(),
    )
    processor = BatchProcessor(
        readers(phases={})[PLAN_APPROVED],
        services.dispatcher,
        NoDeadLetters(),
        judge=no_verdict,
        backoff_s=(1.0,),
        statistics=SubjectStatistics(),
    )
    await processor.process([Delivery(message, max_deliver=100)])
    assert acknowledging.acks == 1


def no_verdict(said: SaidVerdict) -> None:
    raise AssertionError(said)


class Acknowledging(Client):
    """A client whose server confirms every ack."""

    def __init__(self) -> None:
        super().__init__()
        self.acks = 0

    async def request(self, subject: str, payload: bytes = b"", *_: Any, **__: Any) -> Msg:
        self.acks += 1
        return Msg(_client=self, subject=subject)


class NoDeadLetters:
    """An EventSink for a message that is sound."""

    async def dead_letter(self, message: InboundMessage, reason: str) -> None:
        raise AssertionError(reason)

    async def publish(self, events: Sequence[Event]) -> None:
        raise AssertionError("an approval leads to no event of the bridge")


def is_completed(event: Event) -> bool:
    return event.event_type == COMPLETED


@contextmanager
def traced(entered: set[str]) -> Iterator[None]:
    """Note the files of our functions that are called, on this thread and on those that start within the block."""
    places: dict[CodeType, str | None] = {}

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            code = frame.f_code
            file = places[code] if code in places else places.setdefault(code, place(code))
            if file is not None:
                entered.add(file)

    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def place(code: CodeType) -> str | None:
    """Return the file of one of our functions; None for code of others, modules and class bodies."""
    file = code.co_filename.removeprefix(f"{ROOT}{os.sep}")
    ours = file != code.co_filename and file.split(os.sep)[0] in FOLDERS
    return file if ours and code.co_flags & inspect.CO_OPTIMIZED else None
