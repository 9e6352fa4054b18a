"""Approving a plan, for forms and programs alike: who approves it is who called, whatever the plan says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from anyio import to_thread

from domain.approval import Approval
from domain.council import council_of
from domain.errors import KeyTaken
from domain.identity import deliberation_id, digest
from domain.inbound import InboundEvent, plan_approved
from domain.plan import PlanRequest
from domain.record import Record
from domain.validation.validate import InvalidInput, Mistake
from domain.validation.words import printable
from web.ports import WebPorts

MOST_KEY = 60
"""Characters of a key in a sentence."""
POLL_S = 0.5
"""Between two looks at the store, where no event says that something has changed."""


@dataclass(frozen=True)
class Approved:
    """A published approval with the deliberations that follow from it, open or to be opened."""

    approval: Approval
    deliberations: Mapping[str, str]
    """Role, as its council writes it → deliberation."""


async def approve(payload: Mapping[str, Any], ports: WebPorts, *, by: str, key: str = "") -> Approved:
    """Publish the approval of a plan; under the same key it is the same one.

    Without ids the plan gets some. Raises InvalidInput with every mistake, KeyTaken where another plan has
    the key, or the id and time, RequestRefused, RequestUndelivered, and what the store raises while it is away.
    """
    identity = f"plan-{digest(by, key) if key else uuid4().hex[:24]}"
    filled = {
        "plan_id": identity,
        "story_id": payload.get("plan_id", identity),
        "timestamp": datetime.now(UTC).isoformat(),
        **payload,
        "approved_by": by,
    }
    request = _valid(filled, key)
    # Else a caller would be answered by the decision on another plan, whose texts it may have no right to read.
    if not await to_thread.run_sync(_is_free, request, ports):
        raise KeyTaken(f"another plan was approved under {printable(request.revision, MOST_KEY)}")
    by_role = {council.role: council for council in await to_thread.run_sync(ports.councils.all)}
    approval = await ports.client.approve(filled, key=key)
    councils = {role: council_of(role, by_role) for role in request.plan.roles}
    roles = [council.role if council else role for role, council in councils.items()]
    ids = {role: deliberation_id(approval.plan_id, role, approval.revision) for role in roles}
    return Approved(approval, ids)


async def reached(
    approved: Approved, state: Callable[[Record], bool], ports: WebPorts, *, within_s: float
) -> bool:
    """Wait until all deliberations of an approval are in a state; return whether they are.

    It returns early where this process is to end. Raises RequestRefused where a bridge has refused the approval,
    RequestUndelivered while events can't be read.
    """
    told = asyncio.Event()
    following = asyncio.create_task(_follow(approved.approval, ports, told))
    clock = asyncio.get_running_loop().time
    over = clock() + within_s
    try:
        while not (are_so := await to_thread.run_sync(lambda: _all(approved, state, ports))):
            if following.done():
                await following
            if clock() >= over or ports.stopping.begun:
                break
            with suppress(TimeoutError):
                async with ports.stopping.wait_until(min(over, clock() + POLL_S)):
                    await told.wait()
            told.clear()
        return are_so
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _follow(approval: Approval, ports: WebPorts, told: asyncio.Event) -> None:
    async with aclosing(ports.client.watch(approval)) as bodies:
        async for _ in bodies:
            told.set()


def _all(approved: Approved, state: Callable[[Record], bool], ports: WebPorts) -> bool:
    try:
        return all(state(ports.deliberations.load(identity)) for identity in approved.deliberations.values())
    except LookupError:
        return False


def _is_free(request: PlanRequest, ports: WebPorts) -> bool:
    """Whether the key stands for nothing else, as far as bridges have read; JetStream tells the rest apart."""
    try:
        return request.asks_as(ports.plans.load(request.request_id))
    except LookupError:
        return True


def _valid(payload: dict[str, Any], key: str) -> PlanRequest:
    """Read the payload as a bridge will; a plan for no role at all is none of a person or a program that waits."""
    event = InboundEvent(payload=payload, key=key, received_at=time.time())
    (request,) = plan_approved(event).requests
    if not request.plan.roles:
        raise InvalidInput([Mistake(("roles",), "is empty; name a role")])
    return request
