"""Servers with the shipped users and permissions, as the compose file runs them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import nats
from nats.aio.client import Client

from tests.support.servers import NatsServer, ValkeyServer
from workers.processes.command import ProcessCommand
from workers.processes.guard import Guard
from workers.processes.ports import HOST
from workers.processes.readiness import log_says
from workers.stack.binaries import configuration, valkey_server

PASSWORD = "s3cret-of-{user}"


class SecuredNats(NatsServer):
    """nats-server that asks for a user: bridge, worker, publisher, observer, client or page."""

    def url_of(self, user: str) -> str:
        """Address of the server, logging in as `user`."""
        return _with_user(self.url, user)

    def _describe(self) -> ProcessCommand:
        process = super()._describe()
        shared, secured = str(configuration("nats.conf")), str(configuration("nats-users.conf"))
        argv = tuple(secured if word == shared else word for word in process.argv)
        env = _passwords("NATS", "BRIDGE", "WORKER", "PUBLISHER", "OBSERVER", "CLIENT", "PAGE")
        return replace(process, argv=argv, env=env)


class SecuredValkey(ValkeyServer):
    """valkey-server that asks for a user (bridge, worker, flower, observer, page) and has one database."""

    def __init__(self, folder: Path, *, guard: Guard | None = None, database: int = 0) -> None:
        self._database = database
        super().__init__(folder, guard=guard)

    def url_of(self, user: str) -> str:
        """Address of the server, logging in as `user`."""
        return _with_user(self.url, user)

    def _describe(self) -> ProcessCommand:
        env = _passwords("VALKEY", "BRIDGE", "WORKER", "FLOWER", "OBSERVER", "PAGE")
        env["PATH"] = f"{Path(valkey_server()).parent}{os.pathsep}{os.environ['PATH']}"
        env["VALKEY_ACL_FILE"] = str(self.folder / "users.acl")
        env["VALKEY_DATABASE"] = str(self._database)
        return ProcessCommand(
            name="valkey",
            argv=(
                *("sh", str(configuration("valkey-start.sh"))),
                *("--bind", HOST, "--port", str(self.port), "--dir", str(self.folder)),
            ),
            env=env,
            ready=log_says("Ready to accept connections"),
        )


@asynccontextmanager
async def nats_login(server: SecuredNats, user: str, refusals: list[str] | None = None) -> AsyncIterator[Client]:
    """Connect as a user for as long as the block lasts; what the server refuses is added to `refusals`."""

    async def note(error: Exception) -> None:
        if refusals is not None:
            refusals.append(str(error).lower())

    client = await nats.connect(server.url_of(user), error_cb=note)
    try:
        yield client
    finally:
        await client.close()


def _passwords(server: str, *users: str) -> dict[str, str]:
    return {f"{server}_{user}_PASSWORD": PASSWORD.format(user=user.lower()) for user in users}


def _with_user(url: str, user: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{user}:{PASSWORD.format(user=user)}@{parts.netloc}"
