"""What a client waits for, and what of it has been told so far; knows events, not where they come from."""

from __future__ import annotations

import asyncio
from typing import Protocol

from bridge.client.errors import (
    DeadLettered,
    DeliberationCancelled,
    DeliberationFailed,
    NoCouncil,
    NothingAsked,
)
from domain.approval import Approval
from domain.contract import (
    CancelledBody,
    ClosingBody,
    CompletedBody,
    DeliberationHead,
    DispatchedBody,
    EventBody,
    FailedBody,
    JudgedBody,
    MessageRejectedBody,
)
from domain.council import NO_COUNCIL


class Follower(Protocol):
    """Gathers what concerns it from events in any order, each any number of times."""

    settled: asyncio.Event
    """Set when nothing more is waited for."""

    def take(self, body: EventBody) -> bool:
        """Note an event; whether it is about what is waited for."""
        ...


class Outcome(Follower, Protocol):
    """What becomes of an approval or of a deliberation."""

    def ends(self) -> dict[str, ClosingBody]:
        """Return role → the end of each deliberation that has one. Raises NotDecided if there will be none."""
        ...


class PlanOutcome:
    """The outcome of an approval: every role's end, once the answer to it names the deliberations."""

    def __init__(self, approval: Approval) -> None:
        self.settled = asyncio.Event()
        self._approval = approval
        self._dispatched: DispatchedBody | None = None
        self._rejected: MessageRejectedBody | None = None
        self._ends: dict[str, ClosingBody] = {}

    def take(self, body: EventBody) -> bool:
        if not self._is_ours(body):
            return False
        if isinstance(body, MessageRejectedBody):
            self._rejected = body
        elif isinstance(body, DispatchedBody):
            self._dispatched = body
        elif isinstance(body, CompletedBody | FailedBody | CancelledBody):
            self._ends.setdefault(body.deliberation_id, body)
        asked = self._asked()
        if self._rejected is not None or (asked is not None and asked <= self._ends.keys()):
            self.settled.set()
        return True

    def ends(self) -> dict[str, ClosingBody]:
        if self._rejected is not None:
            raise DeadLettered(self._rejected)
        if self._dispatched is not None and not self._dispatched.roles:
            plan_id, said = self._approval.plan_id, self._dispatched.message
            raise NothingAsked(f"plan {plan_id}: {said}; name a role in `roles`")
        asked = self._asked()
        return {end.role: end for identity, end in self._ends.items() if asked is None or identity in asked}

    def _asked(self) -> set[str] | None:
        """Return the ids of the plan's deliberations; None while they are not known."""
        if self._dispatched is None:
            return None
        return {row.deliberation_id for row in (*self._dispatched.started, *self._dispatched.failed)}

    def _is_ours(self, body: EventBody) -> bool:
        ours = self._approval
        if isinstance(body, MessageRejectedBody):
            return (body.stream, body.sequence) == (ours.stream, ours.sequence)
        if isinstance(body, DispatchedBody) and body.content not in ("", ours.content):
            return False
        if isinstance(body, DispatchedBody | DeliberationHead):
            return (body.plan_id, body.revision) == (ours.plan_id, ours.revision)
        return False


class DeliberationOutcome:
    """The outcome of one deliberation."""

    def __init__(self, deliberation_id: str) -> None:
        self.settled = asyncio.Event()
        self._deliberation_id = deliberation_id
        self._end: ClosingBody | None = None

    def take(self, body: EventBody) -> bool:
        if not isinstance(body, DeliberationHead) or body.deliberation_id != self._deliberation_id:
            return False
        if isinstance(body, CompletedBody | FailedBody | CancelledBody):
            self._end = self._end or body
            self.settled.set()
        return True

    def ends(self) -> dict[str, ClosingBody]:
        return {} if self._end is None else {self._end.role: self._end}


class VerdictOutcome:
    """The answer to a verdict: that it was recorded, or why it was not."""

    def __init__(self, deliberation_id: str, *, by: str, judged_at: str, stream: str, sequence: int) -> None:
        self.settled = asyncio.Event()
        self._said = (deliberation_id, by, judged_at)
        self._place = (stream, sequence)
        self._answer: JudgedBody | MessageRejectedBody | None = None

    def take(self, body: EventBody) -> bool:
        ours = isinstance(body, MessageRejectedBody) and (body.stream, body.sequence) == self._place
        said = isinstance(body, JudgedBody) and (body.deliberation_id, body.by, body.judged_at) == self._said
        if isinstance(body, JudgedBody | MessageRejectedBody) and (ours or said):
            self._answer = body
            self.settled.set()
            return True
        return False

    def recorded(self) -> JudgedBody | None:
        """Return what was recorded; None while nothing is known. Raises DeadLettered."""
        if isinstance(self._answer, MessageRejectedBody):
            raise DeadLettered(self._answer)
        return self._answer


def decision_of(end: ClosingBody) -> CompletedBody:
    """Return the end if it is a decision. Raises DeliberationFailed, NoCouncil, DeliberationCancelled."""
    if isinstance(end, FailedBody):
        raise NoCouncil(end) if end.reason.startswith(NO_COUNCIL) else DeliberationFailed(end)
    if isinstance(end, CancelledBody):
        raise DeliberationCancelled(end)
    return end
