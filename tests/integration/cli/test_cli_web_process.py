"""`conclave web` serves the page over the real store, ends on a signal, and is refused where all could read it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from bridge.nats_connection import connect
from bridge.options import StreamLimits
from bridge.streams import PLANNING, all_streams, ensure
from domain.events import started
from domain.services import Services
from tests.support import factories as make
from tests.support.commands import Run
from tests.support.fleet import Service
from tests.support.web_page import web_page
from workers.portal import Portal
from workers.processes.guard import Guard
from workers.processes.ports import free_port
from workers.processes.readiness import wait_until
from workers.settings import Settings


def test_the_page_shows_what_the_store_holds_and_stops_on_sigterm(
    environment: Settings, services: Services, tmp_path: Path, guard: Guard
) -> None:
    opened = make.opened()
    services.deliberations.record(opened.deliberation.deliberation_id, opened)
    port = free_port()
    page = Service(web_page(port), folder=tmp_path, guard=guard).start()
    for path in ("/deliberations", f"/deliberations/{opened.deliberation.deliberation_id}"):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            assert opened.deliberation.plan.title in answer.read().decode()
            assert "server" not in answer.headers
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/councils", timeout=60) as answer:
        assert "conclave council apply" in answer.read().decode()
    assert page.stop() == 0


def test_what_waits_for_a_decision_is_answered_when_the_page_is_stopped(
    environment: Settings, services: Services, tmp_path: Path, guard: Guard
) -> None:
    services.councils.save(make.council("DEV"))
    opened = make.opened(opened_at=services.clock.now())
    identity = opened.deliberation.deliberation_id
    services.deliberations.record(identity, opened)
    port, portal = free_port(), Portal()
    url = f"http://127.0.0.1:{port}"
    page = Service(web_page(port), folder=tmp_path, guard=guard)
    try:
        published = portal.call(_approvals, environment)
        services.publisher.publish([started(opened.deliberation)])
        page.start()
        flowing = threading.Event()
        with ThreadPoolExecutor(2) as pool:
            approval = pool.submit(_answer, f"{url}/api/approvals?wait=3600", {"title": "Keep", "roles": ["DEV"]})
            events = pool.submit(_read, f"{url}/api/deliberations/{identity}/events", flowing)
            assert wait_until(lambda: portal.call(_approvals, environment) > published, within=240)
            assert flowing.wait(240)
            assert page.stop() == 0
            status, body = approval.result(60)
            assert (status, json.loads(body)["error"]) == (504, "not decided before this page stopped; it goes on")
            assert events.result(60)
    finally:
        portal.close()
        page.close()


STARTING = """
import time, uvicorn
from contextlib import asynccontextmanager
from fastapi import FastAPI
from web.stopping import Stopping
from workers.web_process import PageServer

@asynccontextmanager
async def slow(app):
    print("starting", flush=True)
    time.sleep(600)
    yield

PageServer(uvicorn.Config(FastAPI(lifespan=slow), port=0), Stopping()).run_until_signalled()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_while_it_starts(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", STARTING], stdout=subprocess.PIPE, text=True) as page:
        assert page.stdout is not None
        try:
            assert page.stdout.readline() == "starting\n"
            page.send_signal(number)
            assert page.wait(240) == 0
        finally:
            page.kill()


def _answer(url: str, body: dict[str, Any] | None = None) -> tuple[int, bytes]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=240) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def _read(url: str, flowing: threading.Event) -> bytes:
    """Read a stream to its end, and say when its first line has come; raises IncompleteRead for one cut off."""
    with urllib.request.urlopen(url, timeout=240) as answer:
        first = answer.readline()
        flowing.set()
        return bytes(first + answer.read())


async def _approvals(settings: Settings) -> int:
    """Return how many approvals were published; makes the streams where there are none."""
    client = await connect(settings.nats)
    for plan in all_streams():
        await ensure(client.jetstream(), plan, StreamLimits())
    info = await client.jetstream().stream_info(PLANNING.name)
    await client.close()
    return info.state.last_seq


def test_other_hosts_need_a_login(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONCLAVE_WEB_USERS", raising=False)
    refused = run("web", "--host", "0.0.0.0")
    assert refused.exit_code == 1
    assert "without a login" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_password_becomes_a_hash_that_settings_take(environment: Settings) -> None:
    command = [sys.executable, "-m", "workers.cli", "password"]
    done = subprocess.run(command, input="open sesame\n", capture_output=True, text=True, timeout=60, check=True)
    assert PasswordHasher().verify(done.stdout.strip(), "open sesame")
    assert Settings.model_validate({"web": {"users": {"ada": done.stdout.strip()}}}).web.users
    empty = subprocess.run(command, input="\n", capture_output=True, text=True, timeout=60)
    assert (empty.returncode, empty.stdout) == (2, "")
