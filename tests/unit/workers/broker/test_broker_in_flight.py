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
def holdings() -> Iterator[InFlight]:
    holdings = InFlight(watched=True, patience_s=0.0)
    holdings.watch()
    yield holdings
    holdings.unwatch()


def test_reserved_scheduled_and_running_tasks_are_live(app: Celery, holdings: InFlight) -> None:
    reserved, scheduled, running = (_request(app, name) for name in ("reserved", "scheduled", "running"))
    state.task_reserved(reserved)
    state.task_scheduled(scheduled)  # type: ignore[attr-defined]  # since 5.7, not in the stubs
    _begin(running)
    assert holdings.look().live == {"tag-reserved", "tag-scheduled", "tag-running"}
    assert holdings.look().crashed == ()


def test_settled_tasks_are_nobodys_business(app: Celery, holdings: InFlight) -> None:
    request = _request(app, "t")
    _begin(request)
    request.acknowledged = True
    assert not holdings.look().live


def test_task_that_ended_without_being_settled_has_crashed(app: Celery, holdings: InFlight) -> None:
    request = _request(app, "t")
    _begin(request)
    signals.task_postrun.send(sender=None, task_id="t")
    look = holdings.look()
    assert not look.live
    assert look.crashed == (request,)


def test_task_between_its_end_and_its_acknowledgement_has_not_crashed_yet(app: Celery) -> None:
    holdings = InFlight(watched=True, patience_s=60.0)
    holdings.watch()
    request = _request(app, "t")
    _begin(request)
    signals.task_postrun.send(sender=None, task_id="t")
    assert holdings.look().crashed == ()
    holdings.unwatch()


def test_second_delivery_goes_on_when_the_first_ends(app: Celery, holdings: InFlight) -> None:
    first, second = _request(app, "t", tag="first"), _request(app, "t", tag="second")
    _begin(first)
    _begin(second)
    signals.task_postrun.send(sender=None, task_id="t")
    first.acknowledged = True
    assert holdings.look().live == {"second"}


def test_pool_in_other_processes_is_believed(app: Celery) -> None:
    request = _request(app, "t")
    state.task_reserved(request)
    state.task_accepted(request)
    assert InFlight(watched=False, patience_s=0.0).look().live == {"tag-t"}


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
