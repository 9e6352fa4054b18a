"""Deliberating again: by rules and their limits, by name, with the earlier winner as one more candidate."""

from __future__ import annotations

from math import inf

import pytest

from domain.chat import ChatOutcome, ChatRequest, FailureReason
from domain.contract import CancelledBody, CompletedBody
from domain.decision import replay
from domain.errors import CannotRepeat
from domain.identity import deliberation_id
from domain.keys import PRIOR
from domain.plan import Constraints
from domain.record import DeliberationState
from domain.redeliberation import RedeliberationPolicy, RepeatChoice
from domain.steps.conclude import conclude_deliberation
from tests.support.factories import agent, council, plan, plan_request
from tests.support.scripted_model import answer, failure
from tests.support.stage import Stage, decision_of

COMPLETED = "orchestration.deliberation.completed"


def finish(stage: Stage, deliberation_id: str) -> None:
    stage.propose(deliberation_id)
    conclude_deliberation(deliberation_id, stage.services)


def test_a_repeat_names_what_it_supersedes_and_whether_the_winner_changed() -> None:
    stage = Stage(council("DEV"))
    first = stage.play()
    again = stage.redeliberate(first.deliberation.deliberation_id)

    def script(request: ChatRequest, before: int) -> ChatOutcome | None:
        return answer(request, "A step. " * (30 if request.seed == 3 else 2)) if request.form is None else None

    stage.model.follow(script)
    finish(stage, again)
    body = stage.news.bodies(CompletedBody)[-1]
    assert body.supersedes == first.deliberation.deliberation_id
    assert body.revision == first.deliberation.revision
    assert body.winner is not None
    assert body.winner.agent_id == "agent-3"
    earlier = decision_of(first)
    assert earlier.winner is not None
    assert body.winner_changed is (earlier.winner.agent_id != "agent-3")
    assert earlier.winner_changed is None


def test_the_earlier_winner_runs_again_without_its_name_and_may_win() -> None:
    stage = Stage(council("DEV"))
    stage.model.follow(lambda request, before: None if request.form else answer(request, "A step. " * 25))
    first = stage.play()
    again = stage.redeliberate(first.deliberation.deliberation_id)
    stage.model.follow(lambda request, before: None if request.form else answer(request, "Poor."))
    finish(stage, again)
    decision = decision_of(stage.record(again))
    assert decision.winner is not None
    assert decision.winner.proposal_id == PRIOR
    assert decision.winner_changed is False
    assert len(decision.decisions) == 4


def test_an_earlier_winner_whose_author_proposes_nothing_now_is_ranked_and_no_reviewer() -> None:
    stage = Stage(council("DEV"))
    earlier = stage.play()
    newcomers = tuple(agent(f"newcomer-{number}") for number in (1, 2, 3))
    stage.services.councils.save(council("DEV", agents=newcomers))
    again = stage.redeliberate(earlier.deliberation.deliberation_id)
    finish(stage, again)
    record = stage.record(again)
    ranking = decision_of(record).ranking
    assert PRIOR in {entry.proposal for entry in ranking.entries}
    reviewers = {agent.agent_id for agent in record.deliberation.reviewers}
    assert {report.reviewer for report in ranking.reviewers} < reviewers
    stored, replayed = replay(record)
    assert stored == replayed


def test_asking_twice_for_the_same_repeat_is_one_deliberation() -> None:
    stage = Stage(council("DEV"))
    first = stage.play().deliberation.deliberation_id
    following = stage.redeliberate(first)
    stage.clock.advance(1)
    other = stage.redeliberate(first)
    assert following == other
    assert [work[0] for work in stage.queue.work].count(following) == 1


def test_another_council_deliberates_for_the_role_and_lends_no_judge_then() -> None:
    stage = Stage(council("DEV"), council("QA", agents=(agent("tester", persona="You doubt."),)))
    first = stage.play().deliberation
    again = stage.record(stage.redeliberate(first.deliberation_id, RepeatChoice(council="qa"))).deliberation
    assert (again.role, again.supersedes) == ("DEV", first.deliberation_id)
    assert again.deliberation_id == deliberation_id(first.plan.plan_id, "DEV", first.revision, 1)
    assert [member.agent_id for member in again.agents] == ["tester"]
    assert [judge.council for judge in first.judges] == ["QA"]
    assert again.judges == ()


def test_a_chosen_model_is_that_of_all_agents() -> None:
    stage = Stage(council("DEV").model_copy(update={"architect": agent("lead")}))
    first = stage.play().deliberation
    again = stage.record(stage.redeliberate(first.deliberation_id, RepeatChoice(model="large"))).deliberation
    assert [member.model for member in first.agents] == ["tiny"] * 3
    assert [member.model for member in again.agents] == ["large"] * 3
    assert again.architect is not None
    assert again.architect.model == "large"


