"""Where a client logs: the standard library's `logging`, which prints nothing unless the program says so."""

from __future__ import annotations

import logging
from typing import Any

import structlog

NAME = "conclave.client"


def client_log() -> Any:
    """Return a logger for connections, which leaves level and output to the program."""
    logger = logging.getLogger(NAME)
    if not logger.handlers:
        # Without a handler of its own, Python would print warnings on standard error.
        logger.addHandler(logging.NullHandler())
    return structlog.wrap_logger(
        logger,
        processors=[structlog.processors.KeyValueRenderer(key_order=["event"])],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
