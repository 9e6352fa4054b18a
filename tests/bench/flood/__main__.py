"""Times honest plans alone, beside each attacker, and beside all of them at two rates.

All with the same processes in the same minutes, since absolute times on a shared machine mean little.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
from collections import Counter
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.flood.attackers import WHO, attackers
from tests.bench.flood.honest import decided
from tests.bench.flood.stage import Stage, staged
from tests.bench.pipeline.usage import usage
from workers.processes.guard import Guard

COUNT = 50
SOME_PER_S = 20.0
MANY_PER_S = 200.0
QUIET = ("alone", "alone, again")
GOAL = 3.0
WITHIN_S = 400.0
LATENCY_S = 1.0
HEAD_START_S = 6.0
"""Before the honest plans come, so that hostile proposals are in their checks by then."""


@dataclass(frozen=True)
class Run:
    """Seconds to each decision, sorted, and what attackers did meanwhile."""

    took: list[float]
    done: Counter[str]


def main() -> int:
    """Print the table; 1 if a plan is not decided, or one takes more than GOAL times the slowest alone."""
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Guard()) as guard,
        staged(Path(folder), guard, latency_s=LATENCY_S) as stage,
    ):
        runs = asyncio.run(measured(stage, COUNT))
    Console(width=140).print(table(runs))
    alone = max(runs[label].took[-1] for label in QUIET)
    slowest = max(found.took[-1] if len(found.took) == COUNT else WITHIN_S for found in runs.values())
    print(f"slowest beside a flood, against the slowest alone: {slowest / alone:.2f} (goal: at most {GOAL:g})")
    return 0 if slowest / alone <= GOAL else 1


async def measured(stage: Stage, count: int) -> dict[str, Run]:
    """Return what came of each kind of run, one after the other, the quiet one first and last."""
    await decided(stage.nats, 3, within_s=WITHIN_S)
    runs = {"alone": await run(stage, count, (), 0.0)}
    for who in ((name,) for name in WHO):
        runs[f"{who[0]}, {MANY_PER_S:g}/s"] = await run(stage, count, who, MANY_PER_S)
    for per_s in (SOME_PER_S, MANY_PER_S):
        runs[f"all three, {per_s:g}/s"] = await run(stage, count, WHO, per_s)
    runs["alone, again"] = await run(stage, count, (), 0.0)
    return runs


async def run(stage: Stage, count: int, who: tuple[str, ...], per_s: float) -> Run:
    """Approve honest plans while these attack; begins when nothing is open."""
    await stage.idle(WITHIN_S)
    done, before = Counter[str](), usage(stage.pids())
    async with AsyncExitStack() as stack:
        if who:
            await stack.enter_async_context(attackers(stage.nats, who=who, per_s=per_s, done=done))
            await asyncio.sleep(HEAD_START_S)
        took = await decided(stage.nats, count, within_s=WITHIN_S)
    spent = {name: used.cpu_s - before[name].cpu_s for name, used in usage(stage.pids()).items()}
    print(len(took), took[-1:], dict(done), {name: round(cpu_s, 1) for name, cpu_s in spent.items()}, flush=True)
    return Run(took, done)


def table(runs: dict[str, Run]) -> Table:
    """Describe the runs, a row each."""
    found = Table("", "decided", "median s", "slowest s", "attackers", title=f"{COUNT} honest plans at once")
    for label, one in runs.items():
        deeds = ", ".join(f"{count} {what}" for what, count in one.done.items())
        times = (f"{statistics.median(one.took):.1f}", f"{one.took[-1]:.1f}") if one.took else ("", "")
        found.add_row(label, str(len(one.took)), *times, deeds)
    return found


if __name__ == "__main__":
    sys.exit(main())
