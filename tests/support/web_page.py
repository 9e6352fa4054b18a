"""How tests start `conclave web`."""

from __future__ import annotations

import sys

from tests.support.factories import fresh
from workers.processes.command import ProcessCommand
from workers.processes.ports import HOST
from workers.processes.readiness import http_answers


def web_page(port: int, **env: str) -> ProcessCommand:
    """Describe a page on that port of the loopback address; `env` is added to the environment."""
    argv = (sys.executable, "-m", "workers.cli", "web", "--port", str(port))
    return ProcessCommand(fresh("web"), argv, env, ready=http_answers(f"http://{HOST}:{port}/healthz"))
