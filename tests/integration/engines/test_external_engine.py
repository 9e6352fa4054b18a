"""A worker in front of an engine that it does not run."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr

from domain.engine import EngineKind, Guidance
from domain.ports.clock import Clock
from tests.support.gpu_node import Node, until
from tests.support.http_routes import serving
from tests.support.in_memory.engine_directory import MemoryEngineDirectory
from tests.support.pinned_worker import ready_check_of
from tests.support.scripted_engine import ScriptedEngine
from tests.support.servers import ValkeyServer
from workers.adapters.clock import SystemClock
from workers.engines.errors import EngineError
from workers.engines.pinned import PinnedEngine
from workers.engines.spec import EngineSpec
from workers.processes.guard import Guard
from workers.processes.ports import free_port


@pytest.fixture
def node(tmp_path: Path, valkey_server: ValkeyServer, guard: Guard) -> Node:
    return Node(tmp_path, valkey_server, guard)


def external(engine: ScriptedEngine, **more: object) -> EngineSpec:
    known = {"kind": EngineKind.EXTERNAL, "model": engine.model, "url": engine.openai_url, "probe_every_s": 0.2}
    return EngineSpec.model_validate({**known, "publish_ttl_s": 3.0, "probe_within_s": 1.0, **more})


class Gate:
    """Remembers whether it stands open."""

    def __init__(self) -> None:
        self.stands_open = False
        self.closings = 0

    def open(self) -> None:
        self.stands_open = True

    def close(self) -> None:
        self.stands_open = False
        self.closings += 1


class Watched:
    """One pinned engine without a worker: what its worker would see."""

    def __init__(self, spec: EngineSpec) -> None:
        clock: Clock = SystemClock()
        self.directory, self.gate = MemoryEngineDirectory(clock=clock), Gate()
        self.failures: list[EngineError] = []
        self.pinned = PinnedEngine(spec, lambda: self.directory, ready_check=ready_check_of(spec), clock=clock)
        self.pinned.start("tester@here", gate=self.gate, failed=self.failures.append)

    def looks(self) -> int:
        """How often the gate was shut: once at the start, and once after every look that found no engine."""
        return self.gate.closings

    def leave(self) -> None:
        self.pinned.pause()
        self.pinned.stop(keep=False)


def test_tasks_are_answered_by_the_external_engine_and_it_outlives_the_worker(node: Node) -> None:
    with ScriptedEngine("theirs", latency_s=0.1) as engine:
        worker = node.worker(external(engine))
        node.ask("a", "b")
        until(lambda: node.answered() == ["a", "b"], "the answers")
        (record,) = node.engines()
        assert (record.kind, record.url, record.guidance) == ("external", engine.openai_url, "json_schema")
        assert worker.leave() == 0
        assert node.engines() == ()
        assert node.running() == {}
        assert len(engine.bodies) == 2


def test_while_it_is_away_no_task_is_taken_and_when_it_is_back_they_are(node: Node) -> None:
    port = free_port()
    with ScriptedEngine("theirs", latency_s=0, port=port) as engine:
        worker = node.worker(external(engine))
        node.until_ready()
    until(lambda: node.engines() == (), "the engine out of the directory")
    node.ask("waits")
    with ScriptedEngine("theirs", latency_s=0, port=port):
        until(lambda: node.answered() == ["waits"], "the answer")
        assert worker.leave() == 0


def test_a_worker_may_start_before_its_engine() -> None:
    port = free_port()
    spec = EngineSpec(
        kind=EngineKind.EXTERNAL, model="theirs", url=f"http://127.0.0.1:{port}/v1", probe_every_s=0.1
    )
    watched = Watched(spec)
    assert watched.pinned.record() is None
    with ScriptedEngine("theirs", port=port):
        until(lambda: watched.gate.stands_open, "the open gate")
        watched.leave()
    assert watched.failures == []


def test_a_model_that_it_does_not_serve_ends_the_worker_with_what_it_serves() -> None:
    with ScriptedEngine("theirs") as engine:
        watched = Watched(external(engine, model="ours"))
        until(lambda: watched.failures, "the failure")
        watched.leave()
    assert str(watched.failures[0]) == f"{engine.openai_url} does not serve ours; it serves theirs"
    assert not watched.gate.stands_open


def test_a_refused_key_is_told_as_such_without_the_key() -> None:
    with ScriptedEngine("theirs", key="right") as engine:
        watched = Watched(external(engine, key=SecretStr("wr0ng")))
        until(lambda: watched.failures, "the failure")
        watched.leave()
        assert str(watched.failures[0]) == f"{engine.openai_url} refuses the key it was shown (401)"
        admitted = Watched(external(engine, key=SecretStr("right")))
        until(lambda: admitted.gate.stands_open, "the open gate")
        admitted.leave()


def test_an_endpoint_that_lists_no_models_is_taken_at_its_word() -> None:
    with ScriptedEngine("theirs", lists_models=False) as engine:
        watched = Watched(external(engine, max_model_len=4096, slots=3, guidance=Guidance.REGEX))
        until(lambda: watched.directory.serving("theirs"), "the engine in the directory")
        (record,) = watched.directory.serving("theirs")
        watched.leave()
    assert (record.context_length, record.slots, record.guidance) == (4096, 3, Guidance.REGEX)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "its URL must be where the API begins, as in http://host:8000/v1"),
        ("/v1/moved", "it redirects: name its final address"),
        ("/page", "it answers a page of HTML; its URL must be the API's, as in http://host:8000/v1"),
        ("/engine", "the engine failed (502): upstream"),
    ],
    ids=["without /v1", "redirects", "HTML", "always failing"],
)
def test_a_url_that_is_not_the_apis_is_named_at_start_and_the_gate_stays_shut(
    path: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def moved(_: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("/v1/models")

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html>internal</html>", content_type="text/html")

    async def broken(_: web.Request) -> web.Response:
        return web.json_response({"error": {"message": "upstream"}}, status=502)

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "theirs"}]})

    routes = [
        web.get("/v1/moved/models", moved),
        web.get("/page/models", page),
        web.get("/engine/models", models),
        web.post("/engine/chat/completions", broken),
    ]
    with serving(routes) as url, caplog.at_level(logging.WARNING, logger="workers.engines"):
        spec = EngineSpec(kind=EngineKind.EXTERNAL, model="theirs", url=f"{url}{path}", probe_every_s=0.1)
        watched = Watched(spec)
        until(lambda: any(words in message for message in caplog.messages), f"{words} in the log")
        # It is looked at ten times a second, and spoken of once a minute.
        until(lambda: watched.looks() > 3, "more looks")
        watched.leave()
    assert sum(words in message for message in caplog.messages) == 1
    assert not watched.gate.stands_open
    assert watched.directory.serving("theirs") == ()
