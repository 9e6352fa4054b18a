"""Ids derived from what a thing is, so that the same thing done twice has one id."""

from __future__ import annotations

import hashlib


def digest(*parts: str) -> str:
    """Return 24 hexadecimal digits of the SHA-256 over the length-prefixed parts.

    The length prefix keeps ("a", "bc") and ("ab", "c") apart.
    """
    encoded = (part.encode("utf-8", "surrogatepass") for part in parts)
    joined = b"".join(b"%d:%s" % (len(raw), raw) for raw in encoded)
    return hashlib.sha256(joined).hexdigest()[:24]


def request_id(plan_id: str, revision: str) -> str:
    """Identify one approval of one plan."""
    return f"p-{digest(plan_id, revision)}"


def deliberation_id(plan_id: str, role: str, revision: str, repeat: int = 0) -> str:
    """Identify the deliberation of one role on one revision; `repeat` counts re-deliberations."""
    return f"d-{digest(plan_id, role, revision, str(repeat))}"


def event_id(event_type: str, subject_id: str, *what: str) -> str:
    """Identify an event by its type and what it is about; doubles as `Nats-Msg-Id`."""
    return f"e-{digest(event_type, subject_id, *what)}"


def generate_task_id(deliberation: str, round_: int, agent_id: str) -> str:
    """Name the header task of one agent in one round."""
    return f"{deliberation}.generate.{round_}.{digest(agent_id)[:8]}"


def conclude_task_id(deliberation: str) -> str:
    """Name the callback of a deliberation's chord."""
    return f"{deliberation}.conclude"


def dispatch_task_id(request: str) -> str:
    """Name the task that dispatches one approval."""
    return f"{request}.dispatch"
