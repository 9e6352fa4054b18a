"""Access tokens in Redis or Valkey."""

from __future__ import annotations

from redis import Redis

from domain.access_token import AccessToken
from workers.adapters.redis.encoding import decode, encode
from workers.adapters.redis.keys import PREFIX, Keys


class RedisAccessTokenStore:
    """AccessTokenStore over one hash, kept until they are deleted."""

    def __init__(self, client: Redis, *, prefix: str = PREFIX) -> None:
        self._client = client
        self._key = Keys(prefix).access_tokens

    def save(self, token: AccessToken) -> None:
        self._client.hset(self._key, token.digest, encode(token))

    def of(self, digest: str) -> AccessToken | None:
        raw = self._client.hget(self._key, digest)
        return None if raw is None else decode(AccessToken, raw, where="an access token")

    def all(self) -> tuple[AccessToken, ...]:
        tokens = [decode(AccessToken, raw, where="an access token") for raw in self._client.hvals(self._key)]
        return tuple(sorted(tokens, key=lambda token: (token.name, token.created_at)))

    def delete(self, name: str) -> bool:
        """Remove every token of that name. After a connection broke, False may mean that this very call did."""
        digests = [token.digest for token in self.all() if token.name == name]
        return bool(digests) and self._client.hdel(self._key, *digests) > 0
