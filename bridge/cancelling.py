"""Tasks that are cancelled until they end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN_S = 0.5
"""Between two cancellations: long enough for what a task does on its way out."""


async def cancel_all(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel tasks and return when all of them have ended, whatever they raised.

    One cancellation is not enough: up to Python 3.11 `asyncio.wait_for` swallows one that comes in the moment in
    which what it waits for is done, and nats-py waits so for every answer. The task would go on for ever.
    """
    remaining = set(tasks)
    while remaining:
        for task in remaining:
            task.cancel()
        ended, remaining = await asyncio.wait(remaining, timeout=AGAIN_S)
        for task in ended:
            if not task.cancelled():
                task.exception()  # looked at, so that asyncio does not report it
