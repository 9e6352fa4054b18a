"""What a worker has sent is told among its own tasks' events, where it tells any."""

from __future__ import annotations

from typing import Any, cast

import pytest
from celery.events.dispatcher import EventDispatcher

from workers.broker.sent_events import SentEvents


class Dispatcher:
    """Notes what it is to send or to publish."""

    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.published: list[str] = []

    def send(self, type: str, **fields: Any) -> None:
        self.sent.append((type, fields))

    def publish(self, type: str, fields: dict[str, Any], producer: Any, **options: Any) -> None:
        assert options == {"retry": True}
        self.published.append(type)


def test_a_worker_gathers_what_it_sent_with_its_own_events() -> None:
    worker, others = Dispatcher(enabled=True), Dispatcher(enabled=False)
    _tell(worker, others)
    assert worker.sent == [("task-sent", {"uuid": "t"})]
    assert others.published == []


@pytest.mark.parametrize("worker", [None, Dispatcher(enabled=False)], ids=["none", "disabled"])
def test_what_no_worker_tells_is_published_as_celery_does(worker: Dispatcher | None) -> None:
    others = Dispatcher(enabled=False)
    _tell(worker, others)
    assert others.published == ["task-sent"]
    assert worker is None or worker.sent == []


def _tell(worker: Dispatcher | None, others: Dispatcher) -> None:
    events = SentEvents(lambda: cast(EventDispatcher | None, worker), cast(EventDispatcher, others))
    events.publish("task-sent", {"uuid": "t"}, None, retry=True)
