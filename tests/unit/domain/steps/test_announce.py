"""Publishing what is left over: one event that is refused holds up no other."""

from __future__ import annotations

import pytest

from domain.errors import PublishFailed, PublishRefused
from tests.support.factories import event
from tests.support.stage import Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_events_that_are_refused_stay_behind_and_the_others_go_out(stage: Stage) -> None:
    first, huge, second, huger, third = waiting = [event(occurred_at=float(at)) for at in range(5)]
    stage.outbox.put(waiting)
    stage.news.refused = {huge.event_id, huger.event_id}
    with pytest.raises(PublishRefused):
        stage.flush()
    assert stage.news.published == [first, second, third]
    assert stage.outbox.pending(10) == (huge, huger)


def test_while_nothing_can_be_published_all_of_it_stays(stage: Stage) -> None:
    stage.outbox.put([event(), event()])
    stage.news.away = True
    with pytest.raises(PublishFailed):
        stage.flush()
    assert len(stage.outbox.pending(10)) == 2
