"""Lanes are read off the times of entries; nothing on them ends after the deliberation does."""

from __future__ import annotations

from domain.chat import FailureReason
from domain.views.timeline import timeline
from tests.support import factories as make
from tests.support.factories import MOMENT


def test_a_call_stands_where_it_ran() -> None:
    record = make.record(
        make.proposed("agent-1", at=MOMENT + 4, duration_ms=3000.0),
        make.ballot("agent-1", at=MOMENT + 6.5, duration_ms=500.0),
        make.compared("agent-1", "p-2", "p-3", at=MOMENT + 7.5, duration_ms=250.0),
    )
    found = timeline(record, MOMENT + 9)
    lane = found.lanes[0]
    assert [(span.kind, span.begins_s, span.ends_s) for span in lane.spans] == [
        ("proposal", 1.0, 4.0),
        ("ballot", 6.0, 6.5),
        ("comparison", 7.25, 7.5),
    ]
    assert lane.spans[2].label == "comparison of p-2 and p-3"
    assert (lane.model_s, found.until_s) == (3.75, 9.0)


def test_every_member_has_a_lane_and_failures_are_marked() -> None:
    judge = make.judge("QA", "qa-1")
    record = make.record(
        make.agent_failed("agent-2", at=MOMENT + 2, duration_ms=0.0),
        make.ballot("QA/qa-1", scores={}, missing=FailureReason.TIMEOUT, at=MOMENT + 3),
        of=make.deliberation(judges=(judge,)),
    )
    lanes = {lane.agent_id: lane.spans for lane in timeline(record, MOMENT + 3).lanes}
    assert list(lanes) == ["agent-1", "agent-2", "agent-3", "QA/qa-1"]
    assert [[span.failed for span in spans] for spans in lanes.values()] == [[], [True], [], [True]]


def test_a_closed_deliberation_looks_the_same_ever_after() -> None:
    record = make.record(make.proposed("agent-1", at=MOMENT + 1), make.closed(at=MOMENT + 2))
    assert timeline(record, MOMENT + 5) == timeline(record, MOMENT + 5000)
    assert timeline(record, MOMENT + 5).until_s == 2.0
