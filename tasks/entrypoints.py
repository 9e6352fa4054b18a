"""The tasks by their names; messages outlive refactors, so the names and arguments stay."""

from __future__ import annotations

from contextlib import ExitStack
from typing import ClassVar

import structlog
from celery import shared_task

from domain.chat import FailureReason
from domain.contract import DispatchedBody
from domain.errors import CannotRepeat
from domain.places import Place
from domain.redeliberation import RepeatChoice
from domain.services import Services
from domain.steps.announce import flush_outbox
from domain.steps.cancel import cancel_deliberation
from domain.steps.conclude import conclude_deliberation, fail_deliberation
from domain.steps.dispatch import dispatch_plan, give_up_dispatch
from domain.steps.generate import generate_proposal, record_failure
from domain.steps.judge import settle_overdue
from domain.steps.places import ask_for_place, fill_all_places, fill_places, fill_places_after
from domain.steps.redeliberate import apply_rules, redeliberate
from domain.steps.scheduled import run_scheduled
from domain.steps.sweep import sweep
from tasks.step import Poisonous, Step
from tasks.turns import Turns

log = structlog.get_logger("conclave.task")


class Generate(Step):
    """An agent's task that is given up leaves a recorded failure, so that the chord goes on by the quorum."""

    abstract = True

    def subject(self) -> str:
        return str((self.request.args or ("",))[0])

    def gave_up(self, error: Exception) -> str:
        deliberation_id, agent_id = self.request.args or ("", "")
        reason = FailureReason.POISON if isinstance(error, Poisonous) else FailureReason.INTERNAL
        services = self.services
        record_failure(
            deliberation_id,
            agent_id,
            reason,
            str(error) or repr(error),
            deliberations=services.deliberations,
            clock=services.clock,
        )
        return str(agent_id)


class Conclude(Step):
    """A conclusion that is given up ends the deliberation with its event."""

    abstract = True

    def subject(self) -> str:
        return str((self.request.kwargs or {}).get("deliberation_id", ""))

    def progress_at(self) -> float:
        """Return when the last ballot, revision or other answer was recorded."""
        return self.services.deliberations.load(self.subject()).progress_at

    def gave_up(self, error: Exception) -> None:
        fail_deliberation(self.subject(), f"the conclusion was given up: {error}", self.services)


class Dispatch(Step):
    """A dispatch that is given up fails the roles of its plan that were not opened, with events that say why."""

    abstract = True
    turns: ClassVar = Turns(4, patience_s=1.0)
    """Of fifty plans dispatched side by side all are ready when the last is; in turn, the models of the first work
    while the others are dispatched, and what follows does not come at one moment either."""

    def gave_up(self, error: Exception) -> None:
        (request_id,) = self.request.args or ("",)
        services = self.services
        give_up_dispatch(
            str(request_id),
            f"the plan could not be dispatched: {error}",
            plans=services.plans,
            deliberations=services.deliberations,
            outbox=services.outbox,
            publisher=services.publisher,
            dispatcher=services.dispatcher,
            meter=services.meter,
            clock=services.clock,
            policy=services.policy,
        )


class Housekeeping(Step):
    """A task that beat sends every few seconds: no event for Flower, no log line where there was nothing to do.

    Its value is how many things it did.
    """

    abstract = True
    send_events = False

    def log_done(self, value: int | None, duration_ms: float) -> None:
        if value or not self.request.expires:  # beat's fixed entries alone expire
            super().log_done(value, duration_ms)


@shared_task(name="plan.dispatch", base=Dispatch, bind=True)
def plan_dispatch(self: Dispatch, request_id: str) -> None:
    """Open a deliberation for every role of an accepted plan, in a store that knows which have ended."""
    self.close_gap()
    services = self.services
    request, place = ask_for_place(request_id, plans=services.plans, places=services.places)
    if place is not Place.TAKEN:
        if place is Place.QUEUED:
            log.info("plan waits", plan_id=request.plan.plan_id, publisher=request.plan.approved_by)
        return
    with self.turns.taken():
        dispatched = dispatch_plan(
            request,
            plans=services.plans,
            councils=services.councils,
            engines=services.engines,
            deliberations=services.deliberations,
            outbox=services.outbox,
            publisher=services.publisher,
            dispatcher=services.dispatcher,
            meter=services.meter,
            clock=services.clock,
            policy=services.policy,
        )
    if isinstance(dispatched.body, DispatchedBody) and dispatched.body.message:
        log.warning("plan dispatched", plan_id=dispatched.body.plan_id, remark=dispatched.body.message)
    if services.places.bounded:  # it may have ended at once
        fill_places(
            request.plan.approved_by,
            plans=services.plans,
            places=services.places,
            dispatcher=services.dispatcher,
        )


@shared_task(name="proposal.generate", base=Generate, bind=True)
def proposal_generate(self: Generate, deliberation_id: str, agent_id: str) -> str:
    """Have one agent propose. Returns the agent's id whatever came of it: the store knows the rest."""
    services = self.services
    generate_proposal(
        deliberation_id,
        agent_id,
        deliberations=services.deliberations,
        model=services.model,
        publisher=services.publisher,
        clock=services.clock,
        policy=services.policy,
        waited=self.waited,
    )
    return agent_id


