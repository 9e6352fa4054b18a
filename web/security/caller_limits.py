"""How many plans and questions, and how many verdicts, a caller may send in a minute."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from fastapi import params
from starlette.exceptions import HTTPException
from starlette.requests import Request

from domain.rights import Right
from web.options import WebOptions
from web.security.attempts import Attempts
from web.security.rights import Caller

WINDOW_S = 60.0
DONE = {Right.APPROVE: "asked", Right.JUDGE: "judged"}


class TooOften(HTTPException):
    """The caller has asked or judged too often; nothing came of it. `Retry-After` says when to try again."""

    def __init__(self, caller: Caller, done: str, most: int, wait_s: int) -> None:
        told = f"{caller.signature} has {done} {most} times within a minute, which is the most. "
        super().__init__(429, f"{told}Try again in {wait_s} s.", {"Retry-After": str(wait_s)})


class CallerLimits:
    """Counts by the caller's name, for each of the rights that add to the record; in each process for itself."""

    def __init__(self, options: WebOptions, now: Callable[[], float]) -> None:
        self._most = {Right.APPROVE: options.approvals_per_minute, Right.JUDGE: options.verdicts_per_minute}
        self._attempts = {
            right: Attempts(most=most, window_s=WINDOW_S, now=now) for right, most in self._most.items()
        }

    def count(self, caller: Caller, right: Right) -> None:
        """Count one use of a right that is limited. Raises TooOften for one too many, which is not counted."""
        if right not in self._attempts:
            return
        wait_s = ceil(self._attempts[right].wait_s(caller.name))
        if wait_s:
            raise TooOften(caller, DONE[right], self._most[right], wait_s)


def count(request: Request, right: Right) -> None:
    """Count one of the request's caller. Raises TooOften."""
    limits: CallerLimits = request.app.state.limits
    limits.count(request.state.caller, right)


def _counted(right: Right) -> params.Depends:
    async def check(request: Request) -> None:
        count(request, right)

    return params.Depends(check)


COUNTED_APPROVAL = _counted(Right.APPROVE)
"""The dependency of each route that has councils deliberate, after the one for its right."""
COUNTED_VERDICT = _counted(Right.JUDGE)
"""The same of each route that takes a verdict."""
