"""The chord's callback: quorum, gate, rounds, vote, ranking, decision. Run again, it goes on where it stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from domain import events
from domain.candidates import first_versions, proposal_id, with_revisions
from domain.chat import FailureReason
from domain.checks.check import PlanFacts
from domain.checks.gate import GateReport, run_gate
from domain.completed import completed_body, failure_rows
from domain.decision import RankingInputs, caps_of, champions, ranking_inputs, ranking_of, without_losers
from domain.entry import AgentFailed, Closed
from domain.errors import ConclusionTakenOver, DeliberationClosed
from domain.event import Event
from domain.ranking import Ranking
from domain.review.candidate import Candidate
from domain.services import Services
from domain.statistics import reliability
from domain.steps.announce import announce
from domain.steps.architect import consult_architect, synthesise
from domain.steps.conclusion import Conclusion
from domain.steps.critique import explain, revise
from domain.steps.vote import vote


class NoDecision(Exception):
    """The deliberation can't be decided; the message says why."""


def conclude_deliberation(deliberation_id: str, services: Services) -> None:
    """Review, rank, decide and publish, or fail with an event. Nothing happens to one that has ended.

    Raises EngineAway while reviewers can't be reached and time is left; LookupError for an unknown id.
    """
    record = services.deliberations.load(deliberation_id)
    if record.closed is not None:
        return
    try:
        sitting = Conclusion(record, services)
        if _all_answered(sitting):
            _close(sitting)
    except (ConclusionTakenOver, DeliberationClosed):
        # A later run of this step has taken over, or somebody cancelled; what is written stays.
        return


def fail_deliberation(deliberation_id: str, reason: str, services: Services) -> None:
    """End a deliberation without a decision; nothing if it has ended."""
    record = services.deliberations.load(deliberation_id)
    if record.closed is None:
        _fail(Conclusion(record, services), reason, {})


def _all_answered(sitting: Conclusion) -> bool:
    """Record the deadline for agents without an answer, False while they have time (the sweep sees to them)."""
    missing = sitting.record.unanswered()
    if missing and sitting.now() < sitting.deliberation.deadline_at:
        return False
    for agent_id in missing:
        detail = "the deliberation's deadline passed before the agent answered"
        sitting.note(
            AgentFailed(agent_id=agent_id, reason=FailureReason.DEADLINE, detail=detail, at=sitting.now())
        )
    return True


def _close(sitting: Conclusion) -> None:
    gate = CheckGate(sitting)
    try:
        body = _decide(sitting, gate)
    except NoDecision as reason:
        _fail(sitting, str(reason), gate.reports)
        return
    event = events.deliberation_event(events.COMPLETED, sitting.deliberation, at=sitting.now(), body=body)
    _end(sitting, "decided", event)


def _decide(sitting: Conclusion, gate: CheckGate) -> dict[str, Any]:
    candidates = gate.admit(first_versions(sitting.record))
    _check_quorum(sitting, candidates)
    for round_ in range(1, sitting.deliberation.rounds + 1):
        revise(sitting, candidates, round_)
        candidates = gate.admit(with_revisions(sitting.record, candidates, round_))
        vote(sitting, candidates, round_, caps=caps_of(gate.reports))
        inputs = ranking_inputs(sitting.record, candidates, gate.reports, round_)
        candidates, voted_on = champions(candidates, ranking_of(sitting.record, candidates, inputs)), candidates
    if not sitting.deliberation.rounds:
        vote(sitting, candidates, 0, caps=caps_of(gate.reports))
        voted_on = candidates
        inputs = ranking_inputs(sitting.record, candidates, gate.reports, 0)
    inputs = _with_reliability(without_losers(inputs, candidates), sitting)
    ranking = _rank(sitting, voted_on, inputs)
    consult_architect(sitting, candidates, ranking)
    synthesise(sitting, candidates, ranking)
    explain(sitting, candidates, ranking)
    sitting.tell("ranked", "ranking")
    return completed_body(sitting.record, voted_on, gate.reports, inputs, ranking, at=sitting.now())


def _with_reliability(inputs: RankingInputs, sitting: Conclusion) -> RankingInputs:
    """Add the reviewers' records where the rules weigh by them; stored with the decision, so that it replays."""
    deliberation = sitting.deliberation
    if not deliberation.review.use_reliability:
        return inputs
    reviewers = [agent.agent_id for agent in deliberation.reviewers]
    known = reliability(sitting.services.deliberations.counts(), deliberation.role, reviewers)
    return inputs.model_copy(update={"reliability": known})


def _rank(sitting: Conclusion, candidates: Sequence[Candidate], inputs: RankingInputs) -> Ranking:
    ranking = ranking_of(sitting.record, candidates, inputs)
    if len(candidates) > 1 and all(cast.missing is not None for cast in sitting.record.ballots(inputs.round)):
        raise NoDecision("no reviewer handed in a ballot, so the proposals can't be ranked")
    return ranking


def _check_quorum(sitting: Conclusion, candidates: Sequence[Candidate]) -> None:
    deliberation = sitting.deliberation
    admitted = {one.proposal_id for one in candidates}
    standing = [one for one in sitting.record.proposals(0) if proposal_id(one) in admitted]
    if len(standing) < deliberation.quorum:
        agents = len(deliberation.agents)
        raise NoDecision(
            f"{len(standing)} of {agents} agents have an admissible proposal, the quorum is {deliberation.quorum}"
        )


class CheckGate:
    """Runs the checks once per text and lets through what none of them removes."""

    def __init__(self, sitting: Conclusion) -> None:
        plan = sitting.deliberation.plan
        self._checks = sitting.services.checks
        self._facts = PlanFacts(
            title=plan.title,
            description=plan.description,
            acceptance_criteria=plan.acceptance_criteria,
            requirements=plan.constraints.requirements,
        )
        self.reports: dict[str, GateReport] = {}

    def admit(self, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
        """Return the candidates that no hard check removes."""
        for one in candidates:
            if one.proposal_id not in self.reports:
                self.reports[one.proposal_id] = run_gate(self._checks, one.text, self._facts)
        return tuple(one for one in candidates if not self.reports[one.proposal_id].excluded)


def _fail(sitting: Conclusion, reason: str, gates: Mapping[str, GateReport]) -> None:
    failures = failure_rows(sitting.record, gates)
    event = events.failed(sitting.deliberation, at=sitting.now(), reason=reason, failures=failures)
    _end(sitting, "failed", event, reason)


def _end(sitting: Conclusion, status: Literal["decided", "failed"], event: Event, reason: str = "") -> None:
    """Save how it ended together with its event, then publish."""
    at, body = event.occurred_at, event.body
    closed = Closed(status=status, at=at, event_id=event.event_id, reason=reason, result=body)
    standing = sitting.note(closed, [event])
    if standing == closed:
        sitting.services.meter.ended(sitting.record, closed)
        announce([event], outbox=sitting.services.outbox, publisher=sitting.services.publisher)
