"""The DeliberationControl port in Celery: orders are tasks on the control queue."""

from __future__ import annotations

from celery import Celery

from domain.redeliberation import RepeatChoice
from tasks.queue_names import CONTROL


class CeleryDeliberationControl:
    """Queues orders on an application's broker; raises kombu's OperationalError when it can't be reached."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def cancel(self, deliberation_id: str, reason: str) -> None:
        # A reason is somebody's text, which Flower has no business with.
        self._app.send_task(
            "deliberation.cancel",
            kwargs={"deliberation_id": deliberation_id, "reason": reason},
            queue=CONTROL,
            kwargsrepr=f"({deliberation_id})",
        )

    def redeliberate(self, deliberation_id: str, choice: RepeatChoice) -> None:
        self._app.send_task(
            "deliberation.repeat",
            kwargs={"deliberation_id": deliberation_id, **choice.model_dump()},
            queue=CONTROL,
        )
