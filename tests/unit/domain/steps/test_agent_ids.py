"""Whatever characters an agent's id has, its proposals, ballots and critiques are its own."""

from __future__ import annotations

from domain.chat import ChatOutcome, ChatRequest, FailureReason
from domain.contract import ProgressBody
from domain.deliberation import ReviewRules
from domain.plan import Constraints
from domain.policy import Policy
from domain.record import DeliberationState, Record
from domain.steps.conclude import conclude_deliberation
from tests.support.factories import agent, council, plan, plan_request
from tests.support.scripted_model import failure
from tests.support.stage import Stage


def stage_of(*agent_ids: str) -> Stage:
    agents = tuple(agent(agent_id, seed=seed) for seed, agent_id in enumerate(agent_ids))
    return Stage(council("DEV", agents=agents), policy=Policy(model="tiny", review=ReviewRules(explain_top=1)))


def play(stage: Stage) -> Record:
    return stage.play(plan_request(plan(constraints=Constraints(rounds=1))))


def test_critiques_of_agents_whose_ids_have_slashes_do_not_overwrite_each_other() -> None:
    ids = ("x", "x/y", "y/z", "z")

    record = play(stage_of(*ids))

    pairs = {(critique.agent_id, critique.proposal_id) for critique in record.critiques() if critique.round == 1}
    assert pairs == {(critic, f"{author}@0") for critic in ids for author in ids if critic != author}


def test_an_agent_called_prior_runs_against_its_councils_earlier_winner() -> None:
    stage = stage_of("prior", "dev-1", "dev-2")
    earlier = play(stage)
    following = stage.redeliberate(earlier.deliberation.deliberation_id)
    stage.propose(following)
    conclude_deliberation(following, stage.services)

    record = stage.record(following)
    assert record.state is DeliberationState.DECIDED
    candidates = {proposal_id for ballot in record.ballots() for proposal_id in ballot.asked}
    assert candidates >= {"prior@0", "%prior@0", "dev-1@0", "dev-2@0"}


def test_a_revision_that_fails_is_progress_of_the_stage_proposal() -> None:
    stage = stage_of("dev-1", "dev-2", "dev-3")

    def script(request: ChatRequest, before: int) -> ChatOutcome | None:
        revises = request.key == "proposal/1/dev-2"
        return failure(request, FailureReason.TIMEOUT) if revises else None

    stage.model.follow(script)
    play(stage)

    bodies = [event.body for event in stage.news.progress if isinstance(event.body, ProgressBody)]
    stages = {body.what: body.stage for body in bodies}
    assert stages["proposal/1/dev-2"] == stages["proposal/1/dev-1"] == "proposal"
