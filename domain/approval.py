"""A published approval: what a plan is waited for by."""

from __future__ import annotations

from domain.value import Value


class Approval(Value):
    """A published approval, by which it is waited for, in another process too: all its fields are plain JSON."""

    plan_id: str
    revision: str
    """Which approval of the plan: its timestamp."""
    stream: str
    sequence: int
    """Where JetStream has stored it."""
    content: str
    """Digest of what is asked; the answer to another approval under the same plan id and revision has another."""
    since: int
    """No event that answers it comes before this sequence of the stream of events."""
