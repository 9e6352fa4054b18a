"""Access tokens that programs send, `Authorization: Bearer …` (RFC 6750)."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from domain.access_token import digest_of
from domain.ports.access_token_store import AccessTokenStore
from web.security.rights import Caller


class BearerTokens:
    """Who sends a token. Asks the store each time, so that a revoked one opens nothing from then on, anywhere."""

    def __init__(self, store: AccessTokenStore, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    async def caller_of(self, token: str) -> Caller | None:
        """Return whose token it is; None for an unknown, revoked or expired one. Raises what the store raises."""
        found = await run_in_threadpool(self._store.of, digest_of(token))
        return Caller(found.name, found.rights) if found and found.stands(self._now()) else None


def sent_token(request: Request) -> str | None:
    """Return the token that a request brings; None where it brings none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
