"""The types of the events that Conclave publishes; each is also the subject that it is published on."""

from __future__ import annotations

from typing import Final

STARTED: Final = "orchestration.deliberation.started"
PROGRESS: Final = "orchestration.deliberation.progress"
COMPLETED: Final = "orchestration.deliberation.completed"
FAILED: Final = "orchestration.deliberation.failed"
CANCELLED: Final = "orchestration.deliberation.cancelled"
JUDGED: Final = "orchestration.decision.judged"
DISPATCHED: Final = "orchestration.plan.dispatched"
PHASE_CHANGED: Final = "orchestration.phase.changed"
MESSAGE_REJECTED: Final = "orchestration.message.rejected"
