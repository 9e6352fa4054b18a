"""Access tokens in memory."""

from __future__ import annotations

from threading import Lock

from domain.access_token import AccessToken


class MemoryAccessTokenStore:
    """AccessTokenStore over a dict."""

    def __init__(self) -> None:
        self._tokens: dict[str, AccessToken] = {}
        self._lock = Lock()

    def save(self, token: AccessToken) -> None:
        with self._lock:
            self._tokens[token.digest] = token

    def of(self, digest: str) -> AccessToken | None:
        with self._lock:
            return self._tokens.get(digest)

    def all(self) -> tuple[AccessToken, ...]:
        with self._lock:
            return tuple(sorted(self._tokens.values(), key=lambda token: (token.name, token.created_at)))

    def delete(self, name: str) -> bool:
        with self._lock:
            kept = {digest: token for digest, token in self._tokens.items() if token.name != name}
            deleted = len(kept) < len(self._tokens)
            self._tokens = kept
            return deleted
