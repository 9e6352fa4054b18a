"""One demo in process: the product's steps and councils, a real engine, no queue and no servers."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import yaml
from pydantic import BaseModel

from domain.contract_rows import DecisionBody
from domain.council import Council
from domain.deliberation import ReviewRules
from domain.policy import Policy
from domain.ports.chat_model import ChatModel
from domain.services import Services
from domain.steps.conclude import conclude_deliberation
from domain.steps.generate import generate_proposal
from tests.bench.demo.readable import differ, fault
from tests.support.stage import Stage, decision_of
from workers.checks.registry import LINEAR, create
from workers.cli.approve import approval, validated
from workers.cli.demo_council import councils
from workers.engines.llama_server import DEFAULT_MODEL

CHECKS = tuple(create(point) for point in LINEAR)
MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class Candidate:
    """A plan and how its proposals are reviewed."""

    plan: Path
    review: ReviewRules
    role: str = "DEV"

    @property
    def name(self) -> str:
        look = ", second look" if self.review.second_look else ""
        return f"{self.plan.stem}, {self.review.ballots}{look}"


class Line(BaseModel):
    """How one candidate came out with one seed."""

    candidate: str
    seed: int
    texts: dict[str, str]
    """Agent id → proposal, best first."""
    faults: dict[str, str]
    """Agent id → why its proposal can't be shown; without those that can."""
    differ: bool
    tied: bool
    scores: tuple[float, ...]
    tokens: int

    @property
    def readable(self) -> bool:
        """Whether three proposals can be shown, no two of which are alike."""
        return len(self.texts) == 3 and not self.faults and self.differ

    @property
    def untied(self) -> bool:
        """Whether one winner stands alone."""
        return not self.tied

    @property
    def convinces(self) -> bool:
        """Whether this is what a demo should show: three different readable proposals, and one winner."""
        return self.readable and self.untied


def tried(candidate: Candidate, seed: int, model: ChatModel) -> Line:
    """Have one plan deliberated; the seed chooses the sampling, the orders and the judges."""
    members = councils(seed)
    stage = _stage(candidate, members, model)
    plan = yaml.safe_load(candidate.plan.read_text(encoding="utf-8")) | {
        "timestamp": f"2026-01-31T12:00:{seed:02}Z"
    }
    source = candidate.plan.name
    payload = approval(json.dumps(plan), source=source, roles=[candidate.role], approved_by="bench-demo")
    identity = stage.open(validated(payload, source=source, max_bytes=MAX_BYTES))
    _propose(identity, stage.services)
    conclude_deliberation(identity, stage.services)
    decision = decision_of(stage.record(identity))
    texts = {row.proposal.author.agent_id: row.proposal.content for row in decision.decisions}
    faults = {row.proposal.author.agent_id: _fault(row) for row in decision.decisions}
    return Line(
        candidate=candidate.name,
        seed=seed,
        texts=texts,
        faults={agent: fault for agent, fault in faults.items() if fault},
        differ=differ(texts.values()),
        tied=decision.tied,
        scores=tuple(row.score for row in decision.decisions),
        tokens=decision.usage.completion_tokens,
    )


def _propose(identity: str, services: Services) -> None:
    for agent in services.deliberations.load(identity).deliberation.agents:
        generate_proposal(
            identity,
            agent.agent_id,
            deliberations=services.deliberations,
            model=services.model,
            publisher=services.publisher,
            clock=services.clock,
            policy=services.policy,
        )


def _fault(row: DecisionBody) -> str:
    failed = (f"{name}: {check.reason}" for name, check in row.checks.rows.items() if not check.passed)
    return fault(row.proposal.content) or "; ".join(failed)


def _stage(candidate: Candidate, members: tuple[Council, ...], model: ChatModel) -> Stage:
    stage = Stage(*members, policy=Policy(model=DEFAULT_MODEL, review=candidate.review), checks=CHECKS)
    stage.services = replace(stage.services, model=model)
    return stage
