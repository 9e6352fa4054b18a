"""How to see that a process is ready: it answers in its own protocol, or says so in its log."""

from __future__ import annotations

import socket
import time
import urllib.request
from collections.abc import Callable

from workers.processes.command import ReadyCheck
from workers.processes.ports import HOST

PATIENCE = 1.0
"""Seconds to wait for one answer."""


def nats_answers(port: int) -> ReadyCheck:
    """Ready when the server greets with INFO and has JetStream."""
    return lambda log: b'"jetstream":true' in _exchange(port, b"")


def valkey_answers(port: int) -> ReadyCheck:
    """Ready when PING is answered; while the append-only file loads it is not."""
    return lambda log: _exchange(port, b"PING\r\n").startswith(b"+PONG")


def http_answers(url: str) -> ReadyCheck:
    """Ready when GET answers 200."""
    return lambda log: answers_200(url)


def answers_200(url: str) -> bool:
    """Whether a GET is answered with 200, soon."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as response:
            return bool(response.status == 200)
    except (OSError, ValueError):
        return False


def log_says(words: str) -> ReadyCheck:
    """Ready when the log of the present life holds these words."""
    return lambda log: words in log.text()


def wait_until(condition: Callable[[], bool], *, within: float, every: float = 0.02) -> bool:
    """Poll a condition until it holds; False when `within` seconds went by."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def _exchange(port: int, question: bytes) -> bytes:
    try:
        with socket.create_connection((HOST, port), timeout=PATIENCE) as connection:
            connection.sendall(question)
            return connection.recv(4096)
    except OSError:
        return b""
