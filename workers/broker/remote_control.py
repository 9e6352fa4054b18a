"""Remote control as celery sends it, over a broker on which some logins may only look.

A broker can't tell `inspect` from `control`: both are a message on one channel, and every worker hears it. So the
worker decides. Answers go straight to the queue of the process that asked, which needs no right to bind it.
"""

from __future__ import annotations

import logging
from typing import Any, Literal

from celery.app.control import Control
from celery.worker.control import Panel
from kombu import Exchange, Queue, pidbox

from workers.queue_keys import REPLY_SUFFIX

logger = logging.getLogger(__name__)

ALWAYS = frozenset(
    {
        *(
            "ping",
            "stats",
            "active",
            "active_queues",
            "query_task",
            "registered",
            "reserved",
            "revoked",
            "scheduled",
        ),
        *("clock", "conf", "report"),
        # Flower sends them every few seconds; our workers send events in any case.
        *("enable_events", "heartbeat"),
    }
)
"""What every worker answers: celery's `inspect` commands, less those that merge revoked tasks or write files."""
RemoteControl = Literal["inspect", "full"]
"""What workers do for those who can send commands over the broker."""
LONGEST_PATTERN = 255
"""Characters, as of a host's name."""


class Node(pidbox.Node):
    """A worker's mailbox that answers to the queue of the process that asked, and to no other."""

    def reply(
        self, data: Any, exchange: Exchange | str, routing_key: str, ticket: str | None, **kwargs: Any
    ) -> None:
        # The message names exchange and key. Taken at its word, it would have an answer put into a task queue.
        super().reply(data, "", f"{routing_key}{REPLY_SUFFIX}", ticket, **kwargs)


class InspectNode(Node):
    """A worker's mailbox that changes nothing."""

    def handle_message(self, body: Any, message: Any = None) -> Any:
        """Do what a message asks for, if it is for this worker."""
        if isinstance(body, dict) and _names_workers_plainly(body):
            return super().handle_message(body, message)
        logger.warning("remote control ignored, which names workers by no short glob or is no command")
        return None

    def handle(self, method: str, arguments: Any = None) -> Any:
        """Answer a command, or say why not."""
        if method in Panel.data and method not in ALWAYS:
            logger.warning("remote control refused: %s", method)
            return {"error": f"this worker is only inspected: with CONCLAVE_REMOTE_CONTROL=full it does {method}"}
        return super().handle(method, arguments)


def _names_workers_plainly(body: dict[str, Any]) -> bool:
    """Celery would match this worker's name with any regular expression, one that takes days too."""
    pattern = body.get("pattern")
    if not pattern:
        return True
    return body.get("matcher") == "glob" and isinstance(pattern, str) and len(pattern) <= LONGEST_PATTERN


class Mailbox(pidbox.Mailbox):
    """Where commands are sent from and answers awaited."""

    node_cls = Node

    def get_reply_queue(self) -> Queue:
        """Describe the queue of this process's answers: bound to no exchange, gone when it is not written to."""
        return Queue(f"{self.oid}{REPLY_SUFFIX}", auto_delete=True, durable=False)


class InspectMailbox(Mailbox):
    """That of a worker that is only inspected."""

    node_cls = InspectNode


class FullControl(Control):
    """Celery's remote control, all of it."""

    Mailbox = Mailbox


class InspectControl(Control):
    """Celery's remote control; workers do nothing for it that would change them."""

    Mailbox = InspectMailbox


CONTROLS: dict[RemoteControl, type[Control]] = {"inspect": InspectControl, "full": FullControl}
