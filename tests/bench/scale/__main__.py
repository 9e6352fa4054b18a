"""Prints how long plans wait for fixed and for scaled fleets, and which part of an installation is full first.

Processor time and commands of a deliberation come from `costs.json`, which `--measure` writes anew on this
machine; the speed of an engine is an assumption, named above the tables, until you give yours. No model is asked.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from statistics import median, quantiles

from rich.console import Console
from rich.table import Table

from tests.bench.scale.costs import Costs, Work
from tests.bench.scale.engine import Speed
from tests.bench.scale.fleet import Scaling
from tests.bench.scale.installation import HOUR, Arrivals, Setup, Told, bursts, simulate, steady
from tests.bench.scale.measure import measure

SIZES = (1, 3, 10, 30, 100)
HALF = 0.5
"""Of what the engines could write."""
FULL = 0.7
"""Of a processor: beyond it, waiting times grow fast (1 / (1 - 0.7) is a factor of three)."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure if that is asked, simulate, print."""
    options = _options(arguments)
    if options.measure:
        measure(options.measure).write()
    costs, work, speed = Costs.read(), Work(), Speed(**_given(options))
    console = Console(width=110)
    console.print(
        f"An engine writes {speed.alone:g} tokens a second alone, {speed.together:g} for a full batch, "
        f"and answers {speed.start_s:g} s after its start.\nProcessor time: {costs.measured}."
    )
    console.print(_waits(options.sizes, costs, speed, seed=options.seed))
    console.print(_shares(options.sizes, costs, capacity(speed, work)))


def capacity(speed: Speed, work: Work) -> float:
    """Return how many deliberations a second one engine could do at most."""
    return speed.together / work.written(speed.read)


def _waits(sizes: Sequence[int], costs: Costs, speed: Speed, *, seed: int) -> Table:
    columns = ("engines", "approvals", "fleet", "wait, median", "p95", "to decision, median", "p95")
    table = Table(
        *columns, "engine hours", title="Seconds from the approval; a scaled fleet has these engines at most"
    )
    for size in sizes:
        for label, arrivals in _streams(size, capacity(speed, Work())):
            for fleet, scaling in (("fixed", None), ("scaled", Scaling(most=size))):
                setup = Setup(
                    engines=size,
                    control=_processes(HALF * size * capacity(speed, Work()), costs.control_cpu_s),
                    control_cpu_s=costs.control_cpu_s,
                    scaling=scaling,
                    speed=speed,
                )
                told = simulate(setup, arrivals, seed=seed)
                table.add_row(str(size), label, fleet, *_seconds(told), f"{told.engine_s / HOUR:.1f}")
    return table


def _streams(size: int, per_engine: float) -> Iterator[tuple[str, Arrivals]]:
    hours = min(2.0, 10.0 / size)
    yield "4 an hour", steady(4, hours=8)
    yield "half of capacity", steady(HALF * size * per_engine * HOUR, hours=hours)
    yield f"{100 * size} at once, hourly", bursts(100 * size, every_s=HOUR, hours=2)


def _seconds(told: Told) -> Iterator[str]:
    for values in (told.waited, told.took):
        yield f"{median(values):.0f}"
        yield f"{quantiles(values, n=20)[-1]:.0f}"


def _shares(sizes: Sequence[int], costs: Costs, per_engine: float) -> Table:
    """Tell what half of the engines' capacity asks of everything else."""
    columns = ("engines", "deliberations / s", "control workers", "model worker", "bridges", "Valkey")
    table = Table(*columns, "commands / s", "NATS", title="At half capacity; shares are of one core")
    for size in sizes:
        rate = HALF * size * per_engine
        table.add_row(
            str(size),
            f"{rate:.2f}",
            str(_processes(rate, costs.control_cpu_s)),
            f"{HALF * per_engine * costs.model_worker_cpu_s:.0%}",
            str(_processes(rate, costs.bridge_cpu_s)),
            f"{rate * costs.valkey_cpu_s:.0%}",
            f"{rate * costs.valkey_commands:,.0f}",
            f"{rate * costs.nats_cpu_s:.0%}",
        )
    return table


def _processes(rate: float, cpu_s: float) -> int:
    """Return how many processes of one core bear the rate, two at least."""
    return max(2, math.ceil(rate * cpu_s / FULL))


def _given(options: argparse.Namespace) -> dict[str, float]:
    given = {"alone": options.alone, "together": options.together, "start_s": options.start}
    return {name: value for name, value in given.items() if value is not None}


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.bench.scale", description=__doc__)
    parser.add_argument("--measure", metavar="MACHINE", help="measure costs first, on a machine so described")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of engines")
    parser.add_argument("--alone", type=float, help="tokens a second that your engine writes for one request")
    parser.add_argument("--together", type=float, help="for a full batch")
    parser.add_argument("--start", type=float, help="seconds from the pod's creation to the first answer")
    parser.add_argument("--seed", type=int, default=0, help="of the arrivals")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
