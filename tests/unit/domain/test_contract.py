"""Every event that the steps publish is what the published models say."""

from __future__ import annotations

import json

from domain.chat import ChatOutcome, ChatRequest, FailureReason
from domain.contract import OUTGOING
from domain.deliberation import ReviewRules
from domain.plan import Constraints
from domain.policy import Policy
from tests.support.factories import agent, council, plan, plan_request
from tests.support.scripted_model import answer, failure
from tests.support.stage import Stage


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
    stage.play(plan_request(plan(roles=("DEV",))))
    stage.play(plan_request(plan(roles=("POET", "QA"))))
    stage.model.follow(lambda request, before: failure(request, FailureReason.REFUSED))
    stage.play()
    stage.cancel(stage.open(), "dropped")

    events = [*stage.news.published, *stage.news.progress]
    for event in events:
        body = json.loads(json.dumps(event.body))
        OUTGOING[event.event_type].model_validate(body)
        assert body["event_type"] == event.event_type
    seen = {event.event_type for event in events}
    assert seen == set(OUTGOING) - {"orchestration.phase.changed"}, "published by the bridge, tested there"
