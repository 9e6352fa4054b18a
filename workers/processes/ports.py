"""Ports that a server may listen on; on the loopback unless another host is named."""

from __future__ import annotations

import random
import socket

from workers.errors import StackError

HOST = "127.0.0.1"
BELOW_EPHEMERAL = range(20_000, 32_000)
"""Below Linux's range for outgoing connections: while a server restarts, a client that retries its address
can't be given that very port as its own and end up connected to itself."""


def is_free(port: int, *, host: str = HOST) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Find a loopback port that no server listens on; nothing reserves it.

    Raises StackError when a thousand tries met only taken ports.
    """
    for port in random.SystemRandom().sample(BELOW_EPHEMERAL, 1000):
        if is_free(port):
            return port
    raise StackError(f"no free port between {BELOW_EPHEMERAL.start} and {BELOW_EPHEMERAL.stop} on {HOST}")


def claim(port: int | None, *, name: str) -> int:
    """Return `port` if it is free, or any free one for None.

    Raises StackError naming the process and the port when it is taken.
    """
    if port is None:
        return free_port()
    if not is_free(port):
        raise StackError(
            f"port {port} for {name} is taken on {HOST}: stop what listens there or give {name} another port"
        )
    return port


def prefer(port: int) -> int:
    """Return the port if it is free, else any free one."""
    return port if is_free(port) else free_port()
