"""Measures what a deliberation costs this machine's processes, on the stage of `make bench`."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from redis import Redis

from tests.bench.pipeline.asking import deliberate
from tests.bench.pipeline.commands import CommandCount
from tests.bench.pipeline.stage import stage
from tests.bench.pipeline.usage import usage, used_since
from tests.bench.scale.costs import Costs

AT_ONCE = 50
ROUNDS = 3


def measure(machine: str) -> Costs:
    """Return the mean costs of deliberations, fifty at once against an engine that answers after a second."""
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder)) as (nats_url, redis_url, pids):
        deliberate(nats_url, 3, within_s=600)
        commands, client = CommandCount(redis_url), Redis.from_url(redis_url)
        before, moved = usage(pids), _moved(client)
        for _ in range(ROUNDS):
            commands.during(lambda: deliberate(nats_url, AT_ONCE, within_s=600))
        spent, moved = used_since(before, usage(pids)), _moved(client) - moved
    count = ROUNDS * AT_ONCE
    return Costs(
        measured=f"{time.strftime('%d %B %Y')}, {machine}",
        control_cpu_s=spent["control worker"].cpu_s / count,
        model_worker_cpu_s=spent["model worker"].cpu_s / count,
        bridge_cpu_s=spent["bridge"].cpu_s / count,
        valkey_cpu_s=spent["valkey-server"].cpu_s / count,
        nats_cpu_s=spent["nats-server"].cpu_s / count,
        valkey_commands=commands.total / count,
        valkey_bytes=moved / count,
    )


def _moved(client: Redis) -> int:
    stats = client.info("stats")
    return int(stats["total_net_input_bytes"]) + int(stats["total_net_output_bytes"])
