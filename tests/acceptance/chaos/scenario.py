"""A scenario: approvals come steadily, something is broken on purpose, all comes to its end, the judge looks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.acceptance.chaos.asking import approve_steadily
from tests.acceptance.chaos.ledger import Kill, Ledger, read_ends
from tests.acceptance.chaos.replay import history
from tests.acceptance.chaos.stage import ENV, Stage, staged
from tests.support.judge import Finding, Terms, judge
from workers.processes.guard import Guard
from workers.processes.readiness import wait_until

FLEET = {"beat": 1, "bridge": 1, "control": 2, "worker": 1}
ASK_EVERY_S = 0.2
SETTLE_WITHIN_S = 240.0
OPEN_WITHIN_S = 60.0


class Scene:
    """What a scenario's play sees and steers."""

    def __init__(self, stage: Stage, ledger: Ledger, count: int) -> None:
        self.stage = stage
        self.ledger = ledger
        self.count = count
        """Approvals to make at least."""

    def wait_asked(self, share: float) -> None:
        """Wait until that share of the approvals was made."""
        self._wait(lambda: len(self.ledger.asked) >= share * self.count, "approvals are not made")

    def wait_open(self) -> None:
        """Wait until deliberations are open, so that the next blow meets some."""
        self._wait(lambda: self.stage.services.deliberations.count_open() > 0, "nothing is open")

    def wait_more(self, count: int) -> None:
        """Wait until so many further approvals were made."""
        before = len(self.ledger.asked)
        self._wait(lambda: len(self.ledger.asked) >= before + count, "approvals are not made")

    def blow(self, what: str) -> None:
        """Note that something was just broken, or that what was broken is back: recovery counts from here."""
        self.ledger.kills.append(Kill(time.time(), what))

    def _wait(self, condition: Callable[[], bool], otherwise: str) -> None:
        assert wait_until(condition, within=OPEN_WITHIN_S), otherwise


@dataclass(frozen=True)
class Scenario:
    name: str
    play: Callable[[Scene], None]
    terms: Terms = field(default_factory=Terms)
    latency_s: float = 0.3
    env: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Further variables of all processes of a kind."""
    prepare: Callable[[str], None] = lambda nats_url: None
    """Called with the address of NATS before any process of ours runs."""
    needs: Callable[[], str] = lambda: ""
    """Says what this machine lacks for it."""


@dataclass(frozen=True)
class Played:
    """What came of it."""

    ledger: Ledger
    findings: list[Finding]


def play(scenario: Scenario, count: int, folder: Path, guard: Guard) -> Played:
    """Run the scenario with at least `count` approvals."""
    ledger, env = Ledger(), {**ENV, **scenario.env}
    with staged(
        folder,
        guard,
        latency_s=scenario.latency_s,
        count=FLEET,
        env=env,
        own=scenario.own,
        prepare=scenario.prepare,
    ) as stage:
        return asyncio.run(_play(scenario, Scene(stage, ledger, count)))


async def _play(scenario: Scenario, scene: Scene) -> Played:
    stage, ledger, over = scene.stage, scene.ledger, threading.Event()

    def enough() -> bool:
        return over.is_set() and len(ledger.asked) >= scene.count

    asking = asyncio.create_task(approve_steadily(stage.nats.url, ledger.asked, every_s=ASK_EVERY_S, over=enough))
    try:
        await asyncio.to_thread(scenario.play, scene)
    finally:
        over.set()
        await asking
    await _settle(stage, ledger)
    return Played(ledger, judge(await history(stage, ledger.asked), scenario.terms))


async def _settle(stage: Stage, ledger: Ledger) -> None:
    """Wait until all that was asked has an end or is reported lost, and nothing is left to do; or a long time."""
    over = time.monotonic() + SETTLE_WITHIN_S
    while time.monotonic() < over:
        stage.supervise()
        ledger.ends = await read_ends(stage.nats.url)
        idle = stage.services.deliberations.count_open() == stage.services.outbox.count() == 0
        if len(ledger.lost) <= stage.reported_lost() and idle:
            return
        await asyncio.sleep(0.5)
