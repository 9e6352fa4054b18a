"""Celery's consumer for a broker that goes away and comes back while tasks run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import kombu
from celery import bootsteps
from celery.worker import consumer

logger = logging.getLogger(__name__)

RECONNECT: dict[str, Any] = {"interval_start": 0.2, "interval_step": 0.2, "interval_max": 1.0}
"""Seconds between attempts to reach the broker again; Celery's own grow to 30, in which nothing is consumed."""


class WorkerConsumer(consumer.Consumer):
    """Keeps what it holds over a lost connection, and settles without the event loop where that stands still."""

    hub: Any  # not in the stubs

    def ensure_connected(self, conn: kombu.Connection) -> kombu.Connection:
        """Connect, however long the broker is away, trying about once a second."""
        patient = partial(conn.ensure_connection, **RECONNECT)
        conn.ensure_connection = patient  # type: ignore[method-assign]  # the intervals have no setting
        return super().ensure_connected(conn)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Leave the messages of running tasks marked as they are: those tasks go on here.

        Giving them back, as a closing channel does, runs them twice: https://github.com/celery/celery/issues/4671.
        """
        for channel in self._channels():
            channel.do_restore = False
        super().on_connection_error_after_connected(exc)

    def call_soon_ack(self, p: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Acknowledge or reject in the event loop while it turns, else at once.

        It doesn't turn while the broker is away, nor while a pool finishes its tasks at a shutdown; what waited
        for it then would be done again if the process were killed meanwhile.
        """
        turning = self.connection is not None and self.blueprint.state == bootsteps.RUN  # type: ignore[attr-defined]  # not in the stubs
        if turning:
            return super().call_soon_ack(p, *args, **kwargs)  # type: ignore[misc]  # since 5.6, not in the stubs
        return p(*args, **kwargs)

    def stop(self) -> None:
        """Stop consuming; settle what waits to be settled, and hand on what the poll under way brings.

        The pool may have minutes to finish, and the event loop won't turn again before. A message that was popped
        at this very moment would wait as long: https://github.com/celery/celery/issues/4354.
        """
        super().stop()
        self._finish_turn()
        for channel in self._channels():
            channel.end_poll()

    def _finish_turn(self) -> None:
        for callback in self.hub._pop_ready() if self.hub else ():
            try:
                callback()
            except Exception:
                logger.exception("left over from the event loop: %r", callback)

    def _channels(self) -> list[Any]:
        # `connection.transport` would connect anew; this looks at what there is.
        transport = getattr(self.connection, "_transport", None)
        return [channel for channel in getattr(transport, "channels", ()) if channel is not None]
