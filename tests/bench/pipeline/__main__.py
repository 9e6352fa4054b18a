"""Measures a deliberation of three agents against an engine that answers after exactly one second.

The ideal is two model steps: all proposals, then all ballots. A bare Celery chord of the same shape
runs in the same minute on the same broker, since absolute times on a shared machine mean little.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.pipeline import chord_app
from tests.bench.pipeline.asking import deliberate
from tests.bench.pipeline.checks import check_costs
from tests.bench.pipeline.commands import CommandCount
from tests.bench.pipeline.goals import AT_ONCE, IDEAL_S, Goal, goals
from tests.bench.pipeline.stage import stage
from tests.bench.pipeline.usage import Usage, usage, used_since

IDLE_RUNS = 15
BUSY_RUNS = 2
PUBLISHER = "bare publisher"
OURS = ("bridge", "control worker", "model worker")
BARE = (PUBLISHER, "bare headers", "bare callbacks")

console = Console()


def main() -> int:
    """Print the tables; 1 if a goal is missed."""
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder)) as (nats_url, redis_url, pids):
        deliberate(nats_url, 3, within_s=60)
        bare = BareChords(redis_url)
        bare.run(2)
        commands = CommandCount(redis_url)
        alone = partial(deliberate, nats_url, 1, within_s=30)
        idle = _alternate(lambda: commands.during(alone), lambda: bare.run(1), IDLE_RUNS)
        bare.publisher_s = 0.0
        before = usage(pids)
        busy = _alternate(
            lambda: deliberate(nats_url, AT_ONCE, within_s=120), lambda: bare.run(AT_ONCE), BUSY_RUNS
        )
        spent = used_since(before, usage(pids)) | {PUBLISHER: Usage(bare.publisher_s, 0.0)}
    console.print(_times(idle, busy))
    console.print(_processes(spent))
    console.print(_checks())
    judged = goals(
        idle=idle,
        busy=busy,
        cpu_s=(sum(spent[name].cpu_s for name in OURS), sum(spent[name].cpu_s for name in BARE)),
        commands=commands.total / IDLE_RUNS,
    )
    console.print(_goals(judged))
    return 0 if all(goal.met for goal in judged) else 1


class BareChords:
    """Starts bare chords from this process, as bridge and control worker start deliberations."""

    def __init__(self, redis_url: str) -> None:
        chord_app.app.conf.update(broker_url=f"{redis_url}/8", result_backend=f"{redis_url}/9")
        self.publisher_s = 0.0

    def run(self, count: int) -> list[float]:
        """Return the wall times in seconds; adds the processor time of starting them to `publisher_s`."""
        began = time.process_time()
        times = chord_app.run(count, within_s=120)
        self.publisher_s += time.process_time() - began
        chord_app.forget()
        return times


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
    over = sorted((seconds - IDEAL_S) * 1000 for seconds in times)
    p95 = over[min(len(over) - 1, int(0.95 * len(over)))]
    return f"{statistics.median(over):.0f}", f"{p95:.0f}", f"{over[-1]:.0f}"


def _checks() -> str:
    first, isolated, in_process = check_costs()
    ratio = f"{isolated / in_process:.1f} times the {in_process:.2f} ms in process"
    return f"checks of one proposal: {isolated:.2f} ms in a warm helper, {ratio}; the first one {first:.0f} ms"


def _processes(spent: dict[str, Usage]) -> Table:
    title = f"{AT_ONCE} at once, {BUSY_RUNS} times"
    table = Table("process", "CPU ms per deliberation or chord", "peak MiB", title=title)
    for name, used in spent.items():
        each_ms = used.cpu_s * 1000 / (BUSY_RUNS * AT_ONCE)
        table.add_row(name, f"{each_ms:.1f}", f"{used.peak_mib:.0f}" if used.peak_mib else "")
    return table


def _goals(judged: Sequence[Goal]) -> Table:
    table = Table("goal", "measured", "at most", "", title="judged")
    for goal in judged:
        table.add_row(goal.name, f"{goal.value:.1f}", f"{goal.at_most:g}", "met" if goal.met else "missed")
    return table


if __name__ == "__main__":
    sys.exit(main())
