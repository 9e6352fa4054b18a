"""`conclave flower`: Celery's monitor, set up for our workers."""

from __future__ import annotations

from typing import Annotated

import typer

from workers.cli.environment import read_settings
from workers.cli.worker_process import CELERY, become_celery
from workers.variables import variable


def flower(
    address: Annotated[str, typer.Option(help="Where it listens; 0.0.0.0 lets other hosts in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 5555,
) -> None:
    """Watch every task in a browser. Read-only, and with the logins of CONCLAVE_FLOWER_AUTH.

    Shows names, ids, plans, roles, agents, models and times; never a plan's or proposal's text.
    """
    from workers.flower.options import CONFIG

    settings = read_settings()
    command = [*CELERY, "flower", f"--conf={CONFIG}", f"--address={address}", f"--port={port}"]
    env = {variable("redis_url"): settings.redis_url.get_secret_value(), variable("state"): str(settings.state)}
    become_celery(command, env)
