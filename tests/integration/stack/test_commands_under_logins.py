"""Every command under every shipped login: it works, or says in a sentence whose login does."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from bridge.subjects import PLAN_APPROVED
from domain.parked import Parked
from domain.services import Services
from tests.acceptance.conftest import services_of
from tests.support import commands
from tests.support.factories import (
    MOMENT,
    closed,
    completed_body,
    council,
    deliberation,
    fresh,
    opened,
    plan_request,
)
from tests.support.secured import SecuredNats, SecuredValkey
from tests.support.stores import close_gap_unseen
from tests.support.streams import leave_dead_letter, make_streams
from workers.cli.main import SERVICES, app
from workers.logins import COMMANDS, NATS, VALKEY, Needed
from workers.processes.guard import Guard

ROOT = Path(__file__).parents[3]
LOGINS: Mapping[str, tuple[str, str]] = {
    "bridge": ("bridge", "bridge"),
    "worker": ("worker", "worker"),
    "observer": ("observer", "observer"),
    "client": ("client", "observer"),
    "page": ("page", "page"),
    "publisher": ("publisher", ""),
    "flower": ("", "flower"),
}
"""Whose login → the users that it has at NATS and at Valkey; none where the file names none for it."""
NO_SERVERS = {"config", "schema", "password"}
MAKE_THEIR_OWN = {"demo", "up", "down"}
LOOKS_ALL_OVER = {"doctor", "prove"}
"""`doctor` tells what it may not look at, and goes on; `prove` asks for hours, by the means of `approve`."""


@pytest.fixture(scope="module")
def secured_nats(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[SecuredNats]:
    """Give a server of this module's own: what commands make here, others would carry out."""
    with SecuredNats(tmp_path_factory.mktemp("nats-of-commands"), guard=guard) as server:
        yield server


