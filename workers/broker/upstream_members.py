"""What this package uses of kombu and Celery beside their documented interface and their type stubs.

Each class stands last among the bases of ours, so that the real member is always found first and mypy checks every
use against the signature written here. tests/unit/workers/broker/test_private_members.py compares each with the
installed release, whose next minor version pyproject.toml excludes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Celery


class QoSMembers:
    """Of `kombu.transport.redis.QoS`."""

    _quick_ack: Callable[[str], None]
    """Counts a message as acknowledged, without a command to the broker; from any thread."""
    _vrestore_count: int
    """How often `restore_visible` was called."""

    def _remove_from_indices(self, delivery_tag: str, pipe: Any = None) -> Any:
        raise NotImplementedError


class ChannelMembers:
    """Of `kombu.transport.redis.Channel`."""

    connection_errors: tuple[type[Exception], ...]
    unacked_restore_interval: int
    global_keyprefix: str
    """In front of every key of the broker."""
    _expires: dict[str, int]
    """Queues with `x-expires`, and after how many milliseconds they do."""
    _queue_cycle: Any
    """The order in which queues are consumed."""
    _in_poll: Any
    """The connection on which a pop is under way, else something false."""
    _brpop_sent_at: float | None
    """When that pop was sent; kombu drops a connection whose answer is long overdue."""
    _closing: bool
    _fanout_queues: dict[str, tuple[str, str]]
    """Queue of broadcasts → exchange, and the pattern of routing keys that is subscribed to."""

    def create_publish_batch(self, max_size: int) -> Any:
        """Return a batch whose `pipeline` gets the commands of its messages; undocumented, not in the stubs."""
        raise NotImplementedError

    def _get_message_priority(self, message: Any, reverse: bool = False) -> int:
        raise NotImplementedError

    def _q_for_pri(self, queue: str, pri: int) -> str:
        raise NotImplementedError

    def _size(self, queue: str) -> int:
        raise NotImplementedError

    def _queue_bind(self, exchange: str, routing_key: str, pattern: Any, queue: str) -> None:
        raise NotImplementedError

    def _delete(
        self, queue: str, exchange: str, routing_key: str, pattern: Any, *args: Any, **kwargs: Any
    ) -> None:
        raise NotImplementedError

    def _has_queue(self, queue: str, **kwargs: Any) -> bool:
        raise NotImplementedError

    def _do_restore_message(
        self, payload: Any, exchange: str, routing_key: str, pipe: Any, leftmost: bool = False
    ) -> None:
        raise NotImplementedError

    def _brpop_start(self, timeout: float | None = None) -> None:
        raise NotImplementedError

    def _brpop_read(self, **options: Any) -> bool | None:
        raise NotImplementedError

    def _deliver_fanout_message(self, message: Any, exchange: str) -> bool | None:
        raise NotImplementedError

    def _create_client(self, asynchronous: bool = False) -> Any:
        raise NotImplementedError

    def _disconnect_pools(self) -> None:
        raise NotImplementedError


class BackendMembers:
    """Of `celery.backends.redis.RedisBackend`."""

    app: Celery
    connparams: dict[str, Any]

    @property
    def _chord_part_return_script(self) -> Callable[..., Any]:
        """The script that counts a header task: `(keys, args, client)` to ready, difference, size and claimed."""
        raise NotImplementedError

    def _chord_publish_claim_expires(self, initial_expires: int, callback: Any) -> int:
        raise NotImplementedError


class ConsumerMembers:
    """Of `celery.worker.consumer.Consumer`."""

    hub: Any
    """The event loop; None while there is none."""

    def call_soon_ack(self, p: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def on_send_event_buffered(self) -> None:
        """Called by a thread that has left an event in the dispatcher's buffer."""
        raise NotImplementedError

    def _flush_events(self) -> None:
        """Sends the dispatcher's buffer."""
        raise NotImplementedError
