"""A GPU node for tests: pinned workers as real processes, the store they meet in, and what is to see of them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

from redis import Redis

from domain.chat import ChatAnswer
from domain.engine import EngineRecord
from tests.support.pinned_worker import TASK, make_app, queue_of
from tests.support.servers import ValkeyServer
from workers.adapters.redis.engine_directory import RedisEngineDirectory
from workers.engines.engine_shim import RUNNING, read
from workers.engines.spec import EngineSpec
from workers.processes.command import ProcessCommand, spawn
from workers.processes.guard import Guard
from workers.processes.log_file import LogFile

MODEL = "scripted"
LEASE_S = 4.0


def until(condition: Callable[[], object], what: str, within: float = 120.0) -> None:
    """Wait for a condition; fails naming `what` when it does not come true in time."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"waited {within:g} s in vain: {what}"
        time.sleep(0.05)


def scripted(folder: Path, *words: str, **more: object) -> EngineSpec:
    """Describe a scripted engine in vLLM's place; `words` go to it, `more` are fields of the spec."""
    known: dict[str, object] = {
        "model": MODEL,
        "command": (sys.executable, "-m", "tests.support.scripted_engine", *words),
        "extra_args": ("--latency", "0.1"),
        "state_dir": folder / "engines",
        "lease_s": LEASE_S,
        "probe_every_s": 0.2,
        "probe_within_s": 1.0,
        "publish_ttl_s": 3.0,
    }
    return EngineSpec.model_validate({**known, **more})


class Node:
    """A GPU node of one test: workers that share a folder of engines, and the store they meet in."""

    def __init__(self, folder: Path, server: ValkeyServer, guard: Guard) -> None:
        self.folder = folder
        self.prefix = f"test-{uuid.uuid4().hex[:12]}:"
        self.spec = scripted(folder)
        self._server, self._guard = server, guard
        self._store = Redis.from_url(server.url)
        self._app = make_app(server.url)

    def spec_of(self, *words: str, **more: object) -> EngineSpec:
        """Describe a scripted engine on this node."""
        return scripted(self.folder, *words, **more)

    def worker(self, spec: EngineSpec | None = None) -> Worker:
        """Start a worker, pinned as the last one was unless told otherwise."""
        self.spec = spec or self.spec
        argv = (sys.executable, "-m", "tests.support.pinned_worker", self._server.url)
        process = ProcessCommand(name="worker", argv=(*argv, self.spec.model_dump_json(), self.prefix))
        log = LogFile(self.folder / f"worker-{uuid.uuid4().hex[:6]}.log")
        return Worker(spawn(process, log=log, guard=self._guard), log)

    def ask(self, *keys: str) -> None:
        """Queue one task per key for the model's workers."""
        for key in keys:
            self._app.send_task(TASK, [key], queue=queue_of(self.spec, self.prefix))

    def answers(self) -> list[ChatAnswer]:
        """Return what the tasks were answered so far."""
        kept = self._store.lrange(f"{self.prefix}answers", 0, -1)
        return [ChatAnswer.model_validate_json(answer) for answer in kept]

    def answered(self) -> list[str]:
        """Return the keys that were answered, as often as they were."""
        return sorted(answer.key for answer in self.answers())

    def waiting(self) -> int:
        """Count the tasks in the queue."""
        return int(self._store.llen(queue_of(self.spec, self.prefix)))

    def engines(self) -> tuple[EngineRecord, ...]:
        """Return what the directory tells."""
        everyone = RedisEngineDirectory(self._store, prefix=self.prefix).all()
        return tuple(record for record in everyone if record.ready)

    def running(self) -> dict[str, Any]:
        """Return the process ids of engine and shim from the engine's folder; empty if none runs."""
        folders = (self.folder / "engines").glob(f"*/{RUNNING}")
        return next((read(path) for path in folders), {})

    def until_ready(self, within: float = 30.0) -> dict[str, Any]:
        """Wait until the engine is in the directory, and tell of its processes."""
        until(lambda: self.engines(), "an engine in the directory", within)
        return self.running()


class Worker:
    """A worker process."""

    def __init__(self, child: subprocess.Popen[bytes], log: LogFile) -> None:
        self.child, self.log = child, log

    def leave(self) -> int:
        """Tell it to leave as an operator would; returns its exit code."""
        self.child.terminate()
        return self.child.wait(60)

    def kill9(self) -> None:
        """Kill it without warning."""
        self.child.kill()
        self.child.wait(10)


def steer(port: int, **what: object) -> None:
    """Script the engine on that port anew."""
    _scripted(port, "faults", json.dumps(what).encode())


def seen(port: int) -> dict[str, Any]:
    """Return how the scripted engine on that port was launched, and what it was asked."""
    told: dict[str, Any] = json.loads(_scripted(port, "requests"))
    return told


def _scripted(port: int, path: str, body: bytes | None = None) -> bytes:
    url = f"http://127.0.0.1:{port}/_scripted/{path}"
    with build_opener(ProxyHandler({})).open(url, body, timeout=60) as answer:
        return bytes(answer.read())
