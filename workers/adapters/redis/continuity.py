"""Whether the server behind the store is the one that was compared with the streams last."""

from __future__ import annotations

from redis import Redis
from redis.exceptions import ResponseError

from domain.ports.clock import Clock
from domain.ports.continuity import Gap
from workers.adapters.redis.encoding import text, texts
from workers.adapters.redis.keys import PREFIX, Keys
from workers.adapters.redis.scripts import Script, score

MARGIN_S = 120.0
"""How much is read again before the moment until which the store is known to be whole: clocks of hosts differ, and
what was told then may have been written later."""


class RedisContinuity:
    """Continuity over the server's run id, which every start draws anew and which no append-only file brings back.

    A restart, a roll-back, a fail-over and an emptied database each show by an id that is not the noted one. Since
    writes are lost from the end, a store that has the note of a moment has everything before it.
    """

    def __init__(self, client: Redis, *, clock: Clock, retention_s: float, prefix: str = PREFIX) -> None:
        """`retention_s`: how far back an emptied store is filled again."""
        self._client = client
        self._clock = clock
        self._retention_s = retention_s
        self._keys = [Keys(prefix).continuity]
        self._find = Script(client, "find_gap", functions=("check_kinds", "server_run"))
        self._close = Script(client, "close_gap", functions=("check_kinds", "server_run"))

    def gap(self) -> Gap | None:
        now = self._clock.now()
        found = self._find(self._keys, now=score(now))
        if found is None:
            return None
        server, whole_at = texts(found)
        return Gap(since=max(float(whole_at) - MARGIN_S, now - self._retention_s), server=server)

    def is_whole(self) -> bool:
        """Compare the runs by reading alone; as in server_run.lua, a login that may not ask sees one run."""
        noted = self._client.hget(self._keys[0], "server")
        try:
            run = str(self._client.info("server").get("run_id", ""))
        except ResponseError:
            run = ""
        return noted is not None and text(noted) == run

    def close(self, gap: Gap) -> bool:
        return bool(self._close(self._keys, server=gap.server, now=score(self._clock.now())))
