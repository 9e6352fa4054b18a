"""Conclave for Python programs: approve plans, wait for what councils decide, follow decisions.

Speaks NATS alone, and needs no more than the shipped login `client`; docs/client.md says what it needs of others.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nats.aio.client import Client
from nats.errors import Error
from pydantic import SecretStr

from bridge.client.approving import message_of, publish_approval, publish_patiently, verdict_message
from bridge.client.durable_decisions import durable_decisions
from bridge.client.errors import InvalidMessage, NotConnected, NotInTime
from bridge.client.logger import client_log
from bridge.client.news import AWAY, wait_while_away
from bridge.client.outcome import (
    DeliberationOutcome,
    Outcome,
    PlanOutcome,
    VerdictOutcome,
    decision_of,
)
from bridge.client.stored_events import StoredEvents
from bridge.client.tail import EventTail
from bridge.client.watching import watch
from bridge.nats_connection import NatsUnreachable, connect
from bridge.options import NatsOptions
from bridge.subjects import DELIBERATION_JUDGED
from domain.approval import Approval
from domain.contract import ClosingBody, CompletedBody, EventBody, JudgedBody
from domain.plan import Plan
from domain.verdict import Opinion

TIMEOUT_S = 900.0
"""A deliberation ends within its deadline, 600 s by default; the rest is for a queue in front of the bridge."""
PUBLISH_S = 30.0
"""Longer than a restart of NATS."""
EARLIER_S = 60.0
"""An approval's own timestamp may be as far ahead of the server's clock."""


class Conclave:
    """A connection to an installation, for one event loop, while the `async with` block lasts.

    It reconnects by itself; whatever happened meanwhile is read from the stream of events then. Every failure is a
    ClientError with one sentence. What the connection goes through is logged to `conclave.client` of `logging`.
    """

    def __init__(
        self,
        url: str = "nats://127.0.0.1:4222",
        *,
        user: str = "",
        password: str = "",
        credentials: Path | None = None,
        ca: Path | None = None,
        cert: Path | None = None,
        key: Path | None = None,
        inbox_prefix: str = "_INBOX",
        name: str = "conclave-client",
    ) -> None:
        """Connect nowhere yet. `url` may name several servers, separated by commas, and hold user and password."""
        self._options = NatsOptions.model_validate(
            {
                "url": url,
                "user": user,
                "password": SecretStr(password),
                "credentials": credentials,
                "ca": ca,
                "cert": cert,
                "key": key,
                "inbox_prefix": inbox_prefix,
                "name": name,
            }
        )
        self._client: Client | None = None

    @classmethod
    def over(cls, options: NatsOptions) -> Self:
        """Describe a client on a process's own settings; connects nowhere yet."""
        made = cls()
        made._options = options
        return made

    async def __aenter__(self) -> Self:
        """Connect. Raises NotConnected, and NotAllowed where the login may not read the events."""
        try:
            self._client = await connect(self._options, log=client_log())
        except NatsUnreachable as error:
            raise NotConnected(str(error)) from None
        try:
            self._events = await StoredEvents.find(self._client)
        except BaseException:
            await self._close()
            raise
        self._tail = EventTail(self._client, self._events)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def decide(self, plan: Plan | Mapping[str, Any], *, timeout_s: float = TIMEOUT_S) -> CompletedBody:
        """Approve a plan of one role and return what its council decides. Raises as `approve` and `wait` do."""
        roles = message_of(plan).request.plan.roles
        if len(roles) > 1:
            reason = f"the plan names {len(roles)} roles, which makes as many decisions; use decide_all"
            raise InvalidMessage(reason, (reason,))
        over = _now() + timeout_s
        approval = await self.approve(plan, timeout_s=min(timeout_s, PUBLISH_S))
        return await self.wait(approval, timeout_s=over - _now())

    async def decide_all(
        self, plan: Plan | Mapping[str, Any], *, timeout_s: float = TIMEOUT_S
    ) -> dict[str, ClosingBody]:
        """Approve a plan and return role → how its deliberation ended. Raises as `approve` and `wait_all` do."""
        over = _now() + timeout_s
        approval = await self.approve(plan, timeout_s=min(timeout_s, PUBLISH_S))
        return await self.wait_all(approval, timeout_s=over - _now())

    async def approve(
        self,
        plan: Plan | Mapping[str, Any],
        *,
        key: str = "",
        message_id: str = "",
        timeout_s: float = PUBLISH_S,
    ) -> Approval:
        """Publish the approval of a plan, wait until it is stored, and return what it is waited for by.

        A plan without a `timestamp` is a new approval at every call. One with it is the same approval as long as
        its content is: approved again, it starts nothing, and waiting for it finds what was decided. So is one
        under the same `key`, whatever its time. JetStream stores one message of a `message_id` within its window;
        OtherContent is raised where that one asks for something else, and this login may read it. Raises
        InvalidMessage before anything is published, and NotPublished, NotConnected.
        """
        message = message_of(plan, key)
        since = await self._since(None if message.dated is None else message.dated - EARLIER_S)
        stored, before = await publish_approval(
            self._connection, message, api=self._events.api, within_s=timeout_s, message_id=message_id
        )
        if before is not None:
            since = min(since, await self._since(before - EARLIER_S))
        return Approval(
            plan_id=message.request.plan.plan_id,
            revision=message.request.revision,
            content=message.request.content,
            stream=stored.stream,
            sequence=stored.seq,
            since=since,
        )

    async def wait(
        self, which: Approval | str, *, timeout_s: float = TIMEOUT_S, since: datetime | None = None
    ) -> CompletedBody:
        """Return the decision of an approval of one role, or of a deliberation by its id.

        Raises DeliberationFailed, NoCouncil, DeliberationCancelled, DeadLettered, NothingAsked, NotInTime. An id's
        end is looked for among all events that are kept, or those since a moment, which is quicker.
        """
        ends = await self._ends(which, timeout_s, since)
        if len(ends) > 1:
            raise InvalidMessage(reason := f"{', '.join(sorted(ends))} were asked; use wait_all", (reason,))
        (end,) = ends.values()
        return decision_of(end)

    async def wait_all(self, approval: Approval, *, timeout_s: float = TIMEOUT_S) -> dict[str, ClosingBody]:
        """Return role → how its deliberation ended: a decision, a failure, a cancellation.

        Raises DeadLettered, NothingAsked, and NotInTime, whose `ends` holds what came in time.
        """
        return await self._ends(approval, timeout_s, None)

    async def watch(
        self, which: Approval | str, *, since: datetime | None = None
    ) -> AsyncGenerator[EventBody, None]:
        """Yield every event about an approval or a deliberation in the order of the stream, up to the last end.

        Those of the past come first. Raises DeadLettered, NothingAsked, NotConnected.
        """
        outcome, start = await self._sought(which, since)
        async with aclosing(watch(self._connection, self._events, outcome, start)) as events:
            async for body in events:
                yield body

    def decisions(self, durable: str, *, ack_wait_s: float = 30.0) -> AsyncGenerator[CompletedBody, None]:
        """Yield every decision of the installation, also those made while nobody asked, for ever.

        `durable` names a consumer on the server, which knows how far this program is; programs with the same one
        share the decisions. It is made at its first use, from the oldest event on, where the login may do that;
        `conclave consumer create` makes it for others. A decision is acknowledged when the iteration goes on, and
        delivered again when it does not: at least once, told apart by `deliberation_id`. Raises NotAllowed.
        """
        return durable_decisions(self._connection, self._events, durable, ack_wait_s=ack_wait_s)

    async def verdict(
        self,
        deliberation_id: str,
        verdict: Opinion,
        *,
        by: str,
        proposal: str = "",
        reason: str = "",
        timeout_s: float = PUBLISH_S,
    ) -> JudgedBody:
        """Say what a person holds of a decision, and return what was recorded.

        `proposal` names what is preferred: a proposal's id, or its author's. Raises InvalidMessage, NotPublished,
        NotInTime, and DeadLettered, such as for a deliberation without a decision.
        """
        fields = {"deliberation_id": deliberation_id, "verdict": verdict, "by": by, "reason": reason}
        fields |= {"proposal": proposal} if proposal else {}
        judged_at = datetime.now(UTC).isoformat()
        data, what = verdict_message(fields | {"timestamp": judged_at}), f"the verdict on {deliberation_id}"
        over, since = _now() + timeout_s, await self._since(None)
        stored = await publish_patiently(
            self._connection, DELIBERATION_JUDGED, data, what=what, within_s=timeout_s
        )
        answer = VerdictOutcome(
            deliberation_id, by=by.strip(), judged_at=judged_at, stream=stored.stream, sequence=stored.seq
        )
        await self._tail.settle(answer, since, within_s=over - _now())
        recorded = answer.recorded()
        if recorded is None:
            raise NotInTime(f"{what} was published, and not answered within {timeout_s:g} s; ask the operator", {})
        return recorded

    async def _ends(
        self, which: Approval | str, timeout_s: float, since: datetime | None
    ) -> dict[str, ClosingBody]:
        over = _now() + timeout_s
        outcome, start = await self._sought(which, since)
        await self._tail.settle(outcome, start, within_s=over - _now())
        ends = outcome.ends()
        if not outcome.settled.is_set():
            raise NotInTime(_not_in_time(which, timeout_s, ends), ends)
        return ends

    async def _sought(self, which: Approval | str, since: datetime | None) -> tuple[Outcome, int]:
        if isinstance(which, Approval):
            return PlanOutcome(which), which.since
        return DeliberationOutcome(which), 1 if since is None else await self._since(since.timestamp())

    async def _since(self, moment: float | None) -> int:
        """Return the sequence of the first event since a moment, else the next one's; waits while NATS is away."""
        over = _now() + PUBLISH_S
        while True:
            try:
                return await (self._events.end() if moment is None else self._events.since(moment))
            except AWAY as error:
                if _now() > over:
                    raise NotConnected(f"NATS at {self._options.address} does not answer: {error}") from error
                await wait_while_away(self._connection)

    @property
    def connected(self) -> bool:
        """Whether the connection stands at the moment; it is made again by itself."""
        return self._client is not None and self._client.is_connected

    @property
    def closed(self) -> bool:
        """Whether the connection was lost for good, so that only a new client helps."""
        return self._client is not None and self._client.is_closed

    @property
    def _connection(self) -> Client:
        if self._client is None:
            raise NotConnected("the client is used outside its `async with` block; enter it first")
        return self._client

    async def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(Error, TimeoutError, OSError):
                await client.close()


def _not_in_time(which: Approval | str, timeout_s: float, ends: Mapping[str, ClosingBody]) -> str:
    what = which if isinstance(which, str) else f"plan {which.plan_id}"
    came = f" (ended: {', '.join(sorted(ends))})" if ends else ""
    return f"{what} did not come to its end within {timeout_s:g} s{came}; wait for it again, or ask the operator"


def _now() -> float:
    return time.monotonic()
