"""The embedded Valkey server's command line: append-only file, nothing evicted."""

from __future__ import annotations

from pathlib import Path

from workers.processes.command import ProcessCommand
from workers.processes.ports import HOST
from workers.processes.readiness import valkey_answers
from workers.stack.binaries import configuration, valkey_server

DATABASE = 2
"""Where version 0.1 kept its records: a state folder of that time goes on with them."""


def valkey(*, port: int, folder: Path) -> ProcessCommand:
    """Describe valkey-server on a loopback port with its data under `folder`, which must exist.

    Raises StackError when the server is not installed.
    """
    return ProcessCommand(
        name="valkey",
        argv=(
            *(valkey_server(), str(configuration("valkey.conf"))),
            *("--bind", HOST, "--port", str(port), "--dir", str(folder), "--daemonize", "no"),
        ),
        ready=valkey_answers(port),
    )


def valkey_url(port: int) -> str:
    """Address of the server for clients, without a database number."""
    return f"redis://{HOST}:{port}"


def database_url(port: int) -> str:
    """Address of the database that the embedded stack uses."""
    return f"{valkey_url(port)}/{DATABASE}"
