"""Readiness is asked of the process itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from workers.processes.log_file import LogFile
from workers.processes.ports import HOST, free_port
from workers.processes.readiness import http_answers


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def address() -> Iterator[str]:
    with ThreadingHTTPServer((HOST, 0), Health) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{server.server_port}"
        server.shutdown()


@pytest.fixture
def log(tmp_path: Path) -> LogFile:
    return LogFile(tmp_path / "log")


def test_only_200_is_an_answer(address: str, log: LogFile) -> None:
    assert http_answers(f"{address}/health")(log)
    assert not http_answers(f"{address}/busy")(log)
    assert not http_answers(f"http://{HOST}:{free_port()}/health")(log)


def test_the_environments_proxy_is_not_asked(address: str, log: LogFile, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, f"http://{HOST}:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert http_answers(f"{address}/health")(log)
