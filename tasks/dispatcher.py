"""The Dispatcher port in Celery: plans become `plan.dispatch` tasks, deliberations become chords."""

from __future__ import annotations

from collections.abc import Sequence

from celery import Celery, Signature, chord

from domain.deliberation import Deliberation
from domain.identity import conclude_task_id, dispatch_task_id, generate_task_id
from domain.plan import PlanRequest
from domain.ports.plan_store import PlanStore
from tasks.queue_names import CONTROL, model_queue_name


class CeleryDispatcher:
    """Queues work on a Celery application's broker; raises kombu's OperationalError when it can't be reached."""

    def __init__(self, app: Celery, plans: PlanStore) -> None:
        self._app = app
        self._plans = plans

    def plans(self, requests: Sequence[PlanRequest]) -> tuple[PlanRequest, ...]:
        kept = self._plans.save(requests)
        with self._app.producer_pool.acquire(block=True) as producer:
            for request, stored in zip(requests, kept, strict=True):
                if request.asks_as(stored):
                    self._dispatch(request).apply_async(producer=producer)
        return kept

    def deliberation(self, deliberation: Deliberation, unanswered: Sequence[str]) -> None:
        conclude = self._conclude(deliberation)
        if not unanswered:
            conclude.apply_async()
            return
        # The chord's own id stays random: queued again for fewer agents, it counts apart from the first.
        chord(self._generate(deliberation, agent_id) for agent_id in unanswered)(conclude)

    def _dispatch(self, request: PlanRequest) -> Signature:
        return self._app.signature(
            "plan.dispatch",
            args=(request.request_id,),
            task_id=dispatch_task_id(request.request_id),
            argsrepr=f"(plan={request.plan.plan_id[:80]}, {request.request_id})",
            queue=CONTROL,
            headers={"traceparent": request.traceparent},
        )

    def _generate(self, deliberation: Deliberation, agent_id: str) -> Signature:
        model = deliberation.agent(agent_id).model or ""
        return self._app.signature(
            "proposal.generate",
            args=(deliberation.deliberation_id, agent_id),
            task_id=generate_task_id(deliberation.deliberation_id, 0, agent_id),
            argsrepr=f"({agent_id}, {deliberation.role}, {model}, {_ids(deliberation)})",
            kwargsrepr="{}",
            queue=model_queue_name(model),
            headers={"traceparent": deliberation.traceparent},
        )

    def _conclude(self, deliberation: Deliberation) -> Signature:
        return self._app.signature(
            "deliberation.conclude",
            kwargs={"deliberation_id": deliberation.deliberation_id},
            task_id=conclude_task_id(deliberation.deliberation_id),
            argsrepr=f"({deliberation.role}, {_ids(deliberation)})",
            kwargsrepr="{}",
            queue=CONTROL,
            headers={"traceparent": deliberation.traceparent},
        )


def _ids(deliberation: Deliberation) -> str:
    """Return what stands last in a task's arguments: Flower's table shows their beginning."""
    return f"plan={deliberation.plan.plan_id[:80]}, {deliberation.deliberation_id}"
