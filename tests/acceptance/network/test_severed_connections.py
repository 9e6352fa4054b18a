"""Links between machines break, go silent and are slow while deliberations run: each is decided, once, and every
process stays the one it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import pytest

from tests.acceptance.network.load import COMPLETED, Load, load
from tests.acceptance.network.sites import Machine, Sites, connected
from tests.support.observer import Observer, until, watching
from tests.support.tcp_proxy import TcpProxy
from workers.processes.guard import Guard

CUT_S = 3.0
SILENT_S = 8.0
"""Longer than any socket's time-out."""
RECOVERED_WITHIN = 60.0
SETTLED_WITHIN = 120.0
IN_HAND = 10
"""Tasks: what a machine can hold at this load."""


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[Sites]:
    with connected(tmp_path_factory.mktemp("network"), guard) as sites:
        yield sites


def test_bridge_and_workers_that_lose_nats_go_on_when_it_is_back(sites: Sites) -> None:
    links = [sites.edge.nats, sites.left.nats]

    async def scenario(observer: Observer) -> None:
        before = sites.pids()
        async with load(observer) as asking:
            await asking.decided(await asking.ask(), within=RECOVERED_WITHIN)
            async with broken(links, TcpProxy.sever):
                await asyncio.sleep(CUT_S)
            await asking.decided(await asking.ask(), within=RECOVERED_WITHIN)
            noticed = sites.edge.said("bridge", "nats_disconnected")
            async with broken(links, TcpProxy.half_open):
                # There is no other way to notice than pings without an answer.
                await _until_more(lambda: sites.edge.said("bridge", "nats_disconnected"), noticed)
            await asking.decided(await asking.ask(), within=RECOVERED_WITHIN)
        await _everything_decided_once(sites, asking)
        assert sites.pids() == before

    watching(sites.nats.url, scenario)


def test_workers_that_lose_valkey_come_back_and_others_go_on_meanwhile(sites: Sites) -> None:
    links = [sites.left.valkey]

    async def scenario(observer: Observer) -> None:
        before = sites.pids()
        async with load(observer) as asking:
            await asking.decided(await asking.ask(), within=RECOVERED_WITHIN)
            async with broken(links, TcpProxy.sever):
                await _goes_on(asking, CUT_S)
            await _takes_tasks(sites.left)
            async with broken(links, TcpProxy.half_open):
                await _goes_on(asking, SILENT_S)
            await _takes_tasks(sites.left)
        await _everything_decided_once(sites, asking)
        assert sites.pids() == before

    watching(sites.nats.url, scenario)


def test_a_bridge_and_a_beat_that_lose_valkey_stay(sites: Sites) -> None:
    links = [sites.edge.valkey]

    async def scenario(observer: Observer) -> None:
        before = sites.pids()
        async with load(observer) as asking:
            await asking.decided(await asking.ask(), within=RECOVERED_WITHIN)
            async with broken(links, TcpProxy.sever):
                await asyncio.sleep(CUT_S)
            await asking.decided(await asking.ask(), within=RECOVERED_WITHIN)
            async with broken(links, TcpProxy.half_open):
                await asyncio.sleep(SILENT_S)
            await asking.decided(await asking.ask(), within=RECOVERED_WITHIN)
        sent = partial(sites.edge.said, "beat", "Sending due task")
        await _until_more(sent, sent())
        await _everything_decided_once(sites, asking)
        assert sites.pids() == before

    watching(sites.nats.url, scenario)


def test_slow_links_delay_and_lose_nothing(sites: Sites) -> None:
    async def scenario(observer: Observer) -> None:
        before = sites.pids()
        for machine, delay_s in zip(sites.machines, (0.05, 0.075, 0.1), strict=True):
            machine.nats.delay_s = machine.valkey.delay_s = delay_s
        try:
            asking = Load(observer)
            await asyncio.gather(*(asking.ask() for _ in range(10)))
            await _everything_decided_once(sites, asking)
        finally:
            for machine in sites.machines:
                machine.nats.delay_s = machine.valkey.delay_s = 0.0
        assert sites.pids() == before

    watching(sites.nats.url, scenario)


@asynccontextmanager
async def broken(links: Sequence[TcpProxy], how: Callable[[TcpProxy], None]) -> AsyncIterator[None]:
    """Break links while the block runs, and heal them."""
    for link in links:
        how(link)
    try:
        yield
    finally:
        for link in links:
            link.heal()


async def _goes_on(asking: Load, seconds: float) -> None:
    """Let the time pass, in which what is asked is decided all the same."""
    await asyncio.gather(asking.decided(await asking.ask(), within=RECOVERED_WITHIN), asyncio.sleep(seconds))


async def _takes_tasks(machine: Machine) -> None:
    """Wait until all services of the machine have done more than they can have had in hand."""
    for service in machine.services:
        done = partial(machine.said, service, "step done")
        await _until_more(done, done() + IN_HAND)


async def _until_more(count: Callable[[], int], than: int) -> None:
    await until(lambda: count() > than, within=RECOVERED_WITHIN, what=lambda: f"still {count()}")


async def _everything_decided_once(sites: Sites, asking: Load) -> None:
    await asking.all_decided(within=SETTLED_WITHIN)
    await until(sites.nothing_is_left, within=RECOVERED_WITHIN, what=lambda: "something stays open")
    ends = await asking.ends(within=RECOVERED_WITHIN)
    assert {plan: len(found) for plan, found in ends.items() if len(found) != 1} == {}
    assert {found.subject for (found,) in ends.values()} == {COMPLETED}
    assert [found.body["failures"] for (found,) in ends.values() if found.body["degraded"]] == []
