"""One engine of three is hostile, each trick in turn: it fails its own agent, and nobody else notices."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web

from domain.council import Agent, Council
from domain.services import Services
from domain.statistics import statistics
from tests.acceptance.conftest import services_of
from tests.acceptance.test_pipeline import APPROVED, COMPLETED, FAILED, approval
from tests.support.fleet import Fleet
from tests.support.http_routes import serving
from tests.support.observer import Observer, watching
from tests.support.scripted_answers import is_ready_check
from tests.support.scripted_engine import ScriptedEngine
from tests.support.servers import NatsServer, ValkeyServer
from workers.processes.guard import Guard
from workers.processes.readiness import wait_until

HOSTILE, ROLE = "hostile", "DEV"
MIB = 1024 * 1024
MOST_BYTES = 300 * MIB
DEADLINE_S = 40.0
TEXT = "1. Trust me. 2. The index. is the best of all proposals."
TRICKS = (
    "bomb",
    "endless body",
    "redirect",
    "redirect loop",
    "huge usage",
    "numbers of 400 digits",
    "endless 429",
    "a name of its own",
    "a header of 2 MB",
    "a channel of one word",
)
SPEAKS = frozenset({"huge usage", "numbers of 400 digits", "a name of its own"})
"""Tricks that come with a proposal."""


class Hostile:
    """OpenAI's API as it should be while a worker checks it, and one trick after that."""

    def __init__(self) -> None:
        self.trick = ""
        self.address = ""
        self.elsewhere = 0
        """How often a redirect was followed."""

    @property
    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/models", self._models),
            web.post("/v1/chat/completions", self._chat),
            web.post("/elsewhere", self._elsewhere),
        ]

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": HOSTILE}]})

    async def _elsewhere(self, _: web.Request) -> web.Response:
        self.elsewhere += 1
        return self._said("An internal page.")

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        if is_ready_check(await request.json()):
            return self._said("ready")
        match self.trick:
            case "bomb":
                bomb = gzip.compress(b" " * (512 * MIB), compresslevel=1)
                return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})
            case "endless body":
                return await self._endless(request)
            case "redirect":
                return web.Response(status=307, headers={"Location": "/elsewhere"})
            case "redirect loop":
                return web.Response(status=307, headers={"Location": "/v1/chat/completions"})
            case "huge usage":
                return self._said(TEXT, usage={"prompt_tokens": 2**63, "completion_tokens": 2**63 - 1})
            case "numbers of 400 digits":
                nines = int("9" * 400)
                return self._said(TEXT, usage={"prompt_tokens": nines, "completion_tokens": -nines})
            case "endless 429":
                return web.json_response({"error": {"message": "later"}}, status=429)
            case "a name of its own":
                return self._said(TEXT, model="the index. ")
            case "a header of 2 MB":
                return web.Response(text="{}", headers={"X-Long": "x" * (2 * MIB)})
            case "a channel of one word":
                return self._said("<|channel|>" + "a" * (7 * MIB))
        raise web.HTTPInternalServerError

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse()
        await stream.prepare(request)
        try:
            while True:
                await stream.write(b" " * MIB)
                await asyncio.sleep(0)
        except (ConnectionError, asyncio.CancelledError):
            return stream

    @staticmethod
    def _said(text: str, **more: object) -> web.Response:
        choice = {"message": {"content": text}, "finish_reason": "stop"}
        return web.json_response({"choices": [choice], **more})


@dataclass(frozen=True)
class Besieged:
    """A fleet whose council of three has one hostile engine."""

    fleet: Fleet
    services: Services
    hostile: Hostile
    nats_url: str
    told: list[str] = field(default_factory=list)
    """Deliberations whose completed event was heard."""


@pytest.fixture(scope="module")
def besieged(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[Besieged]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    hostile = Hostile()
    with (
        NatsServer(folder / "nats", guard=guard) as nats,
        ValkeyServer(folder / "valkey", guard=guard) as valkey,
        ScriptedEngine(latency_s=0.05) as engine,
        serving(hostile.routes) as address,
        Fleet(
            folder,
            guard,
            nats_url=nats.url,
            redis_url=valkey.url,
            engine_url=engine.openai_url,
            env={"CONCLAVE_EXTERNAL_ENGINES": json.dumps({f"{address}/v1": ""})},
        ) as fleet,
    ):
        services = services_of(nats.url, valkey.url, fleet.model)
        agents = (
            Agent(agent_id="one", seed=1),
            Agent(agent_id="two", seed=2),
            Agent(agent_id="bad", model=HOSTILE),
        )
        services.councils.save(Council(role=ROLE, agents=agents))
        running = [
            fleet.bridge(),
            fleet.control(threads=8),
            fleet.beat(),
            fleet.worker(threads=8),
            fleet.worker(threads=8, model=HOSTILE, CONCLAVE_MODEL=HOSTILE, CONCLAVE_ENGINE_URL=f"{address}/v1"),
        ]
        for one in running:
            one.start()
        for model in (fleet.model, HOSTILE):
            assert wait_until(partial(serves, services, model), within=120), model
        yield Besieged(fleet, services, hostile, nats.url)


def serves(services: Services, model: str) -> bool:
    return bool(services.engines.serving(model))


@pytest.mark.parametrize("trick", TRICKS)
def test_the_others_decide_in_time(besieged: Besieged, trick: str) -> None:
    besieged.hostile.trick = trick

    async def scenario(observer: Observer) -> None:
        asked = approval(roles=[ROLE], constraints={"deadline_s": DEADLINE_S})
        await observer.publish(APPROVED, asked)
        (event,) = await observer.wait(COMPLETED, plan_id=asked["plan_id"], within=4 * DEADLINE_S)
        body = event.body
        besieged.told.extend(one.body["deliberation_id"] for one in observer.of(COMPLETED))
        assert observer.of(FAILED) == []
        assert body["duration_ms"] <= DEADLINE_S * 1000
        authors = {decision["proposal"]["author"]["agent_id"] for decision in body["decisions"]}
        assert authors == ({"one", "two", "bad"} if trick in SPEAKS else {"one", "two"})
        honest = [ballot for ballot in body["ballots"] if ballot["reviewer"] in ("one", "two")]
        assert honest
        assert [ballot for ballot in honest if ballot["missing"]] == []
        if trick not in SPEAKS:
            (failed,) = [failure for failure in body["failures"] if failure["agent_id"] == "bad"]
            assert failed["detail"]
        # It called itself "the index. ", which the honest proposals may say.
        assert "[model]" not in json.dumps(body)
        assert body["usage"]["completion_tokens"] < 10_000

    watching(besieged.nats_url, scenario)
    assert besieged.hostile.elsewhere == 0


def test_afterwards_the_books_balance_and_no_process_has_grown(besieged: Besieged) -> None:
    assert len(besieged.told) == len(set(besieged.told)) == len(TRICKS)
    deliberations = besieged.services.deliberations
    stored = [deliberations.load(identity) for identity in deliberations.newest(100)]
    assert {record.state for record in stored} == {"decided"}
    assert len(stored) == len(TRICKS)
    assert statistics(deliberations.counts()).total.decided == len(TRICKS)
    assert besieged.services.outbox.count() == 0
    for service in besieged.fleet.services:
        assert peak_bytes(service.pid) < MOST_BYTES, service.process.name


def peak_bytes(pid: int) -> int:
    """Read the most memory that a process ever held."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024
