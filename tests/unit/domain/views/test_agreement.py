"""Agreement of people and councils by week."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.verdict import CHECK
from domain.views.agreement import weeks
from tests.support.factories import verdict


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_standing_verdicts_count_in_the_week_in_which_they_were_said() -> None:
    sunday, monday = moment("2026-11-22T23:59:59"), moment("2026-11-23T00:00:00")
    judged = [
        ("a@0", [verdict(by="ada", said_at=sunday, proposal_id="a@0")]),
        ("a@0", [verdict(by="ada", said_at=monday, proposal_id="b@0", verdict="prefer")]),
        (
            "a@0",
            [
                verdict(by="ada", said_at=sunday, verdict="reject", proposal_id=None),
                verdict(by="ada", said_at=monday, proposal_id="a@0"),
            ],
        ),
    ]
    counted = weeks(judged, moment("2026-11-29T12:00:00"), most=3)
    assert [(week.day, week.agreed, week.verdicts) for week in counted] == [
        ("09 Nov", 0, 0),
        ("16 Nov", 1, 1),
        ("23 Nov", 1, 2),
    ]
    assert [week.share for week in counted] == [None, 1.0, 0.5]


def test_a_check_is_no_person() -> None:
    found = verdict(by=CHECK, said_at=moment("2026-11-23T00:00:00"), proposal_id="a@0")
    assert weeks([("a@0", [found])], moment("2026-11-29T12:00:00")) == ()


def test_without_a_verdict_there_are_no_weeks() -> None:
    assert weeks([("a@0", [])], moment("2026-11-29T12:00:00")) == ()
