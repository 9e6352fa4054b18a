"""The running processes: settings, adapters, the Celery app, the local stack and the command line."""

from __future__ import annotations

from workers.own_packages import refuse_foreign

# Here, because every way into a process of ours imports this package first, also `celery -A workers.app`.
refuse_foreign()
