"""One council over two engines: five authors on one model, a neutral judge on the other, steps of the real domain.

Nothing but the queue and the store is left out: prompts, ballots, ranking and engine calls are the product's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace

from domain.checks.runner import InProcess
from domain.council import Agent
from domain.deliberation import Deliberation, Judge, ReviewRules, quorum_of
from domain.engine import EngineKind, EngineRecord, Guidance
from domain.entry import AgentFailed, Opened, Proposed
from domain.plan import Plan
from domain.policy import Policy
from domain.ports.chat_model import ChatModel
from domain.proving.checked_task import CORRECTNESS, CheckedTask
from domain.record import Record
from domain.services import Services
from domain.steps.conclude import conclude_deliberation
from domain.steps.generate import generate_proposal
from tests.support.in_memory.engine_directory import MemoryEngineDirectory
from tests.support.stage import Stage
from workers.adapters.clock import SystemClock
from workers.adapters.openai.chat_model import OpenAIChatModel
from workers.adapters.openai.ready_check import OpenAIReadyCheck
from workers.portal import Portal

ROLE = "DEV"
AUTHORS = 5
TEMPERATURE = 0.8
MAX_TOKENS = 400
CALL_S = 1800.0
DAY_S = 86_400.0
PLAN_TIMESTAMP = "2026-01-31T12:00:00+00:00"


DEFAULT_REVIEW = ReviewRules()


@dataclass(frozen=True)
class Endpoint:
    """A model at an OpenAI-compatible URL; `kind` says how it is made to keep to a ballot's form."""

    url: str
    model: str
    kind: EngineKind

    @property
    def record(self) -> EngineRecord:
        guidance = {
            EngineKind.VLLM: Guidance.REGEX,
            EngineKind.LLAMA_CPP: Guidance.GRAMMAR,
            EngineKind.EXTERNAL: Guidance.JSON_SCHEMA,
        }[self.kind]
        return EngineRecord(name=self.model, model=self.model, url=self.url, kind=self.kind, guidance=guidance)


class BenchCouncil:
    """Asks the authors for proposals and has proposals reviewed and decided, task by task; a context manager."""

    def __init__(
        self, authors: Endpoint, judge: Endpoint, *, seed: int = 0, review: ReviewRules = DEFAULT_REVIEW
    ) -> None:
        self._authors, self._judge, self._seed, self._review = authors, judge, seed, review
        self._portal = Portal()
        self._key = os.environ.get("OPENAI_API_KEY", "")
        self._engines = MemoryEngineDirectory(clock=SystemClock())

    def __enter__(self) -> BenchCouncil:
        check = OpenAIReadyCheck(api_key=self._key, switch_chosen=False)
        for endpoint in {self._authors, self._judge}:
            self._engines.publish(check(endpoint.record, CALL_S), ttl_s=365 * DAY_S)
        return self

    def __exit__(self, *error: object) -> None:
        self._portal.close()

    @property
    def model(self) -> ChatModel:
        """Both engines."""
        return OpenAIChatModel(self._engines, self._portal, api_key=lambda record: self._key)

    def propose(self, task: CheckedTask, number: int) -> Proposed | AgentFailed:
        """Ask author `number` (1 is the first) for its proposal; the same seed asks for the same tokens."""
        services, deliberation = self._services(), self._deliberation(task)
        services.deliberations.record(deliberation.deliberation_id, Opened(deliberation=deliberation))
        entry = generate_proposal(
            deliberation.deliberation_id,
            deliberation.agents[number - 1].agent_id,
            deliberations=services.deliberations,
            model=services.model,
            publisher=services.publisher,
            clock=services.clock,
            policy=services.policy,
        )
        assert entry is not None
        return entry

    def decide(self, task: CheckedTask, proposals: Iterable[Proposed | AgentFailed]) -> Record:
        """Have the proposals reviewed and ranked; returns the closed record."""
        services, deliberation = self._services(), self._deliberation(task)
        identity = deliberation.deliberation_id
        services.deliberations.record(identity, Opened(deliberation=deliberation))
        for proposal in proposals:
            services.deliberations.record(identity, proposal)
        conclude_deliberation(identity, services)
        return services.deliberations.load(identity)

    def _services(self) -> Services:
        services = Stage(policy=Policy(model=self._authors.model, deadline_s=DAY_S)).services
        return replace(
            services, clock=SystemClock(), engines=self._engines, model=self.model, checks=InProcess(())
        )

    def _deliberation(self, task: CheckedTask) -> Deliberation:
        now = SystemClock().now()
        agents = tuple(
            Agent(
                agent_id=f"dev-{number}",
                model=self._authors.model,
                temperature=TEMPERATURE,
                seed=1000 * self._seed + number,
                thinking="off",
            )
            for number in range(1, AUTHORS + 1)
        )
        judge = Judge(agent_id="QA/judge-1", model=self._judge.model, council="QA", member_id="judge-1")
        plan = Plan(
            story_id=task.task_id,
            plan_id=task.task_id,
            approved_by="bench-council",
            timestamp=PLAN_TIMESTAMP,
            roles=(ROLE,),
            title=task.title,
            description=task.question,
            acceptance_criteria=task.acceptance_criteria,
        )
        return Deliberation(
            deliberation_id=f"{task.task_id}/{self._seed}",
            request_id=task.task_id,
            plan=plan,
            role=ROLE,
            revision="1",
            agents=agents,
            judges=(judge,),
            rubric=CORRECTNESS,
            review=self._review,
            quorum=quorum_of(AUTHORS),
            max_tokens=MAX_TOKENS,
            token_budget=200_000,
            call_timeout_s=CALL_S,
            opened_at=now,
            deadline_at=now + DAY_S,
        )
