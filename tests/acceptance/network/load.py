"""A publisher that goes on asking while links break, and what the streams say came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from tests.support.factories import fresh
from tests.support.observer import ObservedEvent, Observer, until

EVERY_S = 0.5
COMPLETED = "orchestration.deliberation.completed"
ENDS = (COMPLETED, "orchestration.deliberation.failed", "orchestration.deliberation.cancelled")
MARK = "orchestration.test.mark"


class Load:
    """Approvals, one after another, each of its own plan."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self.asked: list[str] = []

    async def ask(self) -> str:
        """Publish one approval and return its plan's id."""
        plan = fresh("plan")
        await self._observer.publish(
            "planning.plan.approved",
            {
                "story_id": "story",
                "plan_id": plan,
                "approved_by": "po",
                "roles": ["DEV"],
                "timestamp": datetime.now(UTC).isoformat(),
            },
        )
        self.asked.append(plan)
        return plan

    async def decided(self, plan: str, *, within: float) -> None:
        """Wait until a plan has its decision."""
        await self._observer.wait(COMPLETED, plan_id=plan, within=within)

    async def all_decided(self, *, within: float) -> None:
        """Wait until every plan asked so far has its decision."""
        wanted = set(self.asked)

        def missing() -> set[str]:
            return wanted - {one.body["plan_id"] for one in self._observer.of(COMPLETED)}

        await until(lambda: not missing(), within=within, what=lambda: f"undecided: {sorted(missing())}")

    async def ends(self, *, within: float) -> dict[str, list[ObservedEvent]]:
        """Read the stream up to now, and return every end it holds of the plans asked."""
        mark = fresh("mark")
        await self._observer.publish(MARK, {"mark": mark})
        await self._observer.wait(MARK, mark=mark, within=within)
        heard = [one for subject in ENDS for one in self._observer.of(subject)]
        return {plan: [one for one in heard if one.body["plan_id"] == plan] for plan in self.asked}


@asynccontextmanager
async def load(observer: Observer) -> AsyncIterator[Load]:
    """Ask without a pause while the block runs."""
    asking, over = Load(observer), asyncio.Event()

    async def on_and_on() -> None:
        while not over.is_set():
            await asking.ask()
            await asyncio.sleep(EVERY_S)

    task = asyncio.ensure_future(on_and_on())
    try:
        yield asking
    finally:
        over.set()
        await task
