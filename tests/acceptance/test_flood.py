"""Honest plans under the shipped logins while a publisher, an observer and a hostile author do what they can."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.bench.flood.__main__ import SOME_PER_S, Run, run
from tests.bench.flood.attackers import WHO
from tests.bench.flood.stage import Stage, staged
from workers.processes.guard import Guard

COUNT = 10

pytestmark = pytest.mark.timeout(1800)


def test_every_honest_plan_is_decided_while_all_three_attack(tmp_path: Path, guard: Guard) -> None:
    async def scenario(stage: Stage) -> tuple[Run, Run]:
        return await run(stage, COUNT, (), 0.0), await run(stage, COUNT, WHO, SOME_PER_S)

    with staged(tmp_path, guard, latency_s=0.2) as stage:
        alone, attacked = asyncio.run(scenario(stage))
        print(f"slowest beside the attack, against the slowest alone: {attacked.took[-1] / alone.took[-1]:.2f}")
        assert len(alone.took) == len(attacked.took) == COUNT
        assert set(attacked.done) == {"published", "megabytes", "asked", "hostile plans"}
        assert all(process.running for process in stage.processes.values())
