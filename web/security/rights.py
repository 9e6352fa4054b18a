"""Who calls, and how a route says what that takes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from fastapi import params
from starlette.exceptions import HTTPException
from starlette.requests import Request

from domain.rights import ALL, Right


@dataclass(frozen=True)
class Caller:
    """Somebody at the page, or a program; `request.state.caller` of every request."""

    name: str
    """Empty where no login is asked for."""
    rights: frozenset[Right]
    in_session: bool = False
    """Whether the caller has logged in here, and can log out."""

    @property
    def signature(self) -> str:
        """The name under which a plan is approved or a decision judged."""
        return self.name or "anonymous"

    def may(self, right: str) -> bool:
        """Say whether the caller has the right; templates name it by its value."""
        return right in self.rights


NOBODY = Caller("", frozenset())
"""Somebody who has not logged in, at what is open to all."""
LOCAL = Caller("", ALL)
"""Where no login is asked for: whoever reaches the page could use the commands as well."""


@cache
def needs(right: Right) -> params.Depends:
    """Return the dependency that refuses callers without the right; it gives the route the caller.

    As `dependencies=[needs(Right.READ)]` or as a parameter, `caller: Annotated[Caller, needs(Right.JUDGE)]`.
    """

    async def check(request: Request) -> Caller:
        caller: Caller = request.state.caller
        if caller.may(right):
            return caller
        raise HTTPException(403, refusal(caller, right))

    return params.Depends(check)


async def _by_tool() -> None:
    """Let every caller pass that the guard has let in."""


BY_TOOL = params.Depends(_by_tool)
"""The dependency of a route that stands for several tools, each with a right of its own."""


def refusal(caller: Caller, right: Right) -> str:
    """Say in a sentence what the caller lacks."""
    return f"This needs the right to {right}, which {caller.signature} does not have."
