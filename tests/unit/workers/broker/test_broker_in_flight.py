"""Messages are told apart by what became of their tasks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery, Task, signals
from celery.worker import state
from celery.worker.request import Request
from kombu.message import Message

from workers.broker.in_flight import InFlight


class Work(Task[Any, Any]):
    """Does nothing."""

    name = "work"


@pytest.fixture
def app() -> Iterator[Celery]:
    app = Celery(set_as_current=False)
    app.register_task(Work())
    yield app
    state.reset_state()


@pytest.fixture
def in_flight() -> Iterator[InFlight]:
    in_flight = InFlight(watched=True, patience_s=0.0)
    in_flight.watch()
    yield in_flight
    in_flight.unwatch()


def test_reserved_scheduled_and_running_tasks_are_live(app: Celery, in_flight: InFlight) -> None:
    reserved, scheduled, running = (_request(app, name) for name in ("reserved", "scheduled", "running"))
    state.task_reserved(reserved)
    state.task_scheduled(scheduled)  # type: ignore[attr-defined]  # since 5.7, not in the stubs
    _begin(running)
    assert in_flight.snapshot().live == {"tag-reserved", "tag-scheduled", "tag-running"}
    assert in_flight.snapshot().crashed == ()


def test_acknowledged_tasks_are_no_longer_in_flight(app: Celery, in_flight: InFlight) -> None:
    request = _request(app, "t")
    _begin(request)
    request.acknowledged = True
    assert not in_flight.snapshot().live


def test_task_that_ended_without_being_acknowledged_has_crashed(app: Celery, in_flight: InFlight) -> None:
    request = _request(app, "t")
    _begin(request)
    signals.task_postrun.send(sender=None, task_id="t")
    snapshot = in_flight.snapshot()
    assert not snapshot.live
    assert snapshot.crashed == (request,)


def test_task_between_its_end_and_its_acknowledgement_has_not_crashed_yet(app: Celery) -> None:
    in_flight = InFlight(watched=True, patience_s=60.0)
    in_flight.watch()
    request = _request(app, "t")
    _begin(request)
    signals.task_postrun.send(sender=None, task_id="t")
    assert in_flight.snapshot().crashed == ()
    in_flight.unwatch()


def test_second_delivery_goes_on_when_the_first_ends(app: Celery, in_flight: InFlight) -> None:
    first, second = _request(app, "t", tag="first"), _request(app, "t", tag="second")
    _begin(first)
    _begin(second)
    signals.task_postrun.send(sender=None, task_id="t")
    first.acknowledged = True
    assert in_flight.snapshot().live == {"second"}


def test_pool_in_other_processes_reports_every_end_itself(app: Celery) -> None:
    request = _request(app, "t")
    state.task_reserved(request)
    state.task_accepted(request)
    assert InFlight(watched=False, patience_s=0.0).snapshot().live == {"tag-t"}


def _begin(request: Request) -> None:
    state.task_reserved(request)
    state.task_accepted(request)
    signals.task_prerun.send(sender=None, task_id=request.id)


def _request(app: Celery, task_id: str, tag: str | None = None) -> Request:
    headers: dict[str, Any] = {"id": task_id, "task": "work", "lang": "py"}
    message = Message(
        body=json.dumps([[], {}, {}]),
        delivery_tag=tag or f"tag-{task_id}",
        content_type="application/json",
        content_encoding="utf-8",
        headers=headers,
    )
    return Request(message, app=app, task=app.tasks["work"])
