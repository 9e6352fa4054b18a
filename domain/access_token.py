"""What a program proves itself with: a random text that its owner has, and of which only a digest is kept."""

from __future__ import annotations

import hashlib

from domain.rights import Right
from domain.value import Name, Value

MARK = "conclave_"
"""Begins every token, so that those who look for leaked secrets can tell one."""


class AccessToken(Value):
    """A token as it is kept."""

    name: Name
    """What the program that has it is called; plans and verdicts bear it."""
    digest: str
    rights: frozenset[Right]
    created_at: float
    """Epoch seconds."""
    expires_at: float | None = None
    """Epoch seconds; None: never."""

    def stands(self, now: float) -> bool:
        """Say whether its time is not over."""
        return self.expires_at is None or now < self.expires_at


def digest_of(token: str) -> str:
    """Return what is kept of a token.

    One round of SHA-256, where passwords take argon2: a token has 256 random bits, so that no list of likely ones
    can be tried, and each request of a program would pay for a slow one.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
