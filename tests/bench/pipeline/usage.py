"""Processor time and memory of running processes, children included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Usage:
    """What one process has used since its start."""

    cpu_s: float
    peak_mib: float


def usage(pids: Mapping[str, int]) -> dict[str, Usage]:
    """Return processor seconds so far and the highest resident memory of every process, by name."""
    return {name: _usage(psutil.Process(pid)) for name, pid in pids.items()}


def used_since(before: Mapping[str, Usage], after: Mapping[str, Usage]) -> dict[str, Usage]:
    """Return what every process has used between two looks, and the most memory that it ever had."""
    return {name: Usage(used.cpu_s - before[name].cpu_s, used.peak_mib) for name, used in after.items()}


def _usage(process: psutil.Process) -> Usage:
    family = [process, *process.children(recursive=True)]
    spent = [_cpu_s(one) for one in family]
    return Usage(cpu_s=sum(spent), peak_mib=sum(_peak_mib(one.pid) for one in family))


def _cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:  # Valkey forks to rewrite its file; such a child may end under our eyes
        return 0.0
    return times.user + times.system


def _peak_mib(pid: int) -> float:
    """Read the most memory a process has had, in MiB; 0 for one that has just ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
