"""Reads a Valkey of 1,000, 10,000 and 100,000 stored deliberations; judges that no reading grows with them."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from unittest.mock import Mock

from redis import Redis
from rich.console import Console
from rich.table import Table

from domain.record import Record
from domain.statistics import statistics
from domain.steps.announce import flush_outbox
from domain.steps.judge import settle_overdue
from domain.steps.places import fill_all_places
from domain.steps.sweep import AT_ONCE
from domain.views.summary import details, summary
from tests.bench.pipeline.asking import deliberate
from tests.bench.pipeline.stage import stage
from tests.bench.stored.copies import Original, batches, copy_id
from workers.metrics.readings import store_readings
from workers.settings import Settings
from workers.store_ports import StorePorts

SIZES = (1_000, 10_000, 100_000)
LISTED = 20
TRIES = 30
MOST_GROWTH = 2.0
"""Of the quickest try, from the smallest store to the greatest; what grows with the store grows a hundredfold."""
RETENTION_MS = 14 * 24 * 3600 * 1000

console = Console()


def main() -> int:
    """Print the table; 1 where a reading grew."""
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder)) as (nats_url, redis_url, _):
        deliberate(nats_url, 1, within_s=60)
        client = Redis.from_url(redis_url)
        client.config_set("appendonly", "no")  # several gigabytes that no reading looks at
        ports = StorePorts(Settings.model_validate({"redis_url": redis_url}))
        (identity,) = ports.deliberations.newest(1)
        original = Original.of(client, ports.deliberations.load(identity).deliberation)
        quickest = {}
        empty, began = int(client.info("memory")["used_memory"]), time.time()
        for before, size in zip((0, *SIZES), SIZES, strict=False):
            for numbers in batches(before, size):
                original.copy_to(client, numbers, opened_from=began, retention_ms=RETENTION_MS)
            quickest[size] = {name: _quickest(read) for name, read in _readings(ports, size).items()}
        each = (int(client.info("memory")["used_memory"]) - empty) / SIZES[-1]
        plain, deflated = original.entry_bytes(client)
    console.print(_table(quickest))
    console.print(
        f"a stored deliberation of three agents takes {each / 1024:.1f} KiB of memory; its entries are "
        f"{plain / 1024:.1f} KiB long, {deflated / 1024:.1f} KiB if each were deflated"
    )
    return 0 if all(_growth(quickest, name) <= MOST_GROWTH for name in quickest[SIZES[0]]) else 1


def _readings(ports: StorePorts, size: int) -> Mapping[str, Callable[[], object]]:
    deliberations, clock = ports.deliberations, ports.clock
    metrics = store_readings(deliberations, ports.places, ports.verdicts, ports.outbox, ports.parking, clock)

    def shown() -> object:
        record: Record = deliberations.load(copy_id(size // 2))
        return details(record, ports.verdicts.of(record.deliberation.deliberation_id), clock.now())

    return {
        "conclave deliberation list": lambda: [
            summary(deliberations.load(one)) for one in deliberations.newest(LISTED)
        ],
        "conclave deliberation show": shown,
        "conclave stats": lambda: statistics(deliberations.counts()),
        "the sweep": lambda: _swept(ports),
        "/metrics": metrics,
    }


def _swept(ports: StorePorts) -> None:
    """Ask what `deliberation.sweep` asks, where nothing is due."""
    unused = Mock(spec=())
    clock, deliberations, outbox = ports.clock, ports.deliberations, ports.outbox
    before = clock.now() - RETENTION_MS / 1000
    deliberations.begin_sweep(clock.now(), gap_s=60.0)
    assert ports.plans.take_overdue(before, AT_ONCE) == ()
    assert deliberations.open_untouched_since(before, AT_ONCE) == ()
    fill_all_places(plans=ports.plans, places=ports.places, dispatcher=unused)
    settle_overdue(
        deliberations=deliberations, verdicts=ports.verdicts, outbox=outbox, publisher=unused, clock=clock
    )
    flush_outbox(outbox=outbox, publisher=unused, clock=clock)


def _quickest(read: Callable[[], object]) -> float:
    times = []
    for _ in range(TRIES):
        began = time.perf_counter()
        read()
        times.append(time.perf_counter() - began)
    return min(times)


def _growth(quickest: Mapping[int, Mapping[str, float]], name: str) -> float:
    return quickest[SIZES[-1]][name] / quickest[SIZES[0]][name]


def _table(quickest: Mapping[int, Mapping[str, float]]) -> Table:
    table = Table(title=f"milliseconds, the quickest of {TRIES}")
    for column in ("reading", *(f"{size:,}" for size in SIZES), "growth", "at most"):
        table.add_column(column, justify="left" if column == "reading" else "right")
    for name in quickest[SIZES[0]]:
        times = [f"{quickest[size][name] * 1000:.2f}" for size in SIZES]
        table.add_row(name, *times, f"{_growth(quickest, name):.2f}", f"{MOST_GROWTH:g}")
    return table


if __name__ == "__main__":
    sys.exit(main())
