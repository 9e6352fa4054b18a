"""Where access tokens are kept."""

from __future__ import annotations

from typing import Protocol

from domain.access_token import AccessToken


class AccessTokenStore(Protocol):
    """Access tokens by their digest, read anew for each request: what is deleted opens nothing any more."""

    def save(self, token: AccessToken) -> None:
        """Keep the token; one of the same digest is replaced."""
        ...

    def of(self, digest: str) -> AccessToken | None:
        """Return the token with that digest, also one whose time is over; None if there is none."""
        ...

    def all(self) -> tuple[AccessToken, ...]:
        """Return every token, ordered by name, then by when they were made."""
        ...

    def delete(self, name: str) -> bool:
        """Remove every token of that name; False if there was none."""
        ...
