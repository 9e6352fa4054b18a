"""How to see that a process is ready: it answers in its own protocol, or says so in its log."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from workers.processes.log_file import LogFile
from workers.processes.ports import HOST

PATIENCE = 1.0
"""Seconds to wait for one answer."""

ReadyCheck = Callable[[LogFile], bool]
"""Answers at once whether the process is ready; is given the log of its present life."""


def at_once(log: LogFile) -> bool:
    """Take a process for ready as soon as it runs."""
    return True


def nats_answers(port: int) -> ReadyCheck:
    """Ready when the server greets with INFO and has JetStream."""
    return lambda log: b'"jetstream":true' in _exchange(HOST, port, b"")


def valkey_answers(port: int, *, user: str = "", password: str = "") -> ReadyCheck:
    """Ready when PING is answered, after the login if there is one; while the append-only file loads it is not."""
    login = f"AUTH {user} {password}\r\n" if password else ""
    return lambda log: _exchange(HOST, port, f"{login}PING\r\n".encode()).endswith(b"+PONG\r\n")


def http_answers(url: str) -> ReadyCheck:
    """Ready when GET answers 200."""
    return lambda log: answers_200(url)


def answers_200(url: str) -> bool:
    """Whether a GET to an http:// address is answered with 200, soon; no proxy is asked."""
    address = urlsplit(url)
    request = f"GET {address.path or '/'} HTTP/1.0\r\nHost: {address.netloc}\r\n\r\n"
    answer = _exchange(address.hostname or HOST, address.port or 80, request.encode())
    return answer.split(maxsplit=2)[1:2] == [b"200"]


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


def _exchange(host: str, port: int, question: bytes) -> bytes:
    try:
        with socket.create_connection((host, port), timeout=PATIENCE) as connection:
            connection.sendall(question)
            return connection.recv(4096)
    except OSError:
        return b""
