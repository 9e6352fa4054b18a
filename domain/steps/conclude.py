"""The chord's callback: quorum, gate, rounds, vote, ranking, decision. Run again, it goes on where it stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain import events
from domain.candidates import first_versions, with_revisions
from domain.chat import FailureReason
from domain.checks.gate import CheckGate, GateReport
from domain.completed import completed_body, failure_rows, proposal_bodies
from domain.contract import CompletedBody, FailedBody
from domain.decision import caps_of, champions, ranking_inputs, ranking_of, without_losers
from domain.engine_wait import EngineWait
from domain.entry import AgentFailed
from domain.errors import ConclusionTakenOver, DeliberationClosed
from domain.people import calibration
from domain.prompts.critique_questions import REVISER
from domain.prompts.proposal_question import PROPOSER
from domain.ranking import Ranking, RankingInputs
from domain.review.candidate import Candidate
from domain.services import Services
from domain.statistics import reliability
from domain.steps.announce import announce
from domain.steps.architect import consult_architect, synthesise
from domain.steps.conclusion import Conclusion
from domain.steps.critique import explain, revise
from domain.steps.ending import end_deliberation
from domain.steps.generate import NOT_ANSWERED
from domain.steps.second_look import second_look
from domain.steps.vote import vote
from domain.total_usage import total_usage


class NoDecision(Exception):
    """The deliberation can't be decided; the message says why."""


def conclude_deliberation(deliberation_id: str, services: Services, waited: EngineWait | None = None) -> None:
    """Review, rank, decide and publish, or fail with an event. Nothing happens to one that has ended.

    `waited` is what earlier runs met. Raises EngineAway while reviewers can't be reached and time is left;
    LookupError for an unknown id.
    """
    record = services.deliberations.load(deliberation_id)
    if record.closed is not None:
        return
    try:
        conclusion = Conclusion(record, services, waited)
        if _all_answered(conclusion):
            _close(conclusion)
    except (ConclusionTakenOver, DeliberationClosed):
        # A later run of this step has taken over, or the deliberation was cancelled; all entries stay.
        return


def fail_deliberation(deliberation_id: str, reason: str, services: Services) -> None:
    """End a deliberation without a decision; nothing if it has ended."""
    record = services.deliberations.load(deliberation_id)
    if record.closed is None:
        _fail(Conclusion(record, services), reason, {})


def _all_answered(conclusion: Conclusion) -> bool:
    """Record for agents without a proposal that it was due; False while they have time: the sweep sees to it."""
    missing = conclusion.record_so_far.unanswered()
    if missing and conclusion.now() < conclusion.deliberation.proposals_due_at:
        return False
    for agent_id in missing:
        conclusion.record(
            AgentFailed(agent_id=agent_id, reason=FailureReason.DEADLINE, detail=NOT_ANSWERED, at=conclusion.now())
        )
    return True


def _close(conclusion: Conclusion) -> None:
    personas = (agent.persona for agent in conclusion.deliberation.agents)
    gate = CheckGate(
        conclusion.services.checks,
        conclusion.deliberation.plan,
        instructions=(PROPOSER, REVISER, *filter(None, personas)),
    )
    try:
        body = _decide(conclusion, gate)
    except NoDecision as reason:
        _fail(conclusion, str(reason), gate.reports)
        return
    _end(conclusion, body)