@pytest.fixture(scope="module")
def secured_valkey(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[SecuredValkey]:
    """See `secured_nats`."""
    with SecuredValkey(tmp_path_factory.mktemp("valkey-of-commands"), guard=guard) as server:
        yield server


class Installed:
    """Servers in which there is one of everything that a command may be asked about."""

    def __init__(self, server: SecuredNats, valkey: SecuredValkey) -> None:
        self.nats, self.valkey = server, valkey
        self.services: Services = services_of(server.url_of("worker"), valkey.url_of("worker"), "tiny")
        close_gap_unseen(self.services.continuity)

    def arguments(self, command: str) -> tuple[str, ...]:
        """Make what the command is about, and return how it is called."""
        made: dict[str, Callable[[], tuple[str, ...]]] = {
            "approve": lambda: (str(ROOT / "docs" / "examples" / "plan.json"), "--role", "DEV"),
            "deliberation cancel": lambda: (self._open(),),
            "council apply": lambda: ("--default",),
            "council show": lambda: ("DEV",),
            "council delete": lambda: (self._council(),),
            "schedule add": lambda: ("--plan", self._plan_of_decided(), "--role", "DEV", "--cron", "0 6 * * *"),
            "schedule rm": lambda: (self._scheduled(),),
            "schedule run-now": lambda: (self._scheduled(),),
            "token create": lambda: (fresh("ci"), "--right", "read"),
            "token revoke": lambda: (self._token(),),
            "consumer create": lambda: (fresh("reader"),),
            "consumer delete": lambda: (self._consumer(),),
        }
        if command in made:
            return made[command]()
        group, _, verb = command.partition(" ")
        if group == "dead-letter" and verb != "list":
            return (str(self._dead_letter()),)
        if group == "parked" and verb != "list":
            return (self._parked(),)
        if group == "deliberation" and verb != "list":
            by = ("--by", "ada") if verb in ("accept", "reject", "prefer") else ()
            return (self._decided(), *by, *(("--proposal", "agent-1") if verb == "prefer" else ()))
        return ()

    def _open(self) -> str:
        begun = deliberation()
        self.services.deliberations.record(begun.deliberation_id, opened(begun))
        return begun.deliberation_id

    def _decided(self) -> str:
        request = plan_request()
        self.services.plans.save([request])
        begun = deliberation(plan=request.plan, request_id=request.request_id)
        identity = begun.deliberation_id
        self.services.deliberations.record(identity, opened(begun))
        self.services.deliberations.record(identity, closed(result=completed_body(deliberation_id=identity)))
        return identity

    def _plan_of_decided(self) -> str:
        return self.services.deliberations.load(self._decided()).deliberation.plan.plan_id

    def _council(self) -> str:
        role = fresh("ROLE").upper()
        self.services.councils.save(council(role))
        return role

    def _scheduled(self) -> str:
        name = fresh("nightly")
        arguments = ("--plan", self._plan_of_decided(), "--role", "DEV", "--cron", "0 6 * * *", "--name", name)
        with pytest.MonkeyPatch.context() as patch:
            self.log_in("worker", patch)
            assert commands.run("schedule", "add", *arguments).exit_code == 0
        return name

    def _token(self) -> str:
        name = fresh("ci")
        with pytest.MonkeyPatch.context() as patch:
            self.log_in("worker", patch)
            assert commands.run("token", "create", name, "--right", "read").exit_code == 0
        return name

    def _parked(self) -> str:
        lost = {"task": "deliberation.conclude", "subject": self._decided()}
        parked = Parked(parked_id=fresh("k"), at=MOMENT, queue="control", reason="it ended workers", **lost)
        self.services.parking.put(parked)
        return parked.parked_id

    def _consumer(self) -> str:
        name = fresh("reader")
        with pytest.MonkeyPatch.context() as patch:
            self.log_in("bridge", patch)
            assert commands.run("consumer", "create", name).exit_code == 0
        return name

    def _dead_letter(self) -> int:
        headers = {"Conclave-Reason": "no plan", "Conclave-Subject": PLAN_APPROVED}
        return leave_dead_letter(self.nats.url_of("bridge"), b"{}", headers)

    def log_in(self, login: str, patch: pytest.MonkeyPatch) -> None:
        """Have commands find the servers under that login."""
        at_nats, at_valkey = LOGINS[login]
        patch.setenv("CONCLAVE_NATS_URL", self.nats.url_of(at_nats) if at_nats else self.nats.url)
        patch.setenv("CONCLAVE_REDIS_URL", self.valkey.url_of(at_valkey) if at_valkey else self.valkey.url)


@pytest.fixture(scope="module")
def installed(secured_nats: SecuredNats, secured_valkey: SecuredValkey) -> Installed:
    asyncio.run(make_streams(secured_nats.url_of("bridge")))
    found = Installed(secured_nats, secured_valkey)
    found.services.councils.save(council("DEV"))
    return found


def cells() -> list[tuple[str, str]]:
    """Return every command with every login that its servers know by another user."""
    found: dict[tuple[str, tuple[str, str]], tuple[str, str]] = {}
    for command in sorted(COMMANDS.keys() - LOOKS_ALL_OVER):
        for login, (at_nats, at_valkey) in LOGINS.items():
            needed = COMMANDS[command]
            users = (at_nats if needed.nats else "", at_valkey if needed.valkey else "")
            found.setdefault((command, users), (command, login))
    return list(found.values())


@pytest.mark.parametrize(("command", "login"), cells())
def test_a_command_works_or_says_whose_login_may(
    installed: Installed, command: str, login: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONCLAVE_STATE", str(tmp_path))
    arguments = installed.arguments(command)
    installed.log_in(login, monkeypatch)
    loops = open_loops()
    result = commands.run(*command.split(), *arguments)
    assert open_loops() == loops, "a client of NATS would go on connecting after its command"
    refusals = [line for line in result.stderr.splitlines() if f"`conclave {command}`" in line]
    if may(login, COMMANDS[command]):
        assert result.exit_code == (1 if command == "deliberation replay" else 0), result.output
        assert refusals == []
        return
    assert result.exit_code == 1, result.output
    (sentence,) = refusals
    server, user, allowed = refuser(login, COMMANDS[command])
    assert f"the {server} login {user} may not" in sentence or f"without a {server} login" in sentence
    assert sentence.endswith(f"; of the shipped logins {' or '.join(allowed)} may")


def open_loops() -> set[int | None]:
    """Return the threads that run an event loop for connections."""
    return {thread.ident for thread in threading.enumerate() if thread.name == "portal"}


def may(login: str, needed: Needed) -> bool:
    at_nats, at_valkey = LOGINS[login]
    return (not needed.nats or at_nats in needed.nats) and (not needed.valkey or at_valkey in needed.valkey)


def refuser(login: str, needed: Needed) -> tuple[str, str, tuple[str, ...]]:
    """Return the server that refuses, the user that it knows, and whom it would not: Valkey is asked first."""
    at_nats, at_valkey = LOGINS[login]
    if needed.valkey and at_valkey not in needed.valkey:
        return VALKEY, at_valkey, needed.valkey
    return NATS, at_nats, needed.nats


@pytest.mark.parametrize("login", LOGINS)
def test_doctor_goes_on_past_what_a_login_may_not_look_at(
    installed: Installed, login: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONCLAVE_STATE", str(tmp_path))
    installed.log_in(login, monkeypatch)
    result = commands.run("doctor")
    assert "Traceback" not in result.output
    assert " gpus: " in result.stdout
    told = " ".join(result.stdout.split())
    # No class of an error, and where the login may not look, whose may.
    assert re.findall(r"\w+Error\b", told) == []
    refused = re.findall(r"the Valkey login \w+ may not do all of `conclave doctor` .*?; ([\w ]*) may\b", told)
    assert set(refused) <= {"of the shipped logins bridge or worker"}
    assert bool(refused) == (login in ("observer", "client", "page", "flower"))


def test_every_command_has_its_logins() -> None:
    assert set(tree(get_command(app))) == COMMANDS.keys() | NO_SERVERS | MAKE_THEIR_OWN | {*SERVICES, "beat"}


def tree(group: Any, above: str = "") -> list[str]:
    found: list[str] = []
    for name, command in group.commands.items():
        path = f"{above} {name}".strip()
        if hasattr(command, "commands"):
            found += tree(command, path)
        elif not command.hidden:
            found.append(path)
    return found


def test_the_page_for_operators_says_what_each_login_may_run() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[a-z].*?`) \| ([a-z, -]*) \| ([a-z, -]*) \|$", page, flags=re.M)
    told = {name: (row[1], row[2]) for row in rows for name in re.findall(r"`(.*?)`", row[0])}
    assert told == {
        name: (", ".join(needed.nats) or "-", ", ".join(needed.valkey) or "-") for name, needed in COMMANDS.items()
    }
