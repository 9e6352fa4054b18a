"""What processes, databases and streams hold as the soak goes on, and whether that stays flat."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.table import Table

from tests.support.memory import MIB
from tests.support.sections import Section
from tests.support.streams import Stored

WARM, LATE = (0.25, 0.40), (0.85, 1.0)
"""Shares of the run whose means are compared."""
SHARE, ROOM = 0.10, 16 * MIB
"""A process may gain a tenth, or so many bytes, from warm to late."""


@dataclass(frozen=True)
class Sample:
    """One look."""

    done: int
    """Deliberations that had ended."""
    resident: dict[str, int]
    """Process → bytes."""
    spent: dict[str, float]
    """Process → processor seconds so far."""
    keys: dict[str, int]
    """Section → keys."""
    streams: dict[str, Stored]
    kept: dict[str, int]
    """Section or stream → deliberations that it may still know of."""
    at: float = field(default_factory=time.monotonic)


def warm_and_late(samples: Sequence[Sample], process: str) -> tuple[float, float]:
    """Return the mean resident bytes of a process when warm and at the end."""
    total = samples[-1].done
    early, late = (
        statistics.fmean(one.resident[process] for one in samples if low * total <= one.done <= high * total)
        for low, high in (WARM, LATE)
    )
    return early, late


def grown(samples: Sequence[Sample]) -> dict[str, str]:
    """Return the processes that did not stay flat, with their figures."""
    found = {}
    for process in samples[-1].resident:
        early, late = warm_and_late(samples, process)
        if late - early > max(SHARE * early, ROOM):
            found[process] = f"{early / MIB:.1f} → {late / MIB:.1f} MiB"
    return found


def growth(samples: Sequence[Sample]) -> Table:
    """Show every process's memory when warm and at the end, and its work from the first sample to the last."""
    columns = ("process", "warm MiB", "late MiB", "bytes gained per deliberation", "CPU ms per deliberation")
    table = Table(*columns, title=f"{samples[-1].done} deliberations")
    apart = (sum(LATE) - sum(WARM)) / 2 * samples[-1].done
    for process in samples[-1].resident:
        early, late = warm_and_late(samples, process)
        spent = (samples[-1].spent[process] - samples[0].spent[process]) * 1000 / samples[-1].done
        gained = f"{(late - early) / apart:.0f}"
        table.add_row(process, f"{early / MIB:.1f}", f"{late / MIB:.1f}", gained, f"{spent:.1f}")
    return table


def lines(now: Sample, before: Sample, found: dict[str, Section]) -> Iterator[str]:
    """Describe a sample, with the rate since an earlier one."""
    rate = (now.done - before.done) / max(0.001, now.at - before.at)
    yield f"{now.done} done, {rate:.1f}/s"
    yield "  MiB: " + ", ".join(f"{name} {size / MIB:.1f}" for name, size in now.resident.items())
    held = (f"{name} {now.keys[name]} keys {one.bytes() / 1024:.0f} KiB" for name, one in found.items())
    yield "  " + ", ".join(held)
    stored = ((name, one) for name, one in now.streams.items())
    yield "  " + ", ".join(f"{name} {one.messages} messages {one.bytes // 1024} KiB" for name, one in stored)
