"""What is deliberated again by the clock."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from domain.identity import digest
from domain.value import Name, Value

ScheduleName = Annotated[str, StringConstraints(pattern=r"\A[\w.-]{1,100}\z")]
"""Letters, digits, dot, dash, underscore: it is typed in shells and stands in keys."""


class ScheduledRedeliberation(Value):
    """Deliberate on this plan for this role again, whenever the cron expression says so."""

    name: ScheduleName
    plan_id: str
    """A plan's id, or the request id of a question."""
    role: Name
    cron: str
    """Minute, hour, day of month, month, day of week; in UTC."""


def default_name(plan_id: str, role: str) -> str:
    """Make a name of plan and role; what a name can't hold is left out, and a digest keeps it unique."""
    plain = f"{plan_id}.{role}"
    kept = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in plain)
    return kept if kept == plain and len(plain) <= 100 else f"{kept[:80]}-{digest(plan_id, role)[:8]}"
