"""What the tests of the broker layer leave out, so that each can be seen to fail without its remedy.

BROKER_TEST_WITHOUT names remedies by the words of docs/broker.md, or single overrides as Class.method
(BROKER_TEST_WITHOUT=QoS.ack), in place of which kombu's or Celery's own method runs.
"""

from __future__ import annotations

import os

from workers.broker.atomic_pop import AtomicPop
from workers.broker.backend import Backend
from workers.broker.qos import QoS
from workers.broker.transport import Channel
from workers.broker.worker_consumer import WorkerConsumer

WITHOUT = frozenset(filter(None, os.environ.get("BROKER_TEST_WITHOUT", "").split(",")))
CLASSES = {kind.__name__: kind for kind in (AtomicPop, Backend, Channel, QoS, WorkerConsumer)}


def leave_out_overrides() -> None:
    """Take the named overrides away in this process; a second call changes nothing."""
    for word in WITHOUT:
        owner, dot, method = word.partition(".")
        if dot and method in vars(CLASSES[owner]):
            delattr(CLASSES[owner], method)
