"""Times the page over ten thousand stored decisions, and weighs open streams.

Judged by ratios to what the same minutes give for the reads alone and for an empty page through the same process,
since absolute times on a shared machine mean little.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path

import httpx2
import psutil
from redis import Redis

from tests.bench.web.store import fill
from tests.support.fleet import Fleet
from tests.support.servers import NatsServer, ValkeyServer
from tests.support.streams import make_streams
from tests.support.web_page import web_page
from workers.adapters.redis.keys import Keys
from workers.processes.guard import Guard
from workers.processes.ports import HOST, free_port

COUNT = 10_000
TIMES = 200
STREAMS = 200
MOST = 8.0
"""Times an empty page and its reads that a page may take at the median."""


def main() -> int:
    """Print the figures; 1 if a page takes more than MOST times its baseline."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Guard()) as guard,
        NatsServer(Path(folder, "nats"), guard=guard) as broker,
        ValkeyServer(Path(folder, "valkey"), guard=guard) as valkey,
        Fleet(Path(folder), guard, nats_url=broker.url, redis_url=valkey.url) as fleet,
    ):
        asyncio.run(make_streams(broker.url))
        client = Redis.from_url(valkey.url)
        ids = fill(client, count)
        port = free_port()
        page = fleet.add(web_page(port, **fleet.env)).start()
        worst = _times(client, ids, f"http://{HOST}:{port}")
        asyncio.run(_streams(f"http://{HOST}:{port}", psutil.Process(page.pid)))
    return 0 if worst <= MOST else 1


def _times(client: Redis, ids: tuple[str, ...], address: str) -> float:
    """Print medians in milliseconds; return the greatest ratio to a baseline."""
    spread = [ids[place * len(ids) // TIMES] for place in range(TIMES)]
    with httpx2.Client(base_url=address) as http:
        empty = _median(lambda _: http.get("/login"), spread)
        reads = _median(lambda identity: client.hgetall(Keys().deliberation(identity)), spread)
        pages = {
            "list": _median(lambda _: http.get("/deliberations"), spread),
            "list, page 300": _median(lambda _: http.get("/deliberations?skip=7500"), spread),
            "one deliberation": _median(lambda identity: http.get(f"/deliberations/{identity}"), spread),
            "one by the API": _median(lambda identity: http.get(f"/api/deliberations/{identity}"), spread),
        }
    print(f"{len(ids)} decisions; an empty page {empty:.1f} ms, the reads of one deliberation {reads:.1f} ms")
    for name, took in pages.items():
        print(f"{name}: {took:.1f} ms, {took / (empty + reads):.1f} times both")
    return max(pages.values()) / (empty + reads)


def _median(ask: Callable[[str], object], identities: list[str]) -> float:
    took = []
    for identity in identities:
        began = time.perf_counter()
        ask(identity)
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000


async def _streams(address: str, process: psutil.Process) -> None:
    """Print what each open stream weighs, and that the page answers beside them."""
    before = process.memory_info().rss
    limits = httpx2.Limits(max_connections=STREAMS + 1)
    async with (
        AsyncExitStack() as opened,
        httpx2.AsyncClient(base_url=address, limits=limits, timeout=120) as http,
    ):
        answers = [
            await opened.enter_async_context(http.stream("GET", "/deliberations/events")) for _ in range(STREAMS)
        ]
        good = sum(answer.status_code == 200 for answer in answers)
        each = (process.memory_info().rss - before) / STREAMS / 1024
        print(f"{good} of {STREAMS} streams open, {each:.0f} KiB each; the list beside them: ", end="")
        began = time.perf_counter()
        await http.get("/deliberations")
        print(f"{(time.perf_counter() - began) * 1000:.1f} ms")


if __name__ == "__main__":
    sys.exit(main())