def test_a_council_that_is_not_there_is_named() -> None:
    stage = Stage(council("DEV"))
    first = stage.play().deliberation
    with pytest.raises(CannotRepeat, match="no council for role QA"):
        stage.redeliberate(first.deliberation_id, RepeatChoice(council="QA"))


def test_what_is_open_can_not_be_repeated() -> None:
    stage = Stage(council("DEV"))
    with pytest.raises(CannotRepeat, match="still proposing"):
        stage.redeliberate(stage.open())


def test_a_schedule_repeats_the_newest_of_its_plan_and_role() -> None:
    stage = Stage(council("DEV"))
    first = stage.play()
    plan_id = first.deliberation.plan.plan_id
    stage.clock.advance(1)
    second = stage.run_scheduled(plan_id, "DEV", due_at=inf)
    finish(stage, second)
    stage.clock.advance(1)
    third = stage.run_scheduled(plan_id, "DEV", due_at=inf)
    assert stage.record(third).deliberation.repeat == 2
    assert stage.record(third).deliberation.supersedes == second
    with pytest.raises(CannotRepeat, match="no deliberation of role QA"):
        stage.run_scheduled(plan_id, "QA", due_at=inf)


def clear(request: ChatRequest, before: int) -> ChatOutcome | None:
    return None if request.form else answer(request, "A step. " * (8 * (request.seed or 0)))


def tie(request: ChatRequest, before: int) -> ChatOutcome | None:
    return answer(request, request.form.shape.replace(": x", ": 5")) if request.form else None


def lose_one(request: ChatRequest, before: int) -> ChatOutcome | None:
    return failure(request, FailureReason.TIMEOUT) if request.key == "proposal/0/agent-1" else None


def lose_all(request: ChatRequest, before: int) -> ChatOutcome | None:
    return None if request.form else failure(request, FailureReason.TIMEOUT)


RULES = [
    (RedeliberationPolicy(stale_after_s=5, cool_down_s=0), None),
    (RedeliberationPolicy(min_p_winner=0.5, cool_down_s=0), tie),
    (RedeliberationPolicy(degraded=True, cool_down_s=0), lose_one),
    (RedeliberationPolicy(failed=True, cool_down_s=0), lose_all),
]


@pytest.mark.parametrize(("rules", "script"), RULES)
def test_a_rule_repeats_what_it_is_about_and_nothing_else(rules, script) -> None:  # type: ignore[no-untyped-def]
    voices = tuple(
        agent(f"agent-{number}", seed=number, persona=f"You weigh risk {number}.") for number in (1, 2, 3)
    )
    stage = Stage(council("DEV", agents=voices), rules=rules)
    if script:
        stage.model.follow(script)
    troubled = stage.play().deliberation.deliberation_id
    stage.clock.advance(10)
    if script:
        stage.model.follow(clear)
        stage.play(plan_request(plan()))
    begun = stage.apply_rules()
    assert [stage.record(identity).deliberation.supersedes for identity in begun] == [troubled]
    assert stage.apply_rules() == ()


def test_rules_keep_to_their_limits() -> None:
    rules = RedeliberationPolicy(stale_after_s=1, cool_down_s=60, max_revisions=2, per_run=1)
    stage = Stage(council("DEV"), rules=rules)
    for _ in range(3):
        stage.play(plan_request(plan(constraints=Constraints())))
    assert stage.apply_rules() == ()
    revisions = []
    for _ in range(12):
        stage.clock.advance(61)
        begun = stage.apply_rules()
        assert len(begun) <= 1
        for identity in begun:
            revisions.append(stage.record(identity).deliberation.repeat)
            finish(stage, identity)
    assert sorted(revisions) == [1, 1, 1, 2, 2, 2]


def test_without_rules_nothing_is_repeated() -> None:
    stage = Stage(council("DEV"))
    stage.play()
    stage.clock.advance(10**9)
    assert stage.apply_rules() == ()


def test_a_council_that_changed_is_asked_again() -> None:
    stage = Stage(council("DEV"), rules=RedeliberationPolicy(council_changed=True, cool_down_s=0))
    stage.play()
    assert stage.apply_rules() == ()
    stage.services.councils.save(council("DEV", size=4))
    assert len(stage.apply_rules()) == 1


def test_cancelling_ends_it_once_with_an_event_and_its_work_asks_no_model() -> None:
    stage = Stage(council("DEV"))
    identity = stage.open()
    assert stage.cancel(identity, "plan was dropped")
    assert not stage.cancel(identity, "again")
    assert stage.record(identity).state is DeliberationState.CANCELLED
    (body,) = stage.news.bodies(CancelledBody)
    assert body.reason == "plan was dropped"
    stage.propose(identity)
    assert stage.model.requests == []
