"""Statistics are sums of what single deliberations were, by role and in all."""

from __future__ import annotations

from domain.chat import ChatOutcome, ChatRequest
from domain.deliberation import ReviewRules
from domain.policy import Policy
from domain.statistics import reliability, statistics
from tests.support.factories import council, plan, plan_request
from tests.support.scripted_model import answer
from tests.support.stage import Stage


def by_seed(request: ChatRequest, before: int) -> ChatOutcome | None:
    return None if request.form else answer(request, "A step. " * (8 * (request.seed or 0)))


def test_figures_add_up_over_roles_and_outcomes() -> None:
    stage = Stage(council("DEV"), council("QA"))
    stage.model.follow(by_seed)
    records = [stage.play(plan_request(plan(roles=(role,)))) for role in ("DEV", "DEV", "QA")]
    stage.cancel(stage.open(plan_request(plan(roles=("QA",)))), "dropped")

    figures = statistics(stage.services.deliberations.counts())
    assert (figures.total.decided, figures.total.cancelled) == (3, 1)
    assert (figures.roles["DEV"].decided, figures.roles["QA"].decided) == (2, 1)
    assert figures.total.completion_tokens == sum(record.usage.completion_tokens for record in records)
    assert figures.total.ballots == sum(len(record.ballots()) for record in records)
    assert figures.roles["DEV"].wins == {"agent-3": 2}
    assert figures.total.wins == {"DEV/agent-3": 2, "QA/agent-3": 1}
    assert figures.total.mean_kendall_w == 1.0


def test_a_failure_is_counted_with_its_agents() -> None:
    stage = Stage(council("DEV"))
    stage.model.follow(lambda request, before: answer(request, " "))
    stage.play()
    figures = statistics(stage.services.deliberations.counts())
    assert (figures.total.failed, figures.total.agents_failed, figures.total.decided) == (1, 3, 0)


def test_reviewers_build_a_record_under_one_name_whether_authors_or_judges() -> None:
    stage = Stage(council("DEV"), council("QA", size=1))
    stage.model.follow(by_seed)
    for role in ("DEV", "QA"):
        stage.play(plan_request(plan(roles=(role,))))
    known = reliability(stage.services.deliberations.counts(), "QA", ["agent-1"])
    assert known.agents["agent-1"].deliberations >= 1


def test_reliability_weighs_only_where_the_rules_say_so_and_is_stored_for_the_replay() -> None:
    stage = Stage(council("DEV"), policy=Policy(model="tiny", review=ReviewRules(use_reliability=True)))
    stage.model.follow(by_seed)
    stage.play()
    second = stage.play(plan_request(plan()))
    assert second.closed is not None
    inputs = second.closed.result["ranking_inputs"]
    assert set(inputs["reliability"]["agents"]) == {"agent-1", "agent-2", "agent-3"}
