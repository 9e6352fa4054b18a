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


class TooManyApprovals(HTTPException):
    """The caller has asked too often; nothing was asked this time. `Retry-After` says when to come again."""

    def __init__(self, caller: Caller, most: int, wait_s: int) -> None:
        told = f"{caller.signature} has asked {most} times within a minute, which is the most. "
        super().__init__(429, f"{told}Try again in {wait_s} s.", {"Retry-After": str(wait_s)})


class ApprovalLimit:
    """Counts by the caller's name, in each process for itself."""

    def __init__(self, most: int, now: Callable[[], float]) -> None:
        self._most = most
        self._attempts = Attempts(most=most, window_s=WINDOW_S, now=now)

    def count(self, caller: Caller) -> None:
        """Count one. Raises TooManyApprovals for one too many, which is not counted."""
        wait_s = ceil(self._attempts.wait_s(caller.name))
        if wait_s:
            raise TooManyApprovals(caller, self._most, wait_s)


def count_approval(request: Request) -> None:
    """Count one of the request's caller. Raises TooManyApprovals."""
    limit: ApprovalLimit = request.app.state.approvals
    limit.count(request.state.caller)


async def _count(request: Request) -> None:
    count_approval(request)


COUNTED = params.Depends(_count)
"""The dependency of each route that has councils deliberate, after the one for its right."""
