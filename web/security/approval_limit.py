"""How many plans and questions a caller may send in a minute."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from fastapi import params
from starlette.exceptions import HTTPException
from starlette.requests import Request

from web.security.attempts import Attempts
from web.security.rights import Caller

WINDOW_S = 60.0


class ApprovalLimit:
    """Counts by the caller's name, in each process for itself."""

    def __init__(self, most: int, now: Callable[[], float]) -> None:
        self._most = most
        self._attempts = Attempts(most=most, window_s=WINDOW_S, now=now)

    def count(self, caller: Caller) -> None:
        """Count one. Raises HTTPException 429, with the seconds to wait, for one too many; it is not counted."""
        wait_s = ceil(self._attempts.wait_s(caller.name))
        if wait_s:
            raise HTTPException(
                429,
                f"{caller.signature} has asked {self._most} times within a minute, which is the most. "
                f"Try again in {wait_s} s.",
                {"Retry-After": str(wait_s)},
            )


async def _count(request: Request) -> None:
    limit: ApprovalLimit = request.app.state.approvals
    limit.count(request.state.caller)


COUNTED = params.Depends(_count)
"""The dependency of each route that has councils deliberate, after the one for its right."""