def _decide(conclusion: Conclusion, gate: CheckGate) -> CompletedBody:
    if conclusion.deliberation.refusal:
        raise NoDecision(conclusion.deliberation.refusal)
    candidates = gate.admit(first_versions(conclusion.record_so_far))
    _check_quorum(conclusion, candidates, gate.reports)
    for round_ in range(1, conclusion.deliberation.rounds + 1):
        revise(conclusion, candidates, round_)
        candidates = gate.admit(with_revisions(conclusion.record_so_far, candidates, round_))
        vote(conclusion, candidates, round_, caps=caps_of(gate.reports))
        inputs = ranking_inputs(conclusion.record_so_far, candidates, gate.reports, round_)
        ranking = ranking_of(conclusion.record_so_far, candidates, inputs)
        candidates, standing = champions(candidates, ranking), candidates
    if not conclusion.deliberation.rounds:
        vote(conclusion, candidates, 0, caps=caps_of(gate.reports))
        standing = candidates
        inputs = ranking_inputs(conclusion.record_so_far, candidates, gate.reports, 0)
    inputs = _with_reliability(without_losers(inputs, candidates), conclusion)
    inputs = _with_calibration(inputs, conclusion)
    ranking = _rank(conclusion, standing, inputs)
    looked_again = second_look(conclusion, standing, inputs, ranking)
    if looked_again != inputs:
        inputs, ranking = looked_again, _rank(conclusion, standing, looked_again)
    consult_architect(conclusion, candidates, ranking)
    synthesis = synthesise(conclusion, candidates, ranking, gate)
    explain(conclusion, candidates, ranking)
    conclusion.publish_progress("ranked", "ranking")
    return completed_body(
        conclusion.record_so_far,
        standing,
        gate.reports,
        inputs,
        ranking,
        synthesis=synthesis,
        prices=conclusion.services.prices,
        at=conclusion.now(),
    )


def _with_reliability(inputs: RankingInputs, conclusion: Conclusion) -> RankingInputs:
    """Add the reviewers' records where the rules weigh by them; stored with the decision, so that it replays."""
    if not conclusion.deliberation.review.use_reliability:
        return inputs
    records = reliability(conclusion.services.deliberations.counts(), conclusion.deliberation)
    return inputs.model_copy(update={"reliability": records})


def _with_calibration(inputs: RankingInputs, conclusion: Conclusion) -> RankingInputs:
    """Add what people's verdicts say of said probabilities; stored with the decision, so that it replays."""
    learned = calibration(conclusion.services.verdicts.counts())
    return inputs.model_copy(update={"settings": inputs.settings.model_copy(update={"calibration": learned})})


def _rank(conclusion: Conclusion, candidates: Sequence[Candidate], inputs: RankingInputs) -> Ranking:
    ranking = ranking_of(conclusion.record_so_far, candidates, inputs)
    ballots = conclusion.record_so_far.ballots(inputs.round)
    if len(candidates) > 1 and all(ballot.missing is not None for ballot in ballots):
        raise NoDecision("no reviewer handed in a ballot, so the proposals can't be ranked")
    return ranking


def _check_quorum(
    conclusion: Conclusion, candidates: Sequence[Candidate], gates: Mapping[str, GateReport]
) -> None:
    deliberation = conclusion.deliberation
    admitted = {candidate.proposal_id for candidate in candidates}
    proposals = conclusion.record_so_far.proposals(0)
    admissible = [proposal for proposal in proposals if proposal.proposal_id in admitted]
    if len(admissible) < deliberation.quorum:
        agents = len(deliberation.agents)
        standing = f"{len(admissible)} of {agents} agents have an admissible proposal"
        off_form = sum(gates[proposal.proposal_id].off_form for proposal in proposals)
        form = f"; {off_form} do not satisfy constraints.output_schema" if off_form else ""
        raise NoDecision(f"{standing}, the quorum is {deliberation.quorum}{form}")


def _fail(conclusion: Conclusion, reason: str, gates: Mapping[str, GateReport]) -> None:
    record = conclusion.record_so_far
    body = events.failed_body(
        conclusion.deliberation,
        at=conclusion.now(),
        reason=reason,
        failures=failure_rows(record, gates),
        proposals=proposal_bodies(record),
        usage=total_usage(record, conclusion.services.prices),
    )
    _end(conclusion, body)


def _end(conclusion: Conclusion, body: CompletedBody | FailedBody) -> None:
    """Save how it ended together with its event, then publish."""
    services = conclusion.services
    event = end_deliberation(
        conclusion.record_so_far,
        body,
        deliberations=services.deliberations,
        meter=services.meter,
        token=conclusion.token,
    )
    if event is not None:
        announce([event], outbox=services.outbox, publisher=services.publisher)
