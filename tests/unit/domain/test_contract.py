"""Every event that the steps publish is what the published models say."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from bridge.event_message import body_of
from domain.chat import ChatOutcome, ChatRequest, FailureReason
from domain.checks.check import CheckResult
from domain.checks.gate import report
from domain.completed import checks_body
from domain.contract import OUTGOING
from domain.contract_rows import ChecksBody
from domain.deliberation import ReviewRules
from domain.entry import Closed
from domain.event import Event
from domain.plan import Constraints
from domain.policy import Policy
from tests.support.factories import (
    agent,
    closed,
    completed_body,
    council,
    event,
    plan,
    plan_request,
    progress_body,
    said_verdict,
)
from tests.support.scripted_model import answer, failure
from tests.support.stage import Stage

SCHEMAS = {
    name: Draft202012Validator(body.model_json_schema(mode="serialization")) for name, body in OUTGOING.items()
}


def script(request: ChatRequest, before: int) -> ChatOutcome | None:
    if request.key == "proposal/0/agent-1":
        return failure(request, FailureReason.TIMEOUT)
    return answer(request, "not a ballot") if request.form and "QA/agent-1" in request.key else None


def test_every_published_body_fits_its_model() -> None:
    policy = Policy(model="tiny", review=ReviewRules(explain_top=2, synthesis=True))
    stage = Stage(council("DEV", size=4, architect=agent("arch")), council("QA"), policy=policy)
    first = stage.play(plan_request(plan(constraints=Constraints(rounds=1))))
    stage.redeliberate(first.deliberation.deliberation_id)
    stage.model.follow(script)
    stage.judge(said_verdict(stage.play(plan_request(plan(roles=("DEV",)))).deliberation.deliberation_id))
    stage.play(plan_request(plan(roles=("POET", "QA"))))
    stage.model.follow(lambda request, before: failure(request, FailureReason.REFUSED))
    stage.play()
    stage.cancel(stage.open(), "dropped")

    events = [*stage.news.published, *stage.news.progress]
    for published in events:
        body = json.loads(body_of(published))
        assert isinstance(published.body, OUTGOING[published.event_type])
        assert body["event_type"] == published.event_type
        SCHEMAS[published.event_type].validate(body)
        assert Event.model_validate_json(published.model_dump_json(), strict=True) == published
    seen = {event.event_type for event in events}
    of_the_bridge = {"orchestration.phase.changed", "orchestration.message.rejected"}
    assert seen == set(OUTGOING) - of_the_bridge, "published by the bridge, tested there"


def test_fields_of_progress_that_its_stage_has_not_are_left_out() -> None:
    assert progress_body().model_dump(mode="json").keys().isdisjoint({"agent_id", "outcome", "tokens"})
    of_proposal = progress_body(stage="proposal", agent_id="agent-1", outcome="proposal", tokens=0)
    assert of_proposal.model_dump(mode="json").items() >= {"agent_id": "agent-1", "tokens": 0}.items()


def test_what_a_newer_version_added_is_kept_and_published_wherever_it_stands() -> None:
    written = json.loads(event(body=completed_body()).model_dump_json())
    places = [written, written["body"], written["body"]["ranking"], written["body"]["usage"]]
    places += [written["body"]["decisions"][0], written["body"]["ranking_inputs"]["settings"]]
    places += [written["body"]["ranking"]["entries"][0]]
    for number, place in enumerate(places):
        place["added_later"] = {"number": number}
    read = Event.model_validate_json(json.dumps(written), strict=True)
    assert json.loads(read.model_dump_json()) == written
    assert json.loads(body_of(read)) == written["body"]


def test_an_end_that_a_newer_version_wrote_is_read_and_written_with_all_it_holds() -> None:
    written = json.loads(closed().model_dump_json())
    written["added_later"] = written["result"]["added_later"] = written["result"]["ranking"]["added_later"] = [1]
    read = Closed.model_validate_json(json.dumps(written), strict=True)
    assert json.loads(read.model_dump_json()) == written
    assert read.decision is not None


def test_a_check_may_have_any_name_and_never_hides_the_overall_score() -> None:
    names = ("overall_score", "model_dump", "rows", "self", "ä b")
    results = [CheckResult(name=name, passed=False, score=0.25, reason=name) for name in names]
    checks = checks_body(report(results))
    read = ChecksBody.model_validate_json(checks.model_dump_json(), strict=True)
    assert read == checks
    assert read.overall_score == 0.25
    assert {name: row.reason for name, row in read.rows.items()} == {name: name for name in names[1:]}


def test_an_event_whose_body_is_of_another_type_is_refused() -> None:
    with pytest.raises(ValidationError, match="can't have a body of"):
        event(event_type="orchestration.deliberation.failed", body=completed_body())
    with pytest.raises(ValidationError, match="event_type"):
        event(body=completed_body(event_type="orchestration.deliberation.failed"))
