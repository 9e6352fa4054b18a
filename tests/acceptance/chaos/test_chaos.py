"""A plan that was approved gets its decision, once, whatever dies meanwhile (`make chaos`).

CONCLAVE_CHAOS_S is how long the monkey plays (default 300), CONCLAVE_CHAOS_SEED what it draws from.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import time
import urllib.request
from collections import Counter
from pathlib import Path

import nats
import psutil
import pytest
from nats.errors import Error
from rich.console import Console
from rich.table import Table

from tests.acceptance.chaos.ledger import Ledger, median, quantile, read_ends
from tests.acceptance.chaos.stage import FAULTS, Stage, pick, staged
from tests.acceptance.test_pipeline import APPROVED, approval
from workers.stack.guard import Guard

PLAY_S = float(os.environ.get("CONCLAVE_CHAOS_S", "300"))
SEED = int(os.environ.get("CONCLAVE_CHAOS_SEED", "7"))
EVERY_S = (2.0, 5.0)
"""Between two kills."""
ASK_EVERY_S = 0.5
SETTLE_WITHIN_S = 240.0
RECOVERED_WITHIN_S = 10.0

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(PLAY_S + SETTLE_WITHIN_S + 180)]


def test_nothing_is_lost_and_nothing_happens_twice(tmp_path: Path, guard: Guard) -> None:
    ledger = Ledger()
    with staged(tmp_path, guard, seed=SEED) as stage:
        _steer_engine(stage.engine_url)
        memory = _valkey_bytes(stage)
        asyncio.run(_play(stage, ledger))
        _count_calls(stage.engine_url, ledger)
        grown = _valkey_bytes(stage) - memory
        pids = stage.pids()
        open_left, outbox_left = stage.services.index.count_open(), len(stage.services.outbox.pending(10))
    orphans = [pid for pid in pids if psutil.pid_exists(pid)]
    Console().print(_report(ledger, grown, orphans, open_left))

    assert ledger.lost == []
    assert ledger.doubled == []
    assert orphans == []
    assert (open_left, outbox_left, ledger.dead_letters) == (0, 0, 0)


async def _play(stage: Stage, ledger: Ledger) -> None:
    over = time.monotonic() + PLAY_S
    asking = asyncio.create_task(_ask(stage.nats.url, ledger, over))
    await asyncio.to_thread(_monkey, stage, ledger, over)
    await asking
    await _settle(stage, ledger)


async def _ask(nats_url: str, ledger: Ledger, over: float) -> None:
    """Approve plans at a steady pace; one counts as asked when JetStream has confirmed it."""
    client = await nats.connect(nats_url, max_reconnect_attempts=-1, reconnect_time_wait=0.2)
    stream = client.jetstream()
    while time.monotonic() < over:
        wanted = approval()
        while wanted["plan_id"] not in ledger.asked:
            try:
                data = json.dumps(wanted).encode()
                await stream.publish(APPROVED, data, headers={"Nats-Msg-Id": wanted["plan_id"]}, timeout=2)
                ledger.asked[wanted["plan_id"]] = time.time()
            except (Error, TimeoutError, OSError):
                await asyncio.sleep(0.2)
        await asyncio.sleep(ASK_EVERY_S)
    await client.close()


def _monkey(stage: Stage, ledger: Ledger, over: float) -> None:
    dice = random.Random(SEED)
    victims = stage.victims()
    while time.monotonic() < over:
        time.sleep(dice.uniform(*EVERY_S))
        name = pick(dice, victims)
        ledger.kills.append((time.time(), name))
        victims[name]()
        stage.supervise()


async def _settle(stage: Stage, ledger: Ledger) -> None:
    """Wait until everything asked has an end in the stream, or the time is over."""
    over = time.monotonic() + SETTLE_WITHIN_S
    while time.monotonic() < over:
        stage.supervise()
        ledger.ends = await read_ends(stage.nats.url)
        if not ledger.lost and stage.services.index.count_open() == 0 and not stage.services.outbox.pending(1):
            break
        await asyncio.sleep(1)
    client = await nats.connect(stage.nats.url)
    info = await client.jetstream().stream_info("CONCLAVE_DEAD_LETTERS")
    ledger.dead_letters = info.state.messages
    await client.close()


def _steer_engine(url: str) -> None:
    body = json.dumps({"shares": FAULTS, "seed": SEED}).encode()
    request = urllib.request.Request(f"{url}/_scripted/faults", body, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=5).read()


def _count_calls(url: str, ledger: Ledger) -> None:
    with urllib.request.urlopen(f"{url}/_scripted/requests", timeout=30) as answer:
        bodies = json.loads(answer.read())["bodies"]
    seen = Counter(hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest() for body in bodies)
    ledger.calls, ledger.calls_twice = len(bodies), sum(count - 1 for count in seen.values())


def _valkey_bytes(stage: Stage) -> int:
    client = stage.services.tally._client  # type: ignore[attr-defined]  # the run's own look at the server
    return int(client.info("memory")["used_memory"])


def _report(ledger: Ledger, grown: int, orphans: list[int], open_left: int) -> Table:
    outcomes, kills = ledger.outcomes(), Counter(name.split("-")[0] for _, name in ledger.kills)
    recoveries = ledger.recoveries()
    table = Table("", "", title=f"{PLAY_S:g} s of chaos, seed {SEED}")
    for what, figure in (
        ("asked", len(ledger.asked)),
        ("decided", outcomes["completed"]),
        ("failed with event", outcomes["failed"]),
        ("lost", len(ledger.lost)),
        ("deliberations with more than one end", len(ledger.doubled)),
        ("kills", ", ".join(f"{name} {count}" for name, count in sorted(kills.items()))),
        ("undisturbed, median s", f"{median(ledger.durations()):.1f}"),
        ("from the last kill to the end, median s", f"{median(recoveries):.1f} (goal {RECOVERED_WITHIN_S:g})"),
        ("from the last kill to the end, 95th percentile s", f"{quantile(recoveries, 0.95):.1f}"),
        ("model calls", ledger.calls),
        ("model calls made more than once", ledger.calls_twice),
        ("dead letters", ledger.dead_letters),
        ("left open, processes left", f"{open_left}, {len(orphans)}"),
        ("Valkey's memory grew by KiB", grown // 1024),
    ):
        table.add_row(what, str(figure))
    return table
