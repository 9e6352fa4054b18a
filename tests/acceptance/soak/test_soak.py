"""Many short deliberations leave nothing behind: memory is flat, keys and streams are bounded (`make soak`).

SOAK_DELIBERATIONS says how many (default 20,000, twenty minutes on two cores).
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import nats
import pytest
from rich.console import Console

from tests.acceptance.soak.crowd import Crowd
from tests.acceptance.soak.samples import Sample, grown, growth, lines
from tests.acceptance.soak.stage import RETENTION_S, STREAM_AGE_S, STREAM_BYTES, Stage, staged
from tests.acceptance.test_pipeline import COMPLETED
from tests.bench.pipeline.usage import usage
from tests.support.memory import MemoryWatch
from tests.support.sections import Section, sections
from tests.support.streams import streams
from workers.processes.guard import Guard

COUNT = int(os.environ.get("SOAK_DELIBERATIONS", "20000"))
SAMPLES, REPORTS = 100, 10
CHORD_S = 300.0
"""How long Celery remembers that a chord's callback was published."""
SLACK_S = 10.0
"""Servers remove what has expired a little later."""
KEYS = {"store": 4, "results": 1}
"""Of one deliberation: its record, its request, and two that lead from its plan to these; a chord's claim."""
EXPIRED = 1 / 9
"""Keys beside those alive that may have expired and still be counted: Valkey lets a tenth of all be so, by default
(`active-expire-effort 1`)."""
STANDING_KEYS = 60
"""Indexes, councils, beat's schedule, Celery's bindings: as many however much is done."""
STANDING = tuple(
    f"conclave:{name}"
    for name in (
        "beat:",
        "councils",
        "deliberations:continuity",
        "deliberations:sweeps",
        "engine",
        "tally",
        "tokens",
        "verdicts:tally",
    )
)
"""Begin the keys of the store that have nothing to do with a single deliberation."""
GONE_WITHIN_S = STREAM_AGE_S + 3 * SLACK_S

pytestmark = [pytest.mark.soak, pytest.mark.timeout(120 + COUNT)]

console = Console(width=200)


def test_memory_stays_flat_and_retention_bounds_what_is_kept(tmp_path: Path, guard: Guard) -> None:
    with staged(tmp_path, guard) as stage:
        found = sections(stage.redis_url)
        samples, crowd = asyncio.run(_soak(stage, found))
        console.print(growth(samples))
        left = asyncio.run(_what_stays(stage, found))

    assert crowd.ends == {COMPLETED: COUNT}
    assert grown(samples) == {}
    assert [line for sample in samples for line in _over_bounds(sample)] == []
    assert left == {}


async def _soak(stage: Stage, found: dict[str, Section]) -> tuple[list[Sample], Crowd]:
    memory, samples = MemoryWatch(), []
    async with Crowd(stage.nats_url) as crowd:
        asking = asyncio.create_task(crowd.ask(COUNT))
        for number in range(SAMPLES + 1):
            await crowd.until(COUNT * number // SAMPLES)
            samples.append(await _look(stage, crowd, memory, found))
            if number and number % (SAMPLES // REPORTS) == 0:
                for line in lines(samples[-1], samples[-1 - SAMPLES // REPORTS], found):
                    console.print(line, highlight=False)
        await asking
    return samples, crowd


async def _look(stage: Stage, crowd: Crowd, memory: MemoryWatch, found: dict[str, Section]) -> Sample:
    return Sample(
        done=crowd.ends.total(),
        resident=memory.look(stage.pids),
        spent={name: used.cpu_s for name, used in usage(stage.pids).items()},
        keys={name: section.count() for name, section in found.items()},
        streams=await streams(crowd.client),
        kept={
            "store": crowd.asked_within(RETENTION_S + SLACK_S),
            "results": crowd.asked_within(CHORD_S + SLACK_S),
            "PLANNING_EVENTS": crowd.asked_within(STREAM_AGE_S + SLACK_S),
        },
    )


def _over_bounds(sample: Sample) -> list[str]:
    """Say where more is kept than the retention settings allow."""
    most = {name: STANDING_KEYS + each * sample.kept[name] * (1 + EXPIRED) for name, each in KEYS.items()}
    most["broker"] = STANDING_KEYS
    keys = [f"{name}: {sample.keys[name]} keys" for name, bound in most.items() if sample.keys[name] > bound]
    sizes = [f"{name}: {one.bytes} bytes" for name, one in sample.streams.items() if one.bytes > STREAM_BYTES]
    approvals = sample.streams["PLANNING_EVENTS"].messages
    old = [f"{approvals} approvals are kept"] if approvals > sample.kept["PLANNING_EVENTS"] else []
    return [f"at {sample.done}: {what}" for what in (*keys, *sizes, *old)]


async def _what_stays(stage: Stage, found: dict[str, Section]) -> dict[str, object]:
    """Wait for all retention to pass and return what there is although nothing should be."""
    over = time.monotonic() + GONE_WITHIN_S
    client = await nats.connect(stage.nats_url)
    while True:
        stored = await streams(client)
        left = {
            "store": [key for key in found["store"].names() if not key.startswith(STANDING)],
            "results that stay": found["results"].without_expiry(),
            "messages taken": found["broker"].client.hlen(found["broker"].key("unacked")),
            "streams": {name: one.messages for name, one in stored.items() if one.messages},
        }
        if not any(left.values()) or time.monotonic() > over:
            await client.close()
            return {what: some for what, some in left.items() if some}
        await asyncio.sleep(1)
