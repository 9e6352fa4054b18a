"""The tasks by their names, registered on an application; messages outlive refactors, so the names stay."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from domain.ports.chat_model import FailureReason
from domain.steps.announce import flush_outbox
from domain.steps.conclude import conclude_deliberation, fail_deliberation
from domain.steps.dispatch import dispatch_plan
from domain.steps.generate import generate_proposal, record_failure
from domain.steps.sweep import sweep
from tasks.step import Step


class Generate(Step):
    """An agent's task that is given up leaves a recorded failure, so the chord goes on by the quorum."""

    abstract = True

    def gave_up(self, error: Exception) -> None:
        deliberation_id, agent_id = self.request.args
        record_failure(deliberation_id, agent_id, FailureReason.INTERNAL, repr(error), self.services)


class Conclude(Step):
    """A conclusion that is given up ends the deliberation with its event."""

    abstract = True

    def gave_up(self, error: Exception) -> None:
        deliberation_id = self.request.kwargs["deliberation_id"]
        fail_deliberation(deliberation_id, f"the conclusion failed: {error!r}", self.services)

    def ids(self, *args: Any) -> dict[str, str]:
        return {"deliberation_id": str(self.request.kwargs.get("deliberation_id", ""))}


@shared_task(name="plan.dispatch", base=Step, bind=True)
def plan_dispatch(self: Step, request_id: str) -> None:
    """Open a deliberation for every role of an accepted plan."""
    dispatch_plan(request_id, self.services)


@shared_task(name="proposal.generate", base=Generate, bind=True)
def proposal_generate(self: Generate, deliberation_id: str, agent_id: str) -> str:
    """Have one agent propose. Returns the agent's id whatever came of it: the store knows the rest."""
    generate_proposal(deliberation_id, agent_id, self.services)
    return agent_id


@shared_task(name="deliberation.conclude", base=Conclude, bind=True)
def deliberation_conclude(self: Conclude, _agents: list[str] | None = None, *, deliberation_id: str) -> None:
    """Review, rank, decide. The chord's argument list isn't read: the store knows who answered."""
    conclude_deliberation(deliberation_id, self.services)


@shared_task(name="deliberation.sweep", base=Step, bind=True)
def deliberation_sweep(self: Step) -> int:
    """Look after deliberations that stand still; return how many were."""
    return sweep(self.services)


@shared_task(name="outbox.flush", base=Step, bind=True)
def outbox_flush(self: Step) -> int:
    """Publish what could not be published when it happened; return how many events went out."""
    return flush_outbox(self.services)
