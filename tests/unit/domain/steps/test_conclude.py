"""Concluding: quorum, blind ballots, retries, ranking, and the event that tells of it."""

from __future__ import annotations

import json

from bridge.event_message import body_of
from domain.chat import ChatOutcome, ChatRequest
from domain.contract_rows import Winner
from domain.decision import replay
from domain.deliberation import ReviewRules
from domain.plan import Constraints
from domain.policy import Policy
from domain.record import DeliberationState, Record
from domain.steps.conclude import conclude_deliberation
from domain.views.why import why
from tests.support.factories import agent, closed, council, plan, plan_request
from tests.support.scripted_model import Script, answer
from tests.support.stage import Stage, decision_of

COMPLETED = "orchestration.deliberation.completed"


def long_from(favourite: int) -> Script:
    """Script proposals whose length, and so the ballots' liking, depends on the agent's seed."""

    def script(request: ChatRequest, before: int) -> ChatOutcome | None:
        if request.form is not None:
            return None
        return answer(request, "A step. " * (20 if request.seed == favourite else 8))

    return script


def winner_of(record: Record) -> Winner:
    winner = decision_of(record).winner
    assert winner is not None
    return winner


def test_the_proposal_that_the_others_like_best_wins_wherever_it_stands() -> None:
    for favourite in (1, 2, 3):
        stage = Stage(council("DEV"))
        stage.model.follow(long_from(favourite))

        record = stage.play()

        assert record.state is DeliberationState.DECIDED
        assert winner_of(record).agent_id == f"agent-{favourite}"


def test_a_consumer_of_the_contract_finds_its_fields() -> None:
    stage = Stage(council("DEV"))
    request = plan_request()
    stage.play(request)

    (event,) = stage.news.of_type(COMPLETED)
    body = json.loads(body_of(event))
    assert body["event_type"] == COMPLETED
    assert (body["story_id"], body["task_id"]) == (request.plan.story_id, request.plan.plan_id)
    assert isinstance(body["timestamp"], float)
    scores = [decision["score"] for decision in body["decisions"]]
    assert scores == sorted(scores, reverse=True)
    for decision in body["decisions"]:
        assert decision["proposal"]["author"].keys() == {"agent_id", "role"}
        assert decision["proposal"]["content"]
        assert decision["proposal"]["revisions"] == []
        assert 0 <= decision["checks"]["overall_score"] <= 1
        assert decision["type"] == "TECHNICAL"
        assert decision["rationale"]
        assert decision["rationale"] in decision["proposal"]["content"]


def test_decisions_of_two_roles_with_the_same_agents_have_different_ids() -> None:
    ids: list[str] = []
    for role in ("DEV", "QA"):
        record = Stage(council(role)).play(plan_request(plan(roles=(role,))))
        ids += [row.id for row in decision_of(record).decisions]
    assert len(ids) == len(set(ids)) == 6


def test_nobody_scores_its_own_proposal_and_nobody_is_named() -> None:
    stage = Stage(council("DEV"))
    stage.model.follow(long_from(2))
    record = stage.play()

    ballots = record.ballots()
    assert len(ballots) == 3
    assert all(f"{ballot.agent_id}@0" not in ballot.scores and len(ballot.scores) == 2 for ballot in ballots)
    prompts = [request.messages[-1].content for request in stage.model.requests if request.form]
    assert not any("agent-" in prompt for prompt in prompts)


def test_all_ballots_are_asked_at_once() -> None:
    stage = Stage(council("DEV"))
    stage.play()
    assert [len(wave) for wave in stage.model.waves] == [1, 1, 1, 6]


def test_judges_of_another_council_vote_too() -> None:
    stage = Stage(council("DEV"), council("QA", size=2))
    record = stage.play()
    assert {ballot.agent_id for ballot in record.ballots()} >= {"QA/agent-1", "QA/agent-2", "agent-3"}


def test_concluding_again_changes_and_publishes_nothing() -> None:
    stage = Stage(council("DEV"))
    record = stage.play()
    calls = len(stage.model.requests)
    conclude_deliberation(record.deliberation.deliberation_id, stage.services)
    assert stage.record(record.deliberation.deliberation_id).closed == record.closed
    assert len(stage.model.requests) == calls
    assert len(stage.news.of_type(COMPLETED)) == 1


def test_an_event_that_cannot_be_published_waits_in_the_outbox() -> None:
    stage = Stage(council("DEV"))
    deliberation_id = stage.open()
    stage.propose(deliberation_id)
    stage.news.away = True
    conclude_deliberation(deliberation_id, stage.services)
    assert [event.event_type for event in stage.outbox.pending(10)] == [COMPLETED]
    assert stage.record(deliberation_id).state is DeliberationState.DECIDED


def test_concluding_before_all_have_answered_decides_nothing() -> None:
    stage = Stage(council("DEV"))
    deliberation_id = stage.open()
    conclude_deliberation(deliberation_id, stage.services)
    assert stage.record(deliberation_id).state is DeliberationState.PROPOSING


