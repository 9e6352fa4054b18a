"""Whole deliberations by this code and by an older commit's, in turns on one engine.

The older code runs from a clone of its own, as processes with servers of their own. Both are asked as strangers
ask: over NATS, by the contract, since neither reads what the other stored.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import exp, log
from pathlib import Path
from statistics import median
from typing import Any

import nats
from rich.console import Console
from rich.table import Table

from domain.council import Council
from domain.proving.gap import Interval, mean_interval, resampled
from tests.support.factories import fresh
from tests.support.fleet import Fleet
from tests.support.servers import NatsServer, ValkeyServer
from workers.processes.guard import Guard

ROOT = Path(__file__).parents[3]
WITHIN_S = 900.0
STAGES = ("proposing", "reviewing")
DONE, FAILED = "orchestration.deliberation.completed", "orchestration.deliberation.failed"


@dataclass(frozen=True)
class Engine:
    """The engine that both versions ask."""

    url: str
    model: str
    guidance: str
    """How it is kept to a form, in the word of `CONCLAVE_ENGINE_GUIDANCE`."""


@dataclass(frozen=True)
class Turn:
    """One deliberation: seconds by the consumer's clock, and what its event tells of calls and tokens."""

    seconds: float
    body: Mapping[str, Any]

    @property
    def calls(self) -> int:
        return sum(agent["calls"] for agent in self.body["usage"]["agents"].values())

    def stage_s(self, name: str) -> float:
        """Return the wall time of a stage of the deliberation."""
        return float(self.body["timings"][f"{name}_ms"]) / 1000

    @property
    def review_tokens(self) -> tuple[int, int]:
        """Prompt tokens that no cache served, and tokens written."""
        usage = [ballot["usage"] for ballot in self.body["ballots"]]
        read = sum(part["prompt_tokens"] - part["cached_tokens"] for part in usage)
        return read, sum(part["completion_tokens"] for part in usage)


def compare(
    engine: Engine,
    commit: str,
    rounds: Mapping[Council, int],
    plan: Mapping[str, object],
    *,
    folder: Path,
) -> bool:
    """Print how much faster this code is than the commit's, for each council; False if it is clearly slower."""
    older, guard = _cloned(commit, folder / "code"), Guard()
    table = Table(
        *("agents", "this code", commit[:10], "times as fast (95 %)", "proposing, s", "reviewing, s", "calls"),
        "review tokens read / written",
        title="medians; this code first where a cell holds two",
    )
    faster = True
    try:
        with ExitStack() as stack:
            urls = [
                stack.enter_context(_stage(folder / name, guard, code, engine, list(rounds)))
                for name, code in (("ours", ROOT), ("theirs", older))
            ]
            for council, pairs in rounds.items():
                row, ratio = _row(council, _in_turns(urls, {**plan, "roles": [council.role]}, pairs))
                table.add_row(*row)
                faster = faster and (ratio.high or 0.0) >= 1
    finally:
        guard.close()
    Console(width=120).print(table)
    return faster


def _in_turns(urls: Sequence[str], plan: Mapping[str, object], count: int) -> list[tuple[Turn, Turn]]:
    """Return pairs of turns, ours first; which of them goes first alternates."""
    for url in urls:
        _deliberate(url, plan)
    pairs = []
    for number in range(count):
        order = (0, 1) if number % 2 else (1, 0)
        turns = {side: _deliberate(urls[side], plan) for side in order}
        pairs.append((turns[0], turns[1]))
        print(f"{plan['roles']}: {turns[0].seconds:.1f} s, {turns[1].seconds:.1f} s", flush=True)
    return pairs


def _row(council: Council, pairs: Sequence[tuple[Turn, Turn]]) -> tuple[list[str], Interval]:
    logs = [log(theirs.seconds / ours.seconds) for ours, theirs in pairs]
    mean = mean_interval(logs, resampled(len(logs)))
    ratio = Interval(value=exp(mean.value or 0), low=exp(mean.low or 0), high=exp(mean.high or 0))
    sides = [[pair[side] for pair in pairs] for side in (0, 1)]
    cells = [
        str(len(council.agents)),
        *(f"{median(turn.seconds for turn in side):.1f} s" for side in sides),
        f"{ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f})",
        *("; ".join(f"{median(turn.stage_s(name) for turn in side):.1f}" for side in sides) for name in STAGES),
        "; ".join(f"{median(turn.calls for turn in side):.0f}" for side in sides),
        "; ".join(map(_review_tokens, sides)),
    ]
    return cells, ratio


def _review_tokens(side: Sequence[Turn]) -> str:
    return " / ".join(f"{median(turn.review_tokens[place] for turn in side):.0f}" for place in (0, 1))


def _deliberate(url: str, plan: Mapping[str, object]) -> Turn:
    return asyncio.run(_approve_and_wait(url, {**plan, "plan_id": fresh("plan"), "title": fresh("Reset")}))


async def _approve_and_wait(url: str, plan: Mapping[str, object]) -> Turn:
    client = await nats.connect(url)
    try:
        events = await client.subscribe("orchestration.deliberation.*")
        began = time.monotonic()
        await client.jetstream().publish("planning.plan.approved", json.dumps(plan).encode())
        async with asyncio.timeout(WITHIN_S):
            while True:
                message = await events.next_msg(timeout=None)
                body = json.loads(message.data)
                if body.get("plan_id") == plan["plan_id"] and message.subject in (DONE, FAILED):
                    break
        if message.subject == FAILED:
            raise RuntimeError(f"a deliberation failed: {body['reason']}")
        return Turn(time.monotonic() - began, body)
    finally:
        await client.close()


@contextmanager
def _stage(folder: Path, guard: Guard, code: Path, engine: Engine, councils: Sequence[Council]) -> Iterator[str]:
    """Run servers, a bridge and two workers of this code; yield the address of NATS."""
    with (
        NatsServer(folder / "nats", guard=guard) as nats_server,
        ValkeyServer(folder / "valkey", guard=guard) as valkey,
        Fleet(
            folder,
            guard,
            nats_url=nats_server.url,
            redis_url=valkey.url,
            engine_url=engine.url,
            model=engine.model,
            env={
                "CONCLAVE_ENGINE__GUIDANCE": engine.guidance,
                "CONCLAVE_ENGINE__SLOTS": "32",
                "CONCLAVE_POLICY__JUDGES": "0",
                # What a slow machine takes is to be measured, not lost to a bound.
                "CONCLAVE_POLICY__CALL_TIMEOUT_S": str(WITHIN_S),
                "CONCLAVE_POLICY__DEADLINE_S": str(WITHIN_S),
            },
        ) as fleet,
    ):
        fleet.code = code
        file = folder / "councils.json"
        file.write_text(
            json.dumps([council.model_dump(mode="json", exclude_defaults=True) for council in councils])
        )
        apply = (sys.executable, "-m", "workers.cli", "council", "apply", str(file))
        subprocess.run(apply, env={**os.environ, **fleet.env}, cwd=code, check=True)
        for service in (fleet.bridge(), fleet.control(), fleet.worker()):
            service.start()
        yield nats_server.url


def _cloned(commit: str, folder: Path) -> Path:
    """Check a commit of this repository out into a folder of its own."""
    git = ("git", "-c", "advice.detachedHead=false")
    subprocess.run([*git, "clone", "--quiet", "--no-checkout", "--shared", ROOT, folder], check=True)
    subprocess.run([*git, "-C", folder, "checkout", "--quiet", commit], check=True)
    return folder
