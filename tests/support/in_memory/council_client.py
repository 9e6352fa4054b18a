"""Councils that decide what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.approval import Approval
from domain.contract import EventBody, JudgedBody
from domain.errors import RequestRefused
from domain.verdict import Opinion


@dataclass
class MemoryCouncilClient:
    """CouncilClient that keeps what it is given and tells what a test puts in; without that it tells nothing."""

    told: list[EventBody] = field(default_factory=list)
    approved: list[Mapping[str, Any]] = field(default_factory=list)
    refusal: Exception | None = None

    async def approve(self, plan: Mapping[str, Any]) -> Approval:
        if self.refusal is not None:
            raise self.refusal
        self.approved.append(plan)
        return Approval(
            plan_id=plan["plan_id"], revision="r", stream="S", sequence=len(self.approved), content="", since=1
        )

    async def watch(self, approval: Approval) -> AsyncGenerator[EventBody, None]:
        for body in self.told:
            yield body
        if not self.told:
            await asyncio.Event().wait()

    async def judge(
        self, deliberation_id: str, verdict: Opinion, *, by: str, proposal: str = "", reason: str = ""
    ) -> JudgedBody:
        raise self.refusal or RequestRefused("nothing was decided here")
