"""How long a channel has been in touch with its broker: before it takes messages from workers that look lost."""

from __future__ import annotations

import logging
from time import monotonic
from typing import Any

from redis.exceptions import ResponseError

logger = logging.getLogger(__name__)


class Contact:
    """Tells whether living workers had time to say so.

    After an outage every score is old, those of living workers too: they refresh theirs first. A broker that
    refuses to write refuses their heartbeats, so it counts as away; so does one whose clock was set.
    """

    def __init__(self, *, silence_s: float, drift_s: float, grace_s: float) -> None:
        """`silence_s`: longer between two looks is an outage; `drift_s`: how far the broker's clock may stray
        meanwhile; `grace_s`: how long the others have after either."""
        self._silence_s = silence_s
        self._drift_s = drift_s
        self._grace_s = grace_s
        self._looked_at = float("-inf")
        self._broker_time = float("-inf")
        self._trusted_from = float("-inf")

    def lasts(self, client: Any, index_key: str, now: float) -> bool:
        """Look again, where the broker's clock shows `now`; whether its scores can be trusted by now."""
        moment = monotonic()
        try:
            client.zadd(index_key, {"": now}, xx=True)  # writes nothing, where that is allowed
        except ResponseError as error:
            self._await_others(moment, f"refuses to write: {error}")
            return False
        silence_s = moment - self._looked_at
        if silence_s > self._silence_s:
            self._await_others(moment)
        elif abs(now - self._broker_time - silence_s) > self._drift_s:
            self._await_others(moment, "has set its clock")
        self._looked_at, self._broker_time = moment, now
        return moment >= self._trusted_from

    def _await_others(self, moment: float, why: str = "") -> None:
        if why and moment >= self._trusted_from:
            logger.warning("the broker %s; no message is taken for a lost worker's meanwhile", why)
        self._trusted_from = moment + self._grace_s
