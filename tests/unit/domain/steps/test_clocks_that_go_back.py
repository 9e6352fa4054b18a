"""A clock that goes back, or another host's, makes no duration negative and lets nothing end before it began."""

from __future__ import annotations

from domain.statistics import statistics
from domain.steps.conclude import conclude_deliberation
from tests.support.factories import council
from tests.support.stage import Stage, decision_of

BACK = -3.0


def test_a_decision_is_not_older_than_what_it_decides_about() -> None:
    stage = Stage(council("DEV"), council("QA"))
    identity = stage.open()
    stage.clock.advance(1.0)
    stage.propose(identity)
    stage.clock.advance(BACK)
    conclude_deliberation(identity, stage.services)
    record = stage.record(identity)
    decision = decision_of(record)
    assert decision.timestamp >= record.progress_at > record.deliberation.opened_at
    assert decision.duration_ms == 1000.0
    assert min(decision.timings.values()) >= 0
    assert (statistics(stage.services.deliberations.counts()).total.mean_duration_ms or 0) > 0


def test_a_proposal_from_a_host_behind_makes_no_stage_negative() -> None:
    stage = Stage(council("DEV"), council("QA"))
    identity = stage.open()
    stage.clock.advance(BACK)
    stage.propose(identity)
    conclude_deliberation(identity, stage.services)
    decision = decision_of(stage.record(identity))
    assert decision.duration_ms >= 0
    assert min(decision.timings.values()) >= 0


def test_a_cancelled_deliberation_ends_after_its_opening() -> None:
    stage = Stage(council("DEV"))
    identity = stage.open()
    stage.clock.advance(BACK)
    assert stage.cancel(identity, "no longer needed")
    record = stage.record(identity)
    assert record.closed is not None
    assert record.closed.at >= record.deliberation.opened_at
