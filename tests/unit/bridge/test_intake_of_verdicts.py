"""What follows from a message that judges a decision: a verdict, or the reasons why it is rejected."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.intake import readers
from bridge.rejection import Rejection
from bridge.subjects import DELIBERATION_JUDGED
from domain.inbound import Intake
from domain.verdict import SaidVerdict
from tests.unit.bridge.conftest import MakeMessage, accepted, reason

READ = readers(phases={})[DELIBERATION_JUDGED]

JUDGED: dict[str, Any] = {
    "deliberation_id": "d-1",
    "verdict": "accept",
    "by": "ada",
    "timestamp": "2023-11-14T22:13:20Z",
}
"""Said at 1,700,000,000, half a second before messages are stored here."""


def said(told: Intake | Rejection) -> SaidVerdict:
    (verdict,) = accepted(told).verdicts
    return verdict


def test_a_verdict_is_the_same_in_every_dialect(message: MakeMessage) -> None:
    envelope = {"event_type": "deliberation.judged", "payload": JUDGED, "idempotency_key": "k"}
    structured = {"specversion": "1.0", "type": "deliberation.judged", "source": "s", "id": "i", "data": JUDGED}
    binary = {"ce_specversion": "1.0", "ce_type": "deliberation.judged", "ce_source": "s", "ce_id": "i"}
    bare = said(READ(message(JUDGED, subject=DELIBERATION_JUDGED)))
    keyed = said(READ(message(envelope, subject=DELIBERATION_JUDGED)))
    clouds = [
        said(READ(message(structured, subject=DELIBERATION_JUDGED))),
        said(READ(message(JUDGED, subject=DELIBERATION_JUDGED, **binary))),
    ]
    assert (bare.deliberation_id, bare.verdict, bare.by, bare.said_at) == ("d-1", "accept", "ada", 1_700_000_000.0)
    assert (bare.place, bare.causation_id) == ("S:7", "S:7")
    assert accepted(READ(message(JUDGED, subject=DELIBERATION_JUDGED))).requests == ()
    same = {"verdict_id", "causation_id"}
    assert {one.model_dump_json(exclude=same) for one in (bare, keyed, *clouds)} == {
        bare.model_dump_json(exclude=same)
    }
    assert clouds[0].verdict_id == clouds[1].verdict_id
    assert len({bare.verdict_id, keyed.verdict_id, clouds[0].verdict_id}) == 3


def test_who_said_it_when_is_the_key_of_a_verdict_without_one(message: MakeMessage) -> None:
    def identity(**changes: str) -> str:
        return said(READ(message(JUDGED | changes, subject=DELIBERATION_JUDGED))).verdict_id

    assert identity() == identity(reason="other content", verdict="reject")
    others = [{"by": "bob"}, {"timestamp": "2023-11-14T22:13:21Z"}, {"deliberation_id": "d-2"}]
    assert len({identity(), *(identity(**other) for other in others)}) == 4


def test_a_time_to_come_is_the_moment_of_storing_and_one_without_a_zone_is_utc(message: MakeMessage) -> None:
    later = JUDGED | {"timestamp": "9999-12-31T23:59:59Z"}
    assert said(READ(message(later, subject=DELIBERATION_JUDGED))).said_at == 1_700_000_000.5
    for timestamp in ("2023-11-14T22:13:20", "2023-11-14T23:13:20+01:00"):
        naive = JUDGED | {"timestamp": timestamp}
        assert said(READ(message(naive, subject=DELIBERATION_JUDGED))).said_at == 1_700_000_000.0


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"verdict": "like"}, "field verdict must be 'accept', 'reject' or 'prefer'"),
        ({"verdict": "prefer"}, "field proposal must name what is preferred; give a proposal's id"),
        ({"proposal": "dev-1@0"}, "field proposal must not stand beside accept; leave it out, or say prefer"),
        ({"verdict": "prefer", "proposal": " "}, "field proposal is empty; give it a value"),
        ({"by": " "}, "field by is empty; give it a value"),
        ({"by": "Timeout"}, "field by must name a person"),
        ({"by": None}, "field by must be a string, not null"),
        ({"timestamp": "yesterday"}, "field timestamp must be ISO 8601"),
        ({"deliberation_id": ""}, "field deliberation_id is empty; give it a value"),
        ({"reason": "x" * 10_001}, "field reason is longer than 10000 characters; shorten it"),
        ({"proposal": 7, "verdict": "prefer"}, "field proposal must be a string, not a number"),
    ],
)
def test_a_verdict_that_does_not_fit_is_rejected_with_field_and_remedy(
    changes: dict[str, Any], complaint: str, message: MakeMessage
) -> None:
    told = reason(READ(message(JUDGED | changes, subject=DELIBERATION_JUDGED)))
    assert complaint in told


@pytest.mark.parametrize("field", JUDGED)
def test_every_field_that_a_verdict_needs_is_named_where_it_is_missing(field: str, message: MakeMessage) -> None:
    body = {name: value for name, value in JUDGED.items() if name != field}
    told = reason(READ(message(body, subject=DELIBERATION_JUDGED)))
    assert told == f"field {field} is missing; add it"
