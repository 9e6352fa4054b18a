"""Publishing what is left over: one event that is refused holds up no other."""

from __future__ import annotations

from itertools import pairwise

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


def test_what_is_confirmed_leaves_the_outbox_beside_what_is_not(stage: Stage) -> None:
    first, silent, second = waiting = [event(occurred_at=float(at)) for at in range(3)]
    stage.outbox.put(waiting)
    stage.news.unconfirmed = {silent.event_id}
    with pytest.raises(PublishFailed):
        stage.flush()
    assert stage.outbox.pending(10) == (silent,)
    assert stage.news.published == [first, silent, second]


def test_an_event_that_is_never_confirmed_is_tried_ever_more_rarely(stage: Stage) -> None:
    saved = event(occurred_at=stage.clock.now())
    stage.outbox.put([saved])
    stage.news.unconfirmed = {saved.event_id}
    tries: list[float] = []
    for second in range(0, 3600, 5):
        try:
            stage.flush()
        except PublishFailed:
            tries.append(second)
        stage.clock.advance(5)
    waits = [later - earlier for earlier, later in pairwise(tries)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (10, 300)
    assert len(tries) == 17
    stage.news.unconfirmed.clear()
    stage.clock.advance(300)
    assert stage.flush() == 1
    assert stage.outbox.count() == 0


def test_while_nats_is_away_every_flush_tries_again(stage: Stage) -> None:
    stage.outbox.put([event(occurred_at=stage.clock.now() - 600)])
    stage.news.away = True
    with pytest.raises(PublishFailed):
        stage.flush()
    stage.news.away = False
    assert stage.flush() == 1
