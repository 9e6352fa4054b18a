"""Councils that decide what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.approval import Approval
from domain.contract import EventBody, JudgedBody
from domain.errors import KeyTaken, RequestRefused
from domain.inbound import InboundEvent, plan_approved
from domain.plan import PlanRequest
from domain.verdict import Opinion


@dataclass
class MemoryCouncilClient:
    """CouncilClient that keeps what it is given and tells what a test puts in; without that it tells nothing."""

    told: list[EventBody] = field(default_factory=list)
    approved: list[Mapping[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    """Of the plans that were approved, each beside its own."""
    deliberate: Callable[[PlanRequest], object] | None = None
    """What follows from an approval."""
    refusal: Exception | None = None
    _by_key: dict[tuple[str, str], PlanRequest] = field(default_factory=dict)
    judge_by: Callable[[str, Opinion, str, str, str], JudgedBody] | None = None
    """What a verdict comes to: deliberation, opinion, person, proposal, reason."""

    async def approve(self, plan: Mapping[str, Any], *, key: str = "") -> Approval:
        if self.refusal is not None:
            raise self.refusal
        if key:
            (sent,) = plan_approved(InboundEvent(payload=plan, key=key, received_at=0.0)).requests
            earlier = self._by_key.setdefault((plan["approved_by"], key), sent)
            if earlier.request_id != sent.request_id or not earlier.asks_as(sent):
                raise KeyTaken(key)
        self.approved.append(plan)
        self.keys.append(key)
        revision = key or "r"
        if self.deliberate is not None:
            event = InboundEvent(payload=plan, key=key, received_at=0.0)
            (request,) = plan_approved(event).requests
            revision = request.revision
            self.deliberate(request)
        sequence = len(self.approved)
        return Approval(
            plan_id=plan["plan_id"], revision=revision, stream="S", sequence=sequence, content="", since=1
        )

    async def watch(self, approval: Approval) -> AsyncGenerator[EventBody, None]:
        for body in self.told:
            yield body
        if not self.told:
            await asyncio.Event().wait()

    async def judge(
        self, deliberation_id: str, verdict: Opinion, *, by: str, proposal: str = "", reason: str = ""
    ) -> JudgedBody:
        if self.refusal is not None or self.judge_by is None:
            raise self.refusal or RequestRefused("nothing was decided here")
        return self.judge_by(deliberation_id, verdict, by, proposal, reason)
