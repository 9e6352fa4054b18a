"""What beat sends, and how often."""

from __future__ import annotations

from typing import Any

from domain.policy import Policy
from domain.redeliberation import RedeliberationPolicy

SWEEP_EVERY_S = 5.0
"""The outbox, which a sweep empties, holds what could not be published at once: seconds are soon enough."""
LEAST_EXPIRY_S = 60.0
"""Workers compare the expiry with their own clock, which may be half a minute off."""


def beat_schedule(policy: Policy, rules: RedeliberationPolicy) -> dict[str, dict[str, Any]]:
    """Return beat's fixed entries. Messages expire soon after the next are due, lest sweeps pile up."""
    return {
        **({"redeliberate": _every("deliberation.redeliberate", rules.every_s)} if rules.active else {}),
        "sweep": _every("deliberation.sweep", min(SWEEP_EVERY_S, policy.sweep_after_s / 3)),
    }


def _every(task: str, seconds: float) -> dict[str, Any]:
    return {"task": task, "schedule": seconds, "options": {"expires": max(seconds, LEAST_EXPIRY_S)}}
