"""Measures a deliberation of three agents against an engine that answers after exactly one second.

The ideal is two model steps: all proposals, then all ballots. A bare Celery chord of the same shape
runs in the same minute on the same broker, since absolute times on a shared machine mean little.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.pipeline import chord_app
from tests.bench.pipeline.asking import ROLE, deliberate
from tests.bench.pipeline.checks import check_costs
from tests.bench.pipeline.usage import Usage, usage
from tests.support.factories import council, fresh
from tests.support.fleet import Fleet, Service
from tests.support.servers import NatsServer, ValkeyServer
from workers.app import make_app
from workers.composition import Composition
from workers.processes.command import ProcessCommand
from workers.processes.guard import Guard
from workers.processes.ports import free_port
from workers.processes.readiness import http_answers, log_says
from workers.settings import Settings

IDEAL_S = 2.0
IDLE_RUNS = 15
AT_ONCE = 50
GOAL_MS = 60.0

console = Console()


def main() -> int:
    """Print the tables; 1 if the idle overhead misses its goal."""
    with tempfile.TemporaryDirectory() as folder, _stage(Path(folder)) as (nats_url, redis_url, pids):
        deliberate(nats_url, 3, within_s=60)
        _warm_chord(redis_url)
        idle = _alternate(lambda: deliberate(nats_url, 1, within_s=30), lambda: _chords(1), IDLE_RUNS)
        before = usage(pids)
        busy = _alternate(lambda: deliberate(nats_url, AT_ONCE, within_s=120), lambda: _chords(AT_ONCE), 2)
        after = usage(pids)
    console.print(_times(idle, busy))
    console.print(_processes(before, after, deliberations=2 * AT_ONCE))
    console.print(_checks())
    overhead_ms = (statistics.median(idle[0]) - IDEAL_S) * 1000
    console.print(f"idle overhead over the ideal: {overhead_ms:.0f} ms (goal: at most {GOAL_MS:.0f} ms)")
    return 0 if overhead_ms <= GOAL_MS else 1


@contextmanager
def _stage(folder: Path) -> Iterator[tuple[str, str, dict[str, int]]]:
    guard = Guard()
    try:
        with (
            NatsServer(folder / "nats", guard=guard) as nats,
            ValkeyServer(folder / "valkey", guard=guard) as valkey,
        ):
            port = free_port()
            url = f"http://127.0.0.1:{port}/v1"
            with Fleet(folder, guard, nats_url=nats.url, redis_url=valkey.url, engine_url=url) as fleet:
                _councils(nats.url, valkey.url, fleet.model)
                services = {
                    "engine": fleet.add(_engine(port, fleet.model)),
                    "bridge": fleet.bridge(),
                    "control worker": fleet.control(threads=64),
                    "model worker": fleet.worker(threads=160),
                    "bare headers": fleet.add(_bare(valkey.url, "bare.header", 160)),
                    "bare callbacks": fleet.add(_bare(valkey.url, "bare.callback", 64)),
                }
                _start(services)
                pids = {name: service.pid for name, service in services.items() if name != "engine"}
                pids |= {"nats-server": nats.pid, "valkey-server": valkey.pid}
                yield nats.url, valkey.url, pids
    finally:
        guard.close()


def _start(services: dict[str, Service]) -> None:
    for service in services.values():
        service.start(wait=False)
    for service in services.values():
        service.wait_ready()


def _engine(port: int, model: str) -> ProcessCommand:
    argv = (sys.executable, "-m", "tests.support.scripted_engine", model, "--port", str(port), "--latency", "1.0")
    return ProcessCommand(fresh("engine"), argv, ready=http_answers(f"http://127.0.0.1:{port}/health"))


def _bare(redis_url: str, queue: str, threads: int) -> ProcessCommand:
    env = {"BARE_BROKER": f"{redis_url}/8", "BARE_BACKEND": f"{redis_url}/9"}
    options = ("-Q", queue, "-n", f"{fresh('bare')}@%h", "-P", "threads", "-c", str(threads), "-l", "INFO", "-E")
    argv = (sys.executable, "-m", "celery", "-A", "tests.bench.pipeline.chord_app", "worker", *options)
    return ProcessCommand(fresh("bare"), argv, env=env, ready=log_says(" ready."))


def _councils(nats_url: str, redis_url: str, model: str) -> None:
    settings = Settings.model_validate({"nats": {"url": nats_url}, "redis_url": redis_url, "model": model})
    agents = council(ROLE).agents
    wanted = council(ROLE, agents=tuple(agent.model_copy(update={"model": None}) for agent in agents))
    Composition(settings).services(make_app(settings)).councils.save(wanted)


def _warm_chord(redis_url: str) -> None:
    chord_app.app.conf.update(broker_url=f"{redis_url}/8", result_backend=f"{redis_url}/9")
    _chords(2)


def _chords(count: int) -> list[float]:
    return chord_app.run([fresh("chord") for _ in range(count)], within_s=120)


def _alternate(
    ours: Callable[[], list[float]], bare: Callable[[], list[float]], runs: int
) -> tuple[list[float], list[float]]:
    """Run both in turns, so that a slow minute of the machine hits both."""
    pairs = [(ours(), bare()) for _ in range(runs)]
    return [t for pair in pairs for t in pair[0]], [t for pair in pairs for t in pair[1]]


def _times(idle: tuple[list[float], list[float]], busy: tuple[list[float], list[float]]) -> Table:
    title = f"wall time over the ideal of {IDEAL_S:.1f} s, milliseconds"
    table = Table("", "median", "p95", "max", "deliberation / bare chord", title=title)
    for label, (ours, bare) in {"idle": idle, f"{AT_ONCE} at once": busy}.items():
        ratio = f"{statistics.median(ours) / statistics.median(bare):.3f}"
        table.add_row(f"deliberation, {label}", *_spread(ours), ratio)
        table.add_row(f"bare Celery chord, {label}", *_spread(bare), "")
    return table


def _spread(times: list[float]) -> tuple[str, str, str]:
    over = sorted((one - IDEAL_S) * 1000 for one in times)
    p95 = over[min(len(over) - 1, int(0.95 * len(over)))]
    return f"{statistics.median(over):.0f}", f"{p95:.0f}", f"{over[-1]:.0f}"


def _checks() -> str:
    first, isolated, in_process = check_costs()
    ratio = f"{isolated / in_process:.1f} times the {in_process:.2f} ms in process"
    return f"checks of one proposal: {isolated:.2f} ms in a warm helper, {ratio}; the first one {first:.0f} ms"


def _processes(before: dict[str, Usage], after: dict[str, Usage], *, deliberations: int) -> Table:
    table = Table("process", "CPU ms per deliberation or chord", "peak MiB", title=f"{AT_ONCE} at once, twice")
    for name, used in after.items():
        spent = (used.cpu_s - before[name].cpu_s) * 1000 / deliberations
        table.add_row(name, f"{spent:.1f}", f"{used.peak_mib:.0f}")
    return table


if __name__ == "__main__":
    sys.exit(main())
