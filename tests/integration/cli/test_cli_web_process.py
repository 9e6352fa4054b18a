"""`conclave web` serves the page over the real store, ends on a signal, and is refused where all could read it."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from domain.services import Services
from tests.support import factories as make
from tests.support.commands import Run
from tests.support.fleet import Service
from tests.support.web_page import web_page
from workers.processes.guard import Guard
from workers.processes.ports import free_port
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
