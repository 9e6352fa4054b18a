"""A plan that was approved gets its decision, once, whatever dies meanwhile (`make chaos`).

CHAOS_S is how long the monkey plays (default 300; half of it in the short form, below 300), CHAOS_SEED what it
draws from.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import nats
import psutil
import pytest
from rich.console import Console

from tests.acceptance.chaos.asking import approve_steadily
from tests.acceptance.chaos.engine import FAULTS, calls, misbehave
from tests.acceptance.chaos.ledger import Kill, Ledger, read_ends
from tests.acceptance.chaos.leftovers import at_rest, chords_left, leftovers
from tests.acceptance.chaos.replay import history
from tests.acceptance.chaos.report import Outcome, Row, Rows, report
from tests.acceptance.chaos.stage import KINDS, Stage, deck, staged
from tests.support.judge import Terms, judge
from tests.support.memory import MemoryWatch
from tests.support.sections import used_memory
from tests.support.streams import streams
from workers.processes.guard import Guard, find_started
from workers.processes.readiness import wait_until
from workers.processes.sessions import alive

BUDGET_S = float(os.environ.get("CHAOS_S", "300"))
PLAY_S = BUDGET_S if BUDGET_S >= 300 else BUDGET_S / 2
SEED = int(os.environ.get("CHAOS_SEED", "7"))
EVERY_S = (2.0, 5.0)
"""Between two kills."""
ASK_EVERY_S = 0.5
SETTLE_WITHIN_S = 240.0
LOCKS_WITHIN_S = 20.0
"""Twice what beat's lock lasts, the longest of all."""
OF_FAULTS = Terms(
    failures=frozenset({"timeout", "malformed", "unreachable", "busy"}),
    sentences=("have an admissible proposal, the quorum is", "no reviewer handed in a ballot"),
    nats_stayed=False,
)
"""What the engine's faults may lead to, and no kill."""

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(PLAY_S + SETTLE_WITHIN_S + 240)]


def test_nothing_is_lost_and_nothing_happens_twice(tmp_path: Path, rows: Rows) -> None:
    ledger, memory, began = Ledger(), MemoryWatch(), time.monotonic()
    with closing(Guard()) as guard, staged(tmp_path, guard) as stage:
        misbehave(stage.engine_url, SEED)
        before = used_memory(stage.valkey.url)
        asyncio.run(_play(stage, ledger, memory))
        findings = judge(asyncio.run(history(stage, ledger.asked)), OF_FAULTS)
        found = Outcome(
            calls=calls(stage.engine_url),
            valkey_grew=used_memory(stage.valkey.url) - before,
            lives=memory.longest(),
            orphans=list(_strangers(guard, stage)),
        )
        exit_codes = stage.leave()
        found.left = asyncio.run(_left(stage))
        found.chords_left = chords_left(stage.valkey.url)
    found.orphans += [f"{life.pid} {life.name}" for life in memory.lives.values() if alive(life.pid)]
    Console(width=140).print(report(ledger, found, f"{PLAY_S:g} s of chaos, seed {SEED}"))
    rows.add(Row("random kills, engine faults", ledger, findings, time.monotonic() - began))

    assert {kill.kind for kill in ledger.kills} == set(KINDS)
    assert set(found.calls.faults) == set(FAULTS)
    assert findings == [], "\n".join(map(str, findings))
    assert ledger.dead_letters == 0
    assert set(exit_codes.values()) == {0}
    assert {what: count for what, count in found.left.items() if count} == {}
    assert found.orphans == []


async def _play(stage: Stage, ledger: Ledger, memory: MemoryWatch) -> None:
    over = time.monotonic() + PLAY_S
    asking = asyncio.create_task(
        approve_steadily(stage.nats.url, ledger.asked, every_s=ASK_EVERY_S, over=lambda: time.monotonic() >= over)
    )
    await asyncio.to_thread(_monkey, stage, ledger, memory, over)
    await asking
    await _settle(stage, ledger, memory)


def _monkey(stage: Stage, ledger: Ledger, memory: MemoryWatch, over: float) -> None:
    """Kill until the time is over, and every kind at least once."""
    dice = random.Random(SEED)
    for turn, kind in enumerate(deck(dice)):
        if time.monotonic() > over and turn >= len(KINDS):
            break
        time.sleep(dice.uniform(*EVERY_S))
        memory.look(stage.pids())
        at = time.time()
        ledger.kills.append(Kill(at, stage.kill(kind, dice)))
        stage.supervise()


async def _settle(stage: Stage, ledger: Ledger, memory: MemoryWatch) -> None:
    """Wait until everything asked has an end in the stream, or the time is over."""
    over = time.monotonic() + SETTLE_WITHIN_S
    while time.monotonic() < over:
        stage.supervise()
        memory.look(stage.pids())
        ledger.ends = await read_ends(stage.nats.url)
        idle = stage.services.deliberations.count_open() == stage.services.outbox.count() == 0
        # What a killed worker held comes back a little later, to be found done; it needs somebody who takes it.
        if not ledger.lost and idle and wait_until(lambda: at_rest(stage.valkey.url), within=1):
            break
    client = await nats.connect(stage.nats.url)
    ledger.dead_letters = (await streams(client))["CONCLAVE_DEAD_LETTERS"].messages
    await client.close()


async def _left(stage: Stage) -> dict[str, int]:
    """Wait until nothing is left over, or whatever expires by itself has had its time."""
    over = time.monotonic() + LOCKS_WITHIN_S
    while True:
        left = await leftovers(stage.services, nats_url=stage.nats.url, redis_url=stage.valkey.url)
        if not any(left.values()) or time.monotonic() > over:
            return left
        await asyncio.sleep(0.5)


def _strangers(guard: Guard, stage: Stage) -> Iterator[str]:
    """Tell the processes that carry our mark and are none of the stage's, nor children of them."""
    known = set(stage.pids().values())
    for process in find_started(guard.mark, {}):
        try:
            if known.isdisjoint({process.pid, *(parent.pid for parent in process.parents())}):
                yield f"{process.pid} {' '.join(process.cmdline()[:6])}"
        except psutil.Error:
            continue
