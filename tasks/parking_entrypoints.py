"""The tasks about what is parked, by their names; those of deliberations are in `tasks/entrypoints.py`."""

from __future__ import annotations

import structlog
from celery import shared_task

from domain.errors import CannotRepeat
from domain.steps.release import release_parked
from tasks.step import Step

log = structlog.get_logger("conclave.task")


@shared_task(name="parked.release", base=Step, bind=True)
def parked_release(self: Step, *, parked_id: str) -> None:
    """Let go what a person wants let go; what can't be stays parked."""
    services = self.services
    try:
        release_parked(
            parked_id,
            parking=services.parking,
            plans=services.plans,
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
    except (CannotRepeat, LookupError) as error:  # logged once: trying again changes nothing
        log.warning("not released", parked_id=parked_id, reason=str(error.args[0]))


@shared_task(name="parked.drop", base=Step, bind=True)
def parked_drop(self: Step, *, parked_id: str) -> None:
    """Forget what a person wants forgotten."""
    self.services.parking.drop(parked_id)
