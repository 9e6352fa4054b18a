"""Where a deliberation stands, as a pure function of its record and the time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple

from domain.candidates import first_versions, presentation_of, voters_on
from domain.chat import Usage
from domain.council import Agent
from domain.entry import AgentFailed, BallotCast, Proposed
from domain.record import DeliberationState, Record
from domain.review.voters import number_of_voters
from domain.value import Value
from domain.views.expected_work import of_ballot, of_proposal, of_revision

Status = Literal["waiting", "running", "done", "skipped", "failed"]


class StageView(Value):
    """One stage: a bar."""

    name: str
    """proposals, round 1 …, review or decision."""
    status: Status
    done: int
    total: int
    """How many answers the stage waits for; fewer may do, when the outcome is settled before."""
    seconds: float
    """How long it took, or has taken so far; 0 while it waits."""
    answer_s: float | None = None
    """Seconds from one answer to the next so far; None before the first."""
    weight: float = 1.0
    """What one of its answers is likely to take, in written tokens; 1 where engines tell none."""


class MemberView(Value):
    """One agent: a line."""

    agent_id: str
    part: Literal["proposer", "judge"]
    model: str
    status: Literal["waiting", "proposing", "proposed", "reviewing", "done", "failed"]
    detail: str
    """Why it failed, or which of its ballots are missing; empty else."""
    proposal_s: float | None
    """Seconds that its first proposal took, or took to fail; None while there is neither."""
    first_tokens: int
    """Length of its first proposal."""
    review_s: float
    """Seconds of its ballots, critiques and revisions, one after another."""
    ballots: int
    ballots_missing: int
    usage: Usage


class DeliberationView(Value):
    """Everything the live view draws."""

    deliberation_id: str
    plan_id: str
    title: str
    role: str
    state: DeliberationState
    elapsed_s: float
    remaining_s: float
    """Seconds to the deadline; 0 when it is closed or over."""
    stages: tuple[StageView, ...]
    members: tuple[MemberView, ...]
    usage: Usage
    reason: str
    """Why there is no decision; empty else."""

    @property
    def estimate_s(self) -> float | None:
        """Seconds likely left; None before any answer, and where all that was reckoned with is over.

        A stage's answers to come take as long as those that came. Those of a stage without any, as ballots while
        agents propose, are reckoned by their weight from the last known.
        """
        first, left = self.stages[0], 0.0
        if self.closed or first.answer_s is None:
            return None
        unit_s = first.answer_s / first.weight
        for stage in self.stages[:-1]:  # the decision is computed, in no time that counts here
            unit_s = unit_s if stage.answer_s is None else stage.answer_s / stage.weight
            if stage.status in {"running", "waiting"}:
                left += max(0.0, stage.total * stage.weight * unit_s - stage.seconds)
        return min(self.remaining_s, left) or None

    @property
    def closed(self) -> bool:
        return self.state in {DeliberationState.DECIDED, DeliberationState.FAILED, DeliberationState.CANCELLED}


def view(record: Record, now: float) -> DeliberationView:
    """Look at a record at a moment, in epoch seconds; a closed one looks the same ever after."""
    deliberation = record.deliberation
    until = record.closed.at if record.closed else now
    return DeliberationView(
        deliberation_id=deliberation.deliberation_id,
        plan_id=deliberation.plan.plan_id,
        title=deliberation.plan.title or deliberation.plan.plan_id,
        role=deliberation.role,
        state=record.state,
        elapsed_s=max(0.0, until - deliberation.opened_at),
        remaining_s=0.0 if record.closed else max(0.0, deliberation.deadline_at - now),
        stages=_stages(record, until),
        members=_members(record),
        usage=record.usage,
        reason=record.closed.reason if record.closed else "",
    )


def _stages(record: Record, until: float) -> tuple[StageView, ...]:
    deliberation = record.deliberation
    agents, rounds = len(deliberation.agents), deliberation.rounds
    wrote = {proposal.agent_id for proposal in record.proposals()}
    authors = [agent for agent in deliberation.agents if record.unanswered() or agent.agent_id in wrote]
    rules = deliberation.review
    ballots = number_of_voters(authors, deliberation.judges, orders=rules.distinct_orders) * rules.passes
    attempts = [_attempts(record, round_) for round_ in range(rounds + 1)]
    votes = [ballot.at for ballot in record.ballots(rounds)]
    first = record.proposals(0)
    counts = [_Count("proposals", [attempt.at for attempt in attempts[0]], agents, of_proposal(first))]
    for round_ in range(1, rounds + 1):
        total = len(record.proposals(round_ - 1)) or agents
        done_at = [attempt.at for attempt in attempts[round_]]
        counts.append(_Count(f"round {round_}", done_at, total, of_revision(first)))
    # An earlier winner beside the proposals may have more reviewers asked than these alone.
    weight = of_ballot(deliberation, authors, first, ballots)
    counts.append(_Count("review", votes, max(ballots, len(votes)), weight))
    counts.append(_Count("decision", [until] if record.state is DeliberationState.DECIDED else [], 1))
    return _in_turn(counts, record, until)


class _Count(NamedTuple):
    name: str
    done_at: list[float]
    total: int
    weight: float = 0.0
    """0 where engines told no tokens."""


def _in_turn(counts: Sequence[_Count], record: Record, until: float) -> tuple[StageView, ...]:
    """Give every stage its status: what comes after the first unfinished stage waits."""
    begun = record.deliberation.opened_at
    views: list[StageView] = []
    reached = True
    for index, count in enumerate(counts):
        done, done_at = len(count.done_at), count.done_at
        later = any(other.done_at for other in counts[index + 1 :])
        status = _status(done, count.total, later=later, reached=reached, state=record.state)
        ended = max([begun, *done_at]) if status == "done" else until
        took = ended - begun if status in {"done", "running", "failed"} else 0.0
        views.append(
            StageView(
                name=count.name,
                status=status,
                done=done,
                total=count.total,
                seconds=max(0.0, took),
                answer_s=max(0.0, max(done_at) - begun) / done if done else None,
                weight=count.weight or 1.0,  # without tokens all are alike
            )
        )
        reached = reached and status in {"done", "skipped"}
        begun = ended if status == "done" else begun
    return tuple(views)


def _status(done: int, total: int, *, later: bool, reached: bool, state: DeliberationState) -> Status:
    if done >= total or (done and later):
        return "done"
    if later or state is DeliberationState.DECIDED:
        return "skipped"
    if not reached:
        return "waiting"
    return "failed" if state in {DeliberationState.FAILED, DeliberationState.CANCELLED} else "running"


def _members(record: Record) -> tuple[MemberView, ...]:
    finished = _spared(record) | _voted(record)
    return tuple(
        _member(record, agent, finished=agent.agent_id in finished) for agent in record.deliberation.reviewers
    )


def _voted(record: Record) -> frozenset[str]:
    """Return whose ballots of the last round are all in; a second look at a tie may ask them once more."""
    deliberation = record.deliberation
    cast = Counter(ballot.agent_id for ballot in record.ballots(deliberation.rounds))
    return frozenset(agent for agent, count in cast.items() if count >= deliberation.review.passes)


def _spared(record: Record) -> frozenset[str]:
    """Return whom the vote does not ask since it asks others of their voice; with rounds all revise before it.

    Which proposals the gate removes is not known before the decision; who has a ballot was asked anyway.
    """
    candidates = first_versions(record)
    if record.unanswered() or record.deliberation.rounds or len(candidates) < 2:
        return frozenset()
    asked = voters_on(candidates, presentation_of(record.deliberation, candidates, 0), record)
    owing = {agent.agent_id for agent in asked} | {ballot.agent_id for ballot in record.ballots(0)}
    return frozenset(agent.agent_id for agent in record.deliberation.reviewers) - owing


def _member(record: Record, agent: Agent, *, finished: bool) -> MemberView:
    calls = [call for call in record.calls() if call.agent_id == agent.agent_id]
    first = record.attempt(0, agent.agent_id)
    ballots = [call for call in calls if isinstance(call, BallotCast)]
    missing = [ballot for ballot in ballots if ballot.missing is not None]
    proposes = agent in record.deliberation.agents
    return MemberView(
        agent_id=agent.agent_id,
        part="proposer" if proposes else "judge",
        model=agent.model or "",
        status=_standing(record, first, proposes=proposes, finished=finished),
        detail=_detail(first, ballots),
        proposal_s=first.duration_ms / 1000 if first else None,
        first_tokens=first.usage.completion_tokens if first else 0,
        review_s=sum(call.duration_ms for call in calls if call is not first) / 1000,
        ballots=len(ballots) - len(missing),
        ballots_missing=len(missing),
        usage=sum((call.usage for call in calls), Usage()),
    )


def _standing(
    record: Record, first: Proposed | AgentFailed | None, *, proposes: bool, finished: bool
) -> Literal["waiting", "proposing", "proposed", "reviewing", "done", "failed"]:
    if isinstance(first, AgentFailed):
        return "failed"
    if proposes and first is None:
        return "proposing" if record.closed is None else "waiting"
    if record.closed is not None:
        return "done"
    if record.state is DeliberationState.PROPOSING:
        return "proposed" if proposes else "waiting"
    return "done" if finished else "reviewing"


def _detail(first: Proposed | AgentFailed | None, ballots: Sequence[BallotCast]) -> str:
    if isinstance(first, AgentFailed):
        return f"{first.reason}: {first.detail}" if first.detail else str(first.reason)
    lacking = [_lacking(ballot) for ballot in ballots if ballot.owed]
    if isinstance(first, Proposed) and first.cut_off and not lacking:
        return "cut off at max_tokens"
    return "; ".join(lacking)


def _lacking(ballot: BallotCast) -> str:
    if ballot.missing is not None:
        return f"no ballot in pass {ballot.pass_ + 1}: {ballot.missing}"
    return f"no score of {len(ballot.gaps)} proposals in pass {ballot.pass_ + 1}: {', '.join(ballot.owed)}"


def _attempts(record: Record, round_: int) -> list[Proposed | AgentFailed]:
    agents = record.deliberation.agents
    attempts = (record.attempt(round_, agent.agent_id) for agent in agents)
    return [attempt for attempt in attempts if attempt is not None]
