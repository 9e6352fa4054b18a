"""Commands that only read the store load neither task queue nor NATS nor model client, so that they are quick."""

from __future__ import annotations

import subprocess
import sys

import pytest

from domain.entry import Opened
from domain.services import Services
from tests.support import factories

PROGRAM = """
import sys
from workers.cli.main import app
app(sys.argv[1:], standalone_mode=False)
heavy = {"celery", "kombu", "redbeat", "nats", "openai", "aiohttp", "prometheus_client"}
print("loaded:", *sorted({name.partition(".")[0] for name in sys.modules} & heavy))
"""


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("council list", "DEV"),
        ("council show DEV", "agent-1"),
        ("deliberation list", "proposing"),
        ("deliberation show ID", "proposing"),
        ("stats", "decided"),
    ],
)
def test_a_command_that_reads_the_store_loads_nothing_else(services: Services, command: str, shown: str) -> None:
    begun = factories.deliberation()
    services.councils.save(factories.council("DEV"))
    services.deliberations.record(begun.deliberation_id, Opened(deliberation=begun))
    words = command.replace("ID", begun.deliberation_id).split()
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout
    assert done.stdout.splitlines()[-1] == "loaded:"