@shared_task(name="deliberation.conclude", base=Conclude, bind=True)
def deliberation_conclude(self: Conclude, _agents: list[str] | None = None, *, deliberation_id: str) -> None:
    """Review, rank, decide. The chord's argument list isn't read: the store knows who answered."""
    services = self.services
    conclude_deliberation(deliberation_id, services, self.waited)
    fill_places_after(
        deliberation_id,
        deliberations=services.deliberations,
        plans=services.plans,
        places=services.places,
        dispatcher=services.dispatcher,
    )


@shared_task(name="deliberation.redeliberate", base=Step, bind=True)
def deliberation_redeliberate(self: Step, plan_id: str | None = None, role: str | None = None) -> None:
    """Deliberate again what a schedule names, or without a name what the rules want."""
    services = self.services
    if plan_id is None or role is None:
        apply_rules(
            deliberations=services.deliberations,
            councils=services.councils,
            engines=services.engines,
            outbox=services.outbox,
            publisher=services.publisher,
            dispatcher=services.dispatcher,
            clock=services.clock,
            policy=services.policy,
            redeliberation=services.redeliberation,
        )
        return
    try:
        run_scheduled(
            plan_id,
            role,
            due_at=self.sent_at,
            deliberations=services.deliberations,
            councils=services.councils,
            engines=services.engines,
            outbox=services.outbox,
            publisher=services.publisher,
            dispatcher=services.dispatcher,
            clock=services.clock,
            policy=services.policy,
            redeliberation=services.redeliberation,
        )
    except CannotRepeat as error:  # logged once: trying again changes nothing
        log.warning("schedule not followed", plan_id=plan_id, role=role, reason=str(error))


@shared_task(name="deliberation.repeat", base=Step, bind=True)
def deliberation_repeat(self: Step, *, deliberation_id: str, council: str = "", model: str = "") -> None:
    """Deliberate again as a person wants it, with today's council, another's, or on another model."""
    services = self.services
    try:
        redeliberate(
            deliberation_id,
            deliberations=services.deliberations,
            councils=services.councils,
            engines=services.engines,
            outbox=services.outbox,
            publisher=services.publisher,
            dispatcher=services.dispatcher,
            clock=services.clock,
            policy=services.policy,
            redeliberation=services.redeliberation,
            choice=RepeatChoice(council=council, model=model),
        )
    except (CannotRepeat, LookupError) as error:  # logged once: trying again changes nothing
        log.warning("not deliberated again", deliberation_id=deliberation_id, reason=str(error))


@shared_task(name="deliberation.cancel", base=Step, bind=True)
def deliberation_cancel(self: Step, *, deliberation_id: str, reason: str) -> None:
    """End a deliberation as a person wants it; one that has ended stays as it is."""
    services = self.services
    try:
        cancel_deliberation(
            deliberation_id,
            reason,
            deliberations=services.deliberations,
            outbox=services.outbox,
            publisher=services.publisher,
            meter=services.meter,
            clock=services.clock,
            prices=services.prices,
        )
    except LookupError as error:
        log.warning("not cancelled", deliberation_id=deliberation_id, reason=str(error))
        return
    fill_places_after(
        deliberation_id,
        deliberations=services.deliberations,
        plans=services.plans,
        places=services.places,
        dispatcher=services.dispatcher,
    )


@shared_task(name="deliberation.sweep", base=Housekeeping, bind=True)
def deliberation_sweep(self: Housekeeping) -> int:
    """Look after what a store lost, deliberations without progress, unpublished events and late verdicts."""
    self.close_gap()
    services = self.services
    done: list[int] = []
    with ExitStack() as rest:  # each is done whatever becomes of the others, the last one first
        rest.callback(lambda: done.append(_flush(services)))
        rest.callback(lambda: done.append(_settle(services)))
        rest.callback(
            fill_all_places, plans=services.plans, places=services.places, dispatcher=services.dispatcher
        )
        repaired = sweep(
            plans=services.plans,
            deliberations=services.deliberations,
            engines=services.engines,
            dispatcher=services.dispatcher,
            clock=services.clock,
            policy=services.policy,
        )
        done.append(repaired)
    return sum(done)


@shared_task(name="outbox.flush", base=Housekeeping, bind=True)
def outbox_flush(self: Housekeeping) -> int:
    """Publish what could not be published when it happened; sent by the beat of version 0.1 alone."""
    return _flush(self.services)


def _settle(services: Services) -> int:
    return settle_overdue(
        deliberations=services.deliberations,
        verdicts=services.verdicts,
        outbox=services.outbox,
        publisher=services.publisher,
        clock=services.clock,
    )


def _flush(services: Services) -> int:
    return flush_outbox(outbox=services.outbox, publisher=services.publisher, clock=services.clock)
