"""A plan that demands a form: agents are told, only proposals in it win, and below the quorum nobody does."""

from __future__ import annotations

import json
from typing import Any

from domain.chat import ChatOutcome, ChatRequest
from domain.checks.check import CheckResult, NotJudged, PlanFacts
from domain.checks.not_empty import NotEmpty
from domain.contract import CompletedBody, FailedBody
from domain.decision import replay
from domain.deliberation import ReviewRules
from domain.plan import PlanRequest
from domain.policy import Policy
from tests.support.factories import agent, council, plan, plan_request
from tests.support.scripted_model import Script, answer
from tests.support.stage import Stage
from workers.checks.output_schema import OutputSchema

SCHEMA = {"type": "object", "properties": {"steps": {"type": "array"}}, "required": ["steps"]}
CHECKS = (NotEmpty(), OutputSchema())
LONG = "A step in prose. " * 30
"""The scripted reviewers like long texts."""


def on_form(steps: int) -> str:
    return json.dumps({"steps": ["Measure the queue."] * steps})


def demanding(**constraints: Any) -> PlanRequest:
    return plan_request(plan(constraints={"output_schema": SCHEMA, **constraints}))


def writing(texts: dict[str, str]) -> Script:
    """Script answers by the beginning of their keys."""

    def script(request: ChatRequest, before: int) -> ChatOutcome | None:
        told = [text for key, text in texts.items() if request.key.startswith(key)]
        return None if request.form or not told else answer(request, told[0])

    return script


def test_the_best_proposal_off_the_form_never_wins_and_the_event_says_why() -> None:
    stage = Stage(council("DEV"), checks=CHECKS)
    stage.model.follow(
        writing({"proposal/0/agent-1": LONG, "proposal/0/agent-2": on_form(1), "proposal/0/agent-3": on_form(5)})
    )
    record = stage.play(demanding())

    (body,) = stage.news.bodies(CompletedBody)
    assert [row.proposal.author.agent_id for row in body.decisions] == ["agent-3", "agent-2"]
    assert all(row.checks.rows["output_schema"].passed for row in body.decisions)
    (failed,) = body.failures
    assert (failed.agent_id, failed.stage, failed.reason) == ("agent-1", "checks", "rejected")
    assert failed.detail.startswith("does not satisfy the plan's output schema: it is not JSON in line 1")
    stored, replayed = replay(record)
    assert stored.model_dump_json() == replayed.model_dump_json()


def test_below_the_quorum_nobody_wins_and_the_failed_event_has_the_proposals_and_what_is_wrong_with_them() -> None:
    stage = Stage(council("DEV"), checks=CHECKS)
    stage.model.follow(
        writing({"proposal/0/agent-1": LONG, "proposal/0/agent-2": '{"steps": 1}', "proposal/0": on_form(5)})
    )
    stage.play(demanding())

    (body,) = stage.news.bodies(FailedBody)
    assert body.reason == (
        "1 of 3 agents have an admissible proposal, the quorum is 2; 2 do not satisfy constraints.output_schema"
    )
    assert [proposal.content for proposal in body.proposals] == [LONG, '{"steps": 1}', on_form(5)]
    details = {row.agent_id: row.detail for row in body.failures}
    assert details.keys() == {"agent-1", "agent-2"}
    assert details["agent-2"].endswith('steps breaks type: "array"')
    assert not [request for request in stage.model.requests if request.form]


def test_a_proposal_that_could_not_be_judged_does_not_win_unseen() -> None:
    class Late(OutputSchema):
        def run(self, proposal_text: str, plan_facts: PlanFacts) -> CheckResult:
            raise NotJudged("it took longer than 5 s")

    stage = Stage(council("DEV"), checks=(NotEmpty(), Late()))
    stage.model.follow(writing({"proposal/0": on_form(5)}))
    stage.play(demanding())

    (body,) = stage.news.bodies(FailedBody)
    assert "0 of 3 agents have an admissible proposal" in body.reason
    assert all(row.detail.startswith("not judged: it took longer than 5 s; ") for row in body.failures)


def test_a_revision_off_the_form_leaves_the_earlier_version_standing() -> None:
    stage = Stage(council("DEV"), checks=CHECKS)
    stage.model.follow(writing({"proposal/0": on_form(3), "proposal/1/agent-1": LONG, "proposal/1": on_form(4)}))
    stage.play(demanding(rounds=1))

    (body,) = stage.news.bodies(CompletedBody)
    versions = {row.proposal.author.agent_id: row.proposal.proposal_id for row in body.decisions}
    assert versions == {"agent-1": "agent-1@0", "agent-2": "agent-2@1", "agent-3": "agent-3@1"}


def test_the_architects_text_is_taken_only_if_it_satisfies_the_schema() -> None:
    policy = Policy(model="tiny", review=ReviewRules(synthesis=True))
    for text, taken in ((on_form(7), on_form(7)), (LONG, ""), ('{"steps": 1}', "")):
        stage = Stage(council("DEV", architect=agent("arch")), policy=policy, checks=CHECKS)
        stage.model.follow(writing({"architect/synthesis": text, "proposal/0": on_form(3)}))
        stage.play(demanding())
        (body,) = stage.news.bodies(CompletedBody)
        assert body.synthesis == taken


def test_every_prompt_names_the_schema_and_no_prompt_of_another_plan_does() -> None:
    policy = Policy(model="tiny", review=ReviewRules(synthesis=True))
    for request, named in ((demanding(rounds=1), True), (plan_request(plan(constraints={"rounds": 1})), False)):
        stage = Stage(council("DEV", architect=agent("arch")), policy=policy, checks=CHECKS)
        stage.model.follow(writing({"proposal": on_form(3)}))
        stage.play(request)
        kinds = {asked.key.split("/")[0] for asked in stage.model.requests}
        assert kinds >= {"proposal", "ballot", "critique"}
        assert len(kinds) > 3  # the synthesis among them
        for asked in stage.model.requests:
            prompt = asked.messages[-1].content
            assert (json.dumps(SCHEMA) in prompt) == named
            assert ("## Form of every proposal" in prompt) == named
