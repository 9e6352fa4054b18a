"""Real worker processes of the test application, and the client that gives them work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis
from celery import Celery, Signature, chord, group

from tests.acceptance.broker.journal import Journal
from tests.support.servers import ValkeyServer
from workers.broker import celery_conf, install
from workers.processes.command import ProcessCommand, spawn
from workers.processes.guard import Guard
from workers.processes.log_file import LogFile
from workers.processes.readiness import log_says, wait_until
from workers.processes.sessions import kill_group

ROOT = Path(__file__).parents[3]
WITHIN = 120.0
"""Seconds for what must come; generous, since test machines are shared."""
PREFIXES = {"broker_prefix": "test:broker:", "results_prefix": "test:results:"}
"""In front of all keys, as in the product."""
QUEUE, UNACKED = (f"{PREFIXES['broker_prefix']}{name}" for name in ("celery", "unacked"))


def eventually(condition: Callable[[], bool], what: str, within: float = WITHIN) -> None:
    """Wait until something holds; fail saying what didn't."""
    assert wait_until(condition, within=within, every=0.05), f"not within {within} s: {what}"


def crash(server: ValkeyServer) -> None:
    """Kill a server that has on disk what it confirmed.

    With `appendfsync everysec` its log may lag for up to two seconds while the disk is busy. What is lost then is
    for a sweeper of the application to find; here it would only make tests fail at random.
    """
    with redis.Redis(port=server.port, db=15) as client:
        client.set("log", "written up to here")
        client.waitaof(1, 0, 10_000)
    server.kill9()


