"""The reviewer's view is what the reviewer read: the sheet byte for byte, labels and orders as shown."""

from __future__ import annotations

from domain.chat import FailureReason
from domain.deliberation import BallotForm, ReviewRules
from domain.entry import BallotCast
from domain.keys import ballot_key
from domain.plan import Constraints
from domain.policy import Policy
from domain.record import Record
from domain.views.review import BETWEEN_CALLS, ballot_views, shown_sheet
from tests.support import factories as make
from tests.support.stage import Stage


def played(ballots: BallotForm = "listwise", **constraints: int) -> tuple[Stage, Record]:
    judges = (make.agent("qa-1", persona="Test."), make.agent("qa-2", persona="Break."))
    policy = Policy(model="tiny", judges=1, review=ReviewRules(ballots=ballots, both_passes=True))
    stage = Stage(make.council("DEV", size=4), make.council("QA", agents=judges), policy=policy)
    plan = make.plan(constraints=Constraints.model_validate(constraints))
    return stage, stage.play(make.plan_request(plan))


def test_the_sheet_is_what_the_model_was_sent() -> None:
    for constraints in ({}, {"rounds": 1}):
        stage, record = played("listwise", **constraints)
        sent = {request.key: request.messages[-1].content for request in stage.model.requests}
        assert len(record.ballots()) > 8
        for ballot in record.ballots():
            key = ballot_key(ballot.round, ballot.pass_, ballot.agent_id)
            assert sent[key].startswith(shown_sheet(record, ballot) + "\n\n# Your ballot")


def test_of_proposals_shown_alone_the_texts_of_all_calls_are_what_the_model_was_sent() -> None:
    for constraints in ({}, {"rounds": 1}):
        stage, record = played("pointwise", **constraints)
        sent = {request.key: request.messages[-1].content for request in stage.model.requests}
        for ballot, seen in zip(record.ballots(), ballot_views(record), strict=True):
            key = ballot_key(ballot.round, ballot.pass_, ballot.agent_id)
            calls = [sent[f"{key}#{proposal_id}"].split("\n\n# Your ballot")[0] for proposal_id in ballot.asked]
            assert shown_sheet(record, ballot) == BETWEEN_CALLS.join(calls)
            assert [(shown.label, shown.proposal_id) for shown in seen.shown] == [
                ("", one) for one in ballot.asked
            ]


def test_labels_follow_the_order_and_the_legend_names_what_they_stood_for() -> None:
    _, record = played()
    for ballot, seen in zip(record.ballots(), ballot_views(record), strict=True):
        assert [shown.label for shown in seen.shown] == ["A", "B", "C", "D"]
        assert tuple(shown.proposal_id for shown in seen.shown) == ballot.order
        assert {shown.proposal_id: shown.written for shown in seen.shown if shown.written} == ballot.scores
        own = [shown.proposal_id for shown in seen.shown if shown.own]
        assert own == ([] if "/" in ballot.agent_id else [f"{ballot.agent_id}@0"])


def test_a_missing_ballot_says_why() -> None:
    missing = make.ballot("agent-1", scores={}, missing=FailureReason.MALFORMED, detail="off the form, twice")
    (seen,) = ballot_views(make.record(make.proposed("agent-2"), missing))
    assert (seen.missing, seen.detail) == ("malformed", "off the form, twice")


def test_expected_scores_stand_beside_those_written() -> None:
    ballot = make.ballot("agent-1", on=("agent-2@0",))
    expected = {"agent-2@0": dict.fromkeys(ballot.scores["agent-2@0"], 7.6)}
    (seen,) = ballot_views(make.record(BallotCast.model_validate(ballot.model_dump() | {"expected": expected})))
    assert set(seen.shown[0].written.values()) == {8}
    assert set(seen.shown[0].read.values()) == {7.6}
