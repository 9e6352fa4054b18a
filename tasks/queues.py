"""Which queue waits for what: `control` for a free control worker, `llm.<model>` for an engine of that model."""

from __future__ import annotations

from collections.abc import Iterable

from celery.app.amqp import AMQP
from kombu import Exchange, Queue

from tasks.queue_names import CONTROL, model_queue_name

EXCHANGE = Exchange("conclave", type="direct", durable=True)

ROUTES = {
    "plan.dispatch": {"queue": CONTROL},
    "deliberation.*": {"queue": CONTROL},
    "outbox.flush": {"queue": CONTROL},
    "parked.*": {"queue": CONTROL},
}
"""`proposal.generate` isn't here: its queue is its agent's model, known only when the canvas is built."""


def queue(name: str) -> Queue:
    """Declare a queue: durable, bound to our exchange by its own name."""
    return Queue(name, exchange=EXCHANGE, routing_key=name, durable=True)


class Amqp(AMQP):
    """Declares a model's queue on our exchange when it is first named: models are the users' own."""

    def autoexchange(self, name: str) -> Exchange:  # type: ignore[override]  # the stubs only know its None
        return EXCHANGE


def declared(models: Iterable[str]) -> tuple[Queue, ...]:
    """Declare the control queue and one queue per model."""
    return (queue(CONTROL), *(queue(model_queue_name(model)) for model in dict.fromkeys(models)))
