"""The Dispatcher port in Celery: plans become `plan.dispatch` tasks, deliberations become chords."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from celery import Celery, Signature, group
from celery.utils import uuid
from kombu import Producer
from kombu.exceptions import BatchPublishError  # type: ignore[attr-defined]  # not in the stubs

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
        accepted = [request for request, stored in zip(requests, kept, strict=True) if request.asks_as(stored)]

        def publish(producer: Producer) -> None:
            for request in accepted:
                self._dispatch(request).apply_async(producer=producer)

        if accepted:
            self._publish_together(publish)
        return kept

    def deliberation(self, deliberation: Deliberation, unanswered: Sequence[str]) -> None:
        conclude = self._conclude(deliberation)
        if not unanswered:
            conclude.apply_async()
            return
        header = group([self._generate(deliberation, agent_id) for agent_id in unanswered], app=self._app)
        chord_id = uuid()  # Random: queued again for fewer agents, it counts apart from the first.
        # As `chord(header)(conclude)` does, which takes no producer.
        frozen: Any = header.freeze(chord_id)
        self._app.backend.apply_chord((chord_id, frozen.results), conclude)

        def publish(producer: Producer) -> None:
            header.apply_async(task_id=chord_id, chord=conclude, producer=producer)

        self._publish_together(publish)

    def _publish_together(self, publish: Callable[[Producer], None]) -> None:
        """Publish several messages in one round trip; where that fails, one by one and with Celery's patience.

        A message may then be in its queue twice, as after any answer that got lost.
        """
        with self._app.producer_pool.acquire(block=True) as producer:
            try:
                with producer.batch():  # type: ignore[attr-defined]  # not in the stubs
                    publish(producer)
            except (BatchPublishError, RuntimeError):  # kombu's where a queue's declaration took a new connection
                publish(producer)

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
