"""Celery and kombu on Valkey so that a worker outlives its broker and a task outlives its worker.

Two names are for the application: `celery_conf` builds the settings, `install` adds what settings can't.
No module here reads the environment or knows what the tasks are about.
"""

from __future__ import annotations

from workers.broker.attempts import LOSSES, attempts
from workers.broker.celery_conf import celery_conf, install

__all__ = ["LOSSES", "attempts", "celery_conf", "install"]
