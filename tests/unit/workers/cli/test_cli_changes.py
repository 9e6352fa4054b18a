"""The line for each thing that happened, where there is no terminal."""

from __future__ import annotations

from domain.chat import FailureReason
from domain.deliberation import ReviewRules
from domain.entry import Entry
from domain.views.progress import DeliberationView, view
from tests.support import factories as make
from tests.support.factories import MOMENT
from workers.cli.view.changes import changes

OF = make.deliberation(
    make.plan(title="Reset passwords"), review=ReviewRules(ballots="listwise", both_passes=True)
)
PROPOSED = make.proposed("agent-1", duration_ms=1500.0)


def seen(*entries: Entry) -> DeliberationView:
    return view(make.record(*entries, of=OF), MOMENT + 3)


def test_the_first_look_tells_everything_so_far() -> None:
    lines = list(changes(None, seen(PROPOSED)))
    assert lines == [
        f"{OF.deliberation_id} DEV: Reset passwords",
        "agent-1 proposed 9 tokens in 1.5 s",
    ]


def test_nothing_new_is_nothing_said() -> None:
    assert list(changes(seen(PROPOSED), seen(PROPOSED))) == []


def test_a_failure_a_finished_stage_and_ballots_are_lines() -> None:
    failed = make.agent_failed("agent-2", duration_ms=30_000.0)
    third = make.proposed("agent-3", at=MOMENT + 2)
    ballots = (make.ballot("agent-1"), make.ballot("agent-1", pass_=1))
    missing = make.ballot("agent-3", scores={}, missing=FailureReason.MALFORMED)
    assert list(changes(seen(PROPOSED), seen(PROPOSED, failed, third, *ballots, missing))) == [
        "agent-1 handed in 2 ballots",
        "agent-2 failed (timeout: no answer within 30 s) in 30.0 s",
        "agent-3 proposed 9 tokens in 1.0 s",
        "agent-3: no ballot in pass 1: malformed",
        "proposals done: 3/3 in 2.0 s",
    ]


def test_the_end_is_told_once_with_its_reason() -> None:
    closed = make.closed(status="failed", reason="nobody answered", at=MOMENT + 9)
    last = list(changes(seen(PROPOSED), seen(PROPOSED, closed)))[-1]
    assert last == "failed after 9.0 s: nobody answered"
    assert list(changes(seen(PROPOSED, closed), seen(PROPOSED, closed))) == []
