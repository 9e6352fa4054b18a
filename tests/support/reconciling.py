"""A stage whose store is compared with what its streams hold."""

from __future__ import annotations

from domain.steps.reconcile import Reconciled, reconcile
from tests.support.stage import Stage


def reconciled(stage: Stage) -> Reconciled:
    services = stage.services
    done = reconcile(
        0.0,
        history=stage.history,
        plans=services.plans,
        deliberations=services.deliberations,
        verdicts=services.verdicts,
        dispatcher=services.dispatcher,
        meter=services.meter,
        policy=services.policy,
    )
    services.plans.save(stage.queue.requests)  # as the real dispatcher does
    return done
