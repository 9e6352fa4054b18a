"""Messages that became dead letters, as rows among deliberations: what was asked and came to nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from domain.dead_letter import DeadLetter
from domain.plan import MOST_ROLES
from domain.value import Value
from domain.views.listing import ListedDeliberation, ListFilter

MOST_BYTES = 1 << 18
"""Of a message whose texts are looked for: a list reads fifty, and a megabyte takes thirty milliseconds."""
ENVELOPED = ("data", "payload")
"""Where envelopes keep what they are about."""
MOST_TEXT = 300
"""Characters of a text that is taken from a message."""


class RefusedMessage(Value):
    """A dead letter with what can be read of the plan in it; what can't be read is empty."""

    number: int
    """Names it to `conclave dead-letter`."""
    at: float
    """When it became a dead letter, in epoch seconds."""
    subject: str
    reason: str
    title: str
    plan_id: str
    roles: tuple[str, ...]

    @property
    def named(self) -> str:
        """What a list calls it."""
        return self.title or self.plan_id or f"a message on {self.subject or 'a subject that is unknown'}"

    def matches(self, wanted: ListFilter) -> bool:
        """Whether it is one of those looked for; no state of a deliberation is its own."""
        texts = (self.title, self.plan_id, self.reason)
        roles = {role.casefold() for role in self.roles}
        return (
            wanted.state is None
            and (not wanted.role or wanted.role.casefold() in roles)
            and wanted.plan in ("", self.plan_id)
            and (wanted.since is None or wanted.since <= self.at)
            and (wanted.until is None or self.at < wanted.until)
            and any(wanted.text.casefold() in text.casefold() for text in texts)
        )


def among(
    rows: Iterable[ListedDeliberation], refused: Iterable[RefusedMessage]
) -> tuple[ListedDeliberation | RefusedMessage, ...]:
    """Return both kinds of row in one list, newest first."""
    return tuple(sorted([*rows, *refused], key=_since, reverse=True))


def _since(row: ListedDeliberation | RefusedMessage) -> float:
    return row.at if isinstance(row, RefusedMessage) else row.opened_at


def refused_message(letter: DeadLetter) -> RefusedMessage:
    """Return the row of a dead letter."""
    plan = _plan_in(letter.data or b"")
    roles = plan.get("roles", plan.get("role"))
    # As many as a plan may name: a message is refused for more, and has room for a quarter of a million.
    named = roles[:MOST_ROLES] if isinstance(roles, list) else [roles]
    return RefusedMessage(
        number=letter.sequence,
        at=_epoch(letter.at),
        subject=letter.subject,
        reason=letter.reason,
        title=_text(plan.get("title")),
        plan_id=_text(plan.get("plan_id")),
        roles=tuple(filter(None, map(_text, named))),
    )


def _plan_in(data: bytes) -> Mapping[str, Any]:
    """Return the object that an approval or a question is; the payload of an envelope, if it has one."""
    try:
        found = json.loads(data) if len(data) <= MOST_BYTES else {}
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return next((found[key] for key in ENVELOPED if isinstance(found.get(key), dict)), found)


def _text(value: object) -> str:
    return value[:MOST_TEXT] if isinstance(value, str) else ""


def _epoch(at: str) -> float:
    try:
        return datetime.fromisoformat(at).timestamp()
    except ValueError:
        return 0.0