class Worker:
    """One `celery worker` process."""

    def __init__(self, child: subprocess.Popen[bytes], log: LogFile) -> None:
        self._child = child
        self.log = log

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child.poll() is None

    def has_ended(self) -> bool:
        return not self.running

    @property
    def exit_code(self) -> int | None:
        return self._child.poll()

    def kill9(self) -> None:
        """End it without warning, its pool's children too."""
        kill_group(self._child.pid)
        self._child.wait(timeout=WITHIN)

    def freeze(self) -> None:
        """Stop it in its tracks, as a paused machine is."""
        kill_group(self._child.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        kill_group(self._child.pid, signal.SIGCONT)

    def terminate(self) -> None:
        """Ask it to finish what it does."""
        self._child.send_signal(signal.SIGTERM)


@dataclass
class Fleet:
    """Workers, and what they share: servers, journal and settings."""

    folder: Path
    guard: Guard
    broker: ValkeyServer
    results: ValkeyServer
    visibility_s: float = 2.0
    outage_s: float = 20.0
    env: Mapping[str, str] = field(default_factory=dict)
    broker_url: str = ""
    result_url: str = ""

    def __post_init__(self) -> None:
        self.broker_url = self.broker_url or f"{self.broker.url}/0"
        self.result_url = self.result_url or f"{self.results.url}/1"
        self.journal = Journal(self.folder / "journal")
        self.workers: list[Worker] = []
        self.client = self._client()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.workers:
            worker.kill9()
        self.client.close()

    def start(self, *, concurrency: int = 2, pool: str = "threads", await_it: bool = True) -> Worker:
        """Start a worker; with `await_it`, return when it consumes."""
        name = f"w{len(self.workers)}"
        argv = (
            *(sys.executable, "-m", "celery", "-A", "tests.acceptance.broker.app", "worker"),
            *("-P", pool, "-c", str(concurrency), "-n", f"{name}@%h", "-l", "INFO"),
            *("-E", "--without-mingle", "--without-gossip"),
        )
        log = LogFile(self.folder / f"{name}.log")
        process = ProcessCommand(name=name, argv=argv, env=self._environment())
        worker = Worker(spawn(process, log=log, guard=self.guard, cwd=ROOT), log)
        self.workers.append(worker)
        if await_it:
            self.await_ready(worker)
        return worker

    def await_ready(self, *workers: Worker) -> None:
        """Wait until these workers consume."""
        for worker in workers:
            eventually(partial(log_says("ready."), worker.log), f"ready: {worker.log.tail()}")

    def work(self, seconds: float, *, task_id: str | None = None, **options: Any) -> str:
        """Publish one task; return its id."""
        task_id = task_id or uuid.uuid4().hex
        self.client.signature("work", (seconds,), task_id=task_id, **options).apply_async()
        return task_id

    def chord(self, seconds: list[float], *, callback_s: float = 0.0) -> tuple[list[str], str]:
        """Publish a chord of one header task per entry; return the ids of the header and of the callback."""
        header = [uuid.uuid4().hex for _ in seconds]
        signatures = [
            self.client.signature("work", (wait, task_id), task_id=task_id)
            for wait, task_id in zip(seconds, header, strict=True)
        ]
        return header, self._chord(signatures, callback_s=callback_s)

    def varying_chord(self, size: int) -> tuple[list[str], str]:
        """Publish a chord whose header tasks return something else in every run."""
        header = [uuid.uuid4().hex for _ in range(size)]
        return header, self._chord(
            [self.client.signature("vary", (task_id,), task_id=task_id) for task_id in header]
        )

    def chord_of_one_sent_back(self) -> tuple[str, str]:
        """Publish a chord whose header task goes back to its queue when the journal says so; return both ids."""
        header = uuid.uuid4().hex
        return header, self._chord([self.client.signature("sent_back", (header,), task_id=header)])

    def _chord(self, header: list[Signature[Any]], *, callback_s: float = 0.0) -> str:
        callback_id = uuid.uuid4().hex
        callback = self.client.signature("conclude", kwargs={"seconds": callback_s}, task_id=callback_id)
        chord(group(header, app=self.client), app=self.client)(callback)
        return callback_id

    def await_poll(self) -> None:
        """Wait until a worker waits for messages."""
        with redis.Redis(port=self.broker.port) as client:
            eventually(lambda: client.info("clients")["blocked_clients"] > 0, "a worker polling")

    def begun(self, task_id: str, times: int = 1) -> None:
        """Wait until a task was begun so often."""
        eventually(lambda: self.journal.count("begin", task_id) >= times, f"{task_id} begun {times} times")

    def ended(self, task_id: str, within: float = WITHIN) -> None:
        """Wait until a task has ended."""
        eventually(lambda: self.journal.count("end", task_id) >= 1, f"{task_id} ended", within)

    def unacked(self) -> int:
        """How many messages are in flight, as the broker sees it."""
        with redis.Redis(port=self.broker.port) as client:
            return int(client.hlen(UNACKED))

    def waiting(self) -> int:
        """How many messages are in the queue."""
        with redis.Redis(port=self.broker.port) as client:
            return int(client.llen(QUEUE))

    def is_idle(self) -> bool:
        """Whether no message waits, and none is in flight."""
        return self.waiting() == 0 and self.unacked() == 0

    def cut_connections(self) -> None:
        """Close all connections to the broker, which stays where it is."""
        with redis.Redis(port=self.broker.port) as client:
            client.client_kill_filter(_type="normal", skipme=True)
            client.client_kill_filter(_type="pubsub", skipme=True)

    def _client(self) -> Celery:
        app = Celery("broker_test_client", set_as_current=False)
        app.conf.update(
            celery_conf(
                broker_url=self.broker_url,
                result_url=self.result_url,
                broker_prefix=PREFIXES["broker_prefix"],
                results_prefix=PREFIXES["results_prefix"],
                visibility_timeout_s=self.visibility_s,
                sentinel_master=self.env.get("BROKER_TEST_MASTER", ""),
            )
        )
        install(app)
        return app

    def _environment(self) -> dict[str, str]:
        return {
            "BROKER_TEST_BROKER": self.broker_url,
            "BROKER_TEST_RESULTS": self.result_url,
            "BROKER_TEST_PREFIXES": json.dumps(PREFIXES),
            "BROKER_TEST_VISIBILITY": str(self.visibility_s),
            "BROKER_TEST_OUTAGE": str(self.outage_s),
            "BROKER_TEST_JOURNAL": str(self.journal.path),
            "PYTHONUNBUFFERED": "1",
            "COLUMNS": os.environ.get("COLUMNS", "200"),
            **self.env,
        }
