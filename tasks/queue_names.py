"""Names of the queues, apart from their declaration: a program that loads no Celery knows them too."""

from __future__ import annotations

CONTROL = "control"


def model_queue_name(model: str) -> str:
    """Name the queue of a served model."""
    return f"llm.{model}"
