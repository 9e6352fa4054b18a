"""What a program does with the client, each time over a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from bridge.client import (
    Conclave,
)
from tests.support.factories import fresh

T = TypeVar("T")


def plan(**changes: Any) -> dict[str, Any]:
    """Return a plan as a program writes it, without a time."""
    least = {"story_id": fresh("story"), "plan_id": fresh("plan"), "approved_by": "po", "roles": ["DEV"]}
    return least | changes


def with_client(url: str, scenario: Callable[[Conclave], Awaitable[T]]) -> T:
    async def connected() -> T:
        async with Conclave(url) as conclave:
            return await scenario(conclave)

    return asyncio.run(connected())
