"""Processor time and memory of running processes, children included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Usage:
    """What one process has used since its start."""

    cpu_s: float
    peak_mib: float


def usage(pids: Mapping[str, int]) -> dict[str, Usage]:
    """Return processor seconds so far and the highest resident memory of every process, by name."""
    return {name: _usage(psutil.Process(pid)) for name, pid in pids.items()}


def _usage(process: psutil.Process) -> Usage:
    family = [process, *process.children(recursive=True)]
    spent = [one.cpu_times() for one in family]
    return Usage(
        cpu_s=sum(one.user + one.system for one in spent), peak_mib=sum(_peak_mib(one.pid) for one in family)
    )


def _peak_mib(pid: int) -> float:
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        high = next(line for line in status if line.startswith("VmHWM:"))
    return int(high.split()[1]) / 1024
