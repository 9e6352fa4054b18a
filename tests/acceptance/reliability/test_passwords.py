"""Passwords of servers and an engine's key change while plans are open: what is started again goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.record import DeliberationState
from tests.acceptance.conftest import services_of
from tests.acceptance.test_mixed_versions import asked, decided
from tests.support.fleet import Fleet, Service
from tests.support.observer import Observer, watching
from tests.support.scripted_engine import ScriptedEngine
from tests.support.secured import PASSWORD, SecuredNats, SecuredValkey
from tests.support.servers import NatsServer, Server, ValkeyServer
from workers.processes.guard import Guard
from workers.processes.readiness import wait_until

WITHIN = 180.0
OLD, NEW = PASSWORD.partition("{")[0], "an0ther-of-"

pytestmark = [pytest.mark.mixed, pytest.mark.timeout(6 * WITHIN)]


def changed(service: Service) -> None:
    """Write the new passwords where the service finds them, and start it again."""
    env = {name: value.replace(OLD, NEW) for name, value in (service.process.env or {}).items()}
    service.process = replace(service.process, env=env)
    if service.running:
        service.stop()
    service.start()


def test_a_new_key_of_an_engine_costs_no_agent(tmp_path: Path, guard: Guard) -> None:
    with (
        NatsServer(tmp_path / "nats", guard=guard) as nats,
        ValkeyServer(tmp_path / "valkey", guard=guard) as valkey,
        ScriptedEngine(key=OLD) as engine,
        Fleet(
            tmp_path,
            guard,
            nats_url=nats.url,
            redis_url=valkey.url,
            engine_url=engine.openai_url,
            env={"CONCLAVE_ENGINE_KEY": OLD},
        ) as fleet,
    ):
        services_of(nats.url, valkey.url, fleet.model)
        callers = (fleet.control(), fleet.worker())
        for service in (fleet.bridge(), *callers):
            service.start()

        async def scenario(observer: Observer) -> None:
            await decided(observer, await asked(observer))
            for service in callers:
                service.stop()
            engine.script.key = NEW
            plan = await asked(observer)
            for service in callers:
                changed(service)
            await decided(observer, plan)

        watching(nats.url, scenario)


def test_new_passwords_lose_nothing(tmp_path: Path, guard: Guard) -> None:
    with (
        SecuredNats(tmp_path / "nats", guard=guard) as nats,
        SecuredValkey(tmp_path / "valkey", guard=guard) as valkey,
        ScriptedEngine(latency_s=1.0) as engine,
        Fleet(tmp_path, guard, nats_url=nats.url_of("bridge"), redis_url=valkey.url_of("bridge")) as bridges,
        Fleet(
            tmp_path,
            guard,
            nats_url=nats.url_of("worker"),
            redis_url=valkey.url_of("worker"),
            engine_url=engine.openai_url,
        ) as fleet,
    ):
        services_of(nats.url_of("worker"), valkey.url_of("worker"), fleet.model)
        running = (bridges.bridge(), fleet.control(), fleet.worker(), fleet.beat())
        for service in running:
            service.start(wait=False)
        for service in running:
            service.wait_ready()
        plans: list[str] = []

        async def before(observer: Observer) -> None:
            await decided(observer, await asked(observer))
            plans.append(await asked(observer))

        async def meanwhile(observer: Observer) -> None:
            plans.append(await asked(observer))

        watching(nats.url_of("bridge"), before)
        servers: tuple[Server, ...] = (nats, valkey)
        for server in servers:
            changed(server)
        watching(nats.url_of("bridge").replace(OLD, NEW), meanwhile)
        for service in running:
            changed(service)
        store = services_of(
            nats.url_of("worker").replace(OLD, NEW), valkey.url_of("worker").replace(OLD, NEW), fleet.model
        ).deliberations

        def states() -> list[DeliberationState]:
            return [store.load(identity).state for plan in plans for identity in store.of_plan(plan)]

        assert wait_until(lambda: states() == [DeliberationState.DECIDED] * 2, within=WITHIN), states()
