"""Asking councils from outside, as any program that publishes plans does."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Protocol

from domain.approval import Approval
from domain.contract import EventBody, JudgedBody
from domain.verdict import Opinion


class CouncilClient(Protocol):
    """Publishes plans and verdicts, and follows what becomes of them; for one event loop.

    Each method may raise RequestRefused, and RequestUndelivered.
    """

    async def approve(self, plan: Mapping[str, Any], *, key: str = "") -> Approval:
        """Publish the approval of a plan, the payload of `planning.plan.approved`, once it is stored for good.

        One without a `timestamp` is a new approval at every call; one with it, or under the same `key`, starts
        nothing when it is repeated. Raises KeyTaken where the same person approved another plan under the key, for
        as long as the message system tells messages apart.
        """
        ...

    def watch(self, approval: Approval) -> AsyncGenerator[EventBody, None]:
        """Yield every event about the approval in order, those of the past first, up to its last role's end.

        A deliberation that ends without a decision is an event like others. Whoever ends the iteration early
        leaves the deliberation as it is, and may watch it again.
        """
        ...

    async def judge(
        self, deliberation_id: str, verdict: Opinion, *, by: str, proposal: str = "", reason: str = ""
    ) -> JudgedBody:
        """Publish what a person says of a decision, and return what was recorded.

        `proposal` names what is preferred, by its id or its author's, and stands beside `prefer` alone.
        """
        ...