def test_a_cancelled_deliberation_is_not_concluded() -> None:
    stage = Stage(council("DEV"))
    deliberation_id = stage.open()
    stage.propose(deliberation_id)
    cancelled = closed(status="cancelled", at=stage.clock.now())
    stage.services.deliberations.record(deliberation_id, cancelled)
    conclude_deliberation(deliberation_id, stage.services)
    assert stage.record(deliberation_id).state is DeliberationState.CANCELLED


def test_a_revision_that_the_others_like_less_loses_to_the_earlier_version() -> None:
    stage = Stage(council("DEV"))

    def script(request: ChatRequest, before: int) -> ChatOutcome | None:
        if request.form or request.key.startswith("critique"):
            return None
        worse = request.key == "proposal/1/agent-1"
        better = request.key == "proposal/1/agent-2"
        return answer(request, f"Seed {request.seed}. " + "A step. " * (4 if worse else 20 if better else 10))

    stage.model.follow(script)
    record = stage.play(plan_request(plan(constraints=Constraints(rounds=1))))

    body = decision_of(record)
    ids = {row.proposal.author.agent_id: row.proposal.proposal_id for row in body.decisions}
    assert ids["agent-1"] == "agent-1@0"
    assert ids["agent-2"] == "agent-2@1"
    revised = next(row for row in body.decisions if row.proposal.proposal_id == "agent-2@1")
    assert len(revised.proposal.revisions) == 1
    assert len(body.critiques) == 6


def test_the_second_pass_is_left_out_where_it_cannot_matter() -> None:
    rules = ReviewRules(both_passes=True, skip_decided=True, swing=1.0)
    stage = Stage(council("DEV"), policy=Policy(model="tiny", review=rules))
    stage.model.follow(long_from(3))
    record = stage.play()
    assert {ballot.pass_ for ballot in record.ballots()} == {0}


def test_a_stored_decision_replays_to_the_same_bytes() -> None:
    for rounds in (0, 1, 2):
        stage = Stage(council("DEV"), council("QA"))
        record = stage.play(plan_request(plan(constraints=Constraints(rounds=rounds))))
        stored, replayed = replay(record)
        assert stored.model_dump_json() == replayed.model_dump_json()


def test_an_architect_chooses_where_the_vote_is_tied_and_the_event_says_so() -> None:
    architect = agent("arch")
    stage = Stage(council("DEV", architect=architect))
    stage.model.follow(
        lambda request, before: answer(request, "A: 9\nB: 3\nC: 3") if "architect" in request.key else None
    )
    record = stage.play()
    decision = decision_of(record)
    assert decision.tied is True
    assert record.architect is not None
    assert winner_of(record).proposal_id == record.architect.choice
    assert decision.decisions[0].proposal.proposal_id == record.architect.choice
    assert decision.decided_by == "architect"


def test_an_architect_writes_a_synthesis_where_the_rules_ask_for_it() -> None:
    policy = Policy(model="tiny", review=ReviewRules(synthesis=True))
    stage = Stage(council("DEV", architect=agent("arch")), policy=policy)
    stage.model.follow(long_from(2))
    record = stage.play()
    decision = decision_of(record)
    assert record.synthesis is not None
    assert decision.synthesis == record.synthesis.synthesis != ""
    assert winner_of(record).agent_id == "agent-2"
    assert decision.decided_by == "score"


def test_copies_are_not_asked_twice_and_the_event_tells_how_many_calls_that_saved() -> None:
    eight = tuple(agent(f"agent-{number}", seed=number) for number in range(1, 9))
    stage = Stage(council("DEV", agents=eight))
    stage.model.follow(long_from(8))
    record = stage.play()
    decision = decision_of(record)
    assert winner_of(record).agent_id == "agent-8"
    assert [len(ballot.scores) for ballot in record.ballots()] == [7, 1]
    assert decision.usage.saved_calls == 8 * 7 - 8
    assert "48 calls saved: reviewers of one voice would answer alike, so one of them is asked" in why(decision)
    assert {row.reviewer for row in decision.ballots} < {member.agent_id for member in eight}
    stored, replayed = replay(record)
    assert stored.model_dump_json() == replayed.model_dump_json()


def test_copies_that_see_all_at_once_save_a_call_each() -> None:
    policy = Policy(model="tiny", review=ReviewRules(ballots="listwise"))
    eight = tuple(agent(f"agent-{number}", seed=number) for number in range(1, 9))
    decision = decision_of(Stage(council("DEV", agents=eight), policy=policy).play())
    assert len(decision.ballots) + decision.usage.saved_calls == 8


def test_personas_of_their_own_make_voices_of_their_own_and_all_are_asked() -> None:
    stage = Stage(council("DEV", size=8))
    record = stage.play()
    assert len(record.ballots()) == 8
    decision = decision_of(record)
    assert decision.usage.saved_calls == 0
    assert not any("saved" in sentence for sentence in why(decision))
    ends = [request.messages[-1].content.rsplit("\n", 1)[1] for request in stage.model.requests if request.form]
    assert len({end.split(" Write one line")[0] for end in ends}) == 8
