"""What checks and critiques do within a deliberation, and that its events say so."""

from __future__ import annotations

from domain.chat import ChatOutcome, ChatRequest
from domain.checks.json_parses import JsonParses
from domain.checks.secrets import Secrets
from domain.contract import CompletedBody, FailedBody
from domain.decision import replay
from domain.deliberation import ReviewRules
from domain.policy import Policy
from domain.record import DeliberationState
from tests.support.factories import council
from tests.support.scripted_model import Script, answer
from tests.support.stage import Stage

CHECKS = (Secrets(), JsonParses())
LEAK = "A step. " * 20 + "The key is AKIAQ7RTZ2MNBVCXKJHG. "
BROKEN = "A step. " * 20 + '\n\n```json\n{"open": \n```\n'


def writing(**texts: str) -> Script:
    """Script proposals by the agent's id; the others write something short and sound."""

    def script(request: ChatRequest, before: int) -> ChatOutcome | None:
        author = request.key.removeprefix("proposal/0/").replace("-", "_")
        return None if request.form else answer(request, texts.get(author, "A step. " * 8))

    return script


def test_a_proposal_that_a_check_removes_is_named_and_its_author_still_reviews() -> None:
    stage = Stage(council("DEV"), checks=CHECKS)
    stage.model.follow(writing(agent_2=LEAK))
    record = stage.play()

    (body,) = stage.news.bodies(CompletedBody)
    assert [row.proposal.author.agent_id for row in body.decisions].count("agent-2") == 0
    (failed,) = body.failures
    assert (failed.agent_id, failed.stage, failed.reason) == ("agent-2", "checks", "rejected")
    assert "an AWS access key id" in failed.detail
    assert body.degraded is True
    assert "agent-2" in {ballot.agent_id for ballot in record.ballots()}
    assert "AKIA" not in body.model_dump_json(include={"ballots", "failures"})
    stored, replayed = replay(record)
    assert stored.model_dump_json() == replayed.model_dump_json()


def test_a_proposal_that_a_check_caps_can_not_win_by_its_ballots() -> None:
    stage = Stage(council("DEV"), checks=CHECKS)
    stage.model.follow(writing(agent_1=BROKEN, agent_3="A step. " * 16))
    stage.play()

    (body,) = stage.news.bodies(CompletedBody)
    assert body.winner is not None
    assert body.winner.agent_id == "agent-3"
    capped = next(row for row in body.decisions if row.proposal.author.agent_id == "agent-1")
    assert capped.score <= 5
    assert (capped.checks.rows["json"].passed, capped.checks.overall_score) == (False, 0.5)
    assert "capped at 0.5" in capped.checks.rows["json"].reason


def test_below_the_quorum_for_its_checks_it_fails_and_says_which() -> None:
    stage = Stage(council("DEV"), checks=CHECKS)
    stage.model.follow(writing(agent_1=LEAK, agent_2=LEAK))

    assert stage.play().state is DeliberationState.FAILED
    (body,) = stage.news.bodies(FailedBody)
    assert "1 of 3 agents have an admissible proposal" in body.reason
    assert {(row.agent_id, row.stage) for row in body.failures} == {
        ("agent-1", "checks"),
        ("agent-2", "checks"),
    }


def test_the_top_is_explained_by_the_other_authors_and_nothing_depends_on_it() -> None:
    silent = Stage(council("DEV"))
    explained = Stage(council("DEV"), policy=Policy(model="tiny", review=ReviewRules(explain_top=1)))
    for stage in (silent, explained):
        stage.model.follow(writing(agent_2="A step. " * 20))
        stage.play()

    (without,), (with_it,) = silent.news.bodies(CompletedBody), explained.news.bodies(CompletedBody)
    assert without.critiques == ()
    pairs = [(critique.reviewer, critique.proposal_id) for critique in with_it.critiques]
    assert sorted(pairs) == [("agent-1", "agent-2@0"), ("agent-3", "agent-2@0")]
    assert all(critique.text for critique in with_it.critiques)
    orders = [[entry.proposal for entry in body.ranking.entries] for body in (without, with_it)]
    assert orders[0] == orders[1]
