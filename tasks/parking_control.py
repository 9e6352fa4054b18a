"""The ParkingControl port in Celery: orders are tasks on the control queue."""

from __future__ import annotations

from celery import Celery

from tasks.queue_names import CONTROL


class CeleryParkingControl:
    """Queues orders on an application's broker; raises kombu's OperationalError when it can't be reached."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def release(self, parked_id: str) -> None:
        self._app.send_task("parked.release", kwargs={"parked_id": parked_id}, queue=CONTROL)

    def drop(self, parked_id: str) -> None:
        self._app.send_task("parked.drop", kwargs={"parked_id": parked_id}, queue=CONTROL)
