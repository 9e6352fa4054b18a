"""The figures of a chaos run, as a table for people."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from rich.table import Table

from tests.acceptance.chaos.engine import Calls
from tests.acceptance.chaos.ledger import Ledger, median, quantile
from tests.acceptance.chaos.stage import KINDS
from tests.support.judge import Finding
from tests.support.memory import MIB, Life

RECOVERED_WITHIN_S = 10.0
"""The goal for the median."""
KINDS_OF_FINDING = ("lost", "doubled end", "accusation", "invented", "order", "id", "statistics")
"""What the judge may find; 0 of each is right."""
WARM_AFTER_S = 20.0
"""A process that was just started goes on to grow for so long."""


@dataclass
class Outcome:
    """What was found when all was over."""

    calls: Calls
    valkey_grew: int
    """Bytes of data and buffers."""
    lives: dict[str, Life]
    """Process → the longest of its lives."""
    left: dict[str, int] = field(default_factory=dict)
    chords_left: int = 0
    orphans: list[str] = field(default_factory=list)
    """Processes that nobody meant to run, by pid and command."""


def report(ledger: Ledger, found: Outcome, title: str) -> Table:
    table = Table("", "", title=title)
    for what, figure in {**_ends(ledger), **_recovery(ledger), **_remains(ledger, found)}.items():
        table.add_row(what, str(figure))
    return table


def _ends(ledger: Ledger) -> dict[str, object]:
    outcomes = ledger.outcomes()
    completed = [sum(end.kind == "completed" for end in ends) for ends in ledger.ends.values()]
    return {
        "asked": len(ledger.asked),
        "decided": outcomes["completed"],
        "of them degraded": sum(end.degraded for end in ledger.ended.values()),
        "failed with event": outcomes["failed"],
        **{f"  {reason}": count for reason, count in ledger.reasons().most_common()},
        "lost (0)": len(ledger.lost),
        "completed events per decided deliberation (1)": f"{sum(completed) / max(1, outcomes['completed']):g}",
        "most ends of one deliberation (1)": max(map(len, ledger.ends.values()), default=0),
        "kills": _counts(Counter(kill.kind for kill in ledger.kills)),
    }


def _recovery(ledger: Ledger) -> dict[str, object]:
    first, last = ledger.recoveries(), ledger.recoveries(last=True)
    return {
        "asked to end, no kill between, median s": f"{median(ledger.durations()):.1f}",
        "first kill to end, median, 95 % s": f"{_spread(first)} (goal {RECOVERED_WITHIN_S:g} for the median)",
        "last kill to end, median, 95 % s": _spread(last),
        **{f"  first kill of {kind} to end": _spread(ledger.recoveries(kind)) for kind in KINDS},
    }


def _remains(ledger: Ledger, found: Outcome) -> dict[str, object]:
    calls = found.calls
    return {
        "model calls, well answered": f"{calls.asked}, {calls.answered}",
        "well answered although answered before": calls.answered_again,
        "answered with a fault (disconnect: cut off)": _counts(calls.faults),
        "dead letters (0)": ledger.dead_letters,
        "orphan locks (0)": sum(found.left.values()),
        **{f"  {what}": count for what, count in found.left.items()},
        "chord counters that wait for their expiry": found.chords_left,
        "orphan processes (0)": ", ".join(found.orphans) or 0,
        "Valkey's data grew by MiB": _mib(found.valkey_grew),
        f"longest life, resident MiB gained after {WARM_AFTER_S:g} s": ", ".join(
            f"{name} {life.length_s:.0f} s {_mib(grown)}"
            for name, life in sorted(found.lives.items())
            if (grown := life.growth(warm_after_s=WARM_AFTER_S)) is not None
        ),
    }


def _spread(times: list[float]) -> str:
    return f"{median(times):.1f}, {quantile(times, 0.95):.1f} of {len(times)}"


def _counts(counted: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counted.items()))


def _mib(count: int) -> str:
    return f"{count / MIB:.1f}"


@dataclass(frozen=True)
class Row:
    """One scenario."""

    name: str
    ledger: Ledger
    findings: list[Finding]
    took_s: float


@dataclass
class Rows:
    """All scenarios so far."""

    rows: list[Row] = field(default_factory=list)

    @property
    def spent_s(self) -> float:
        return sum(row.took_s for row in self.rows)

    def add(self, row: Row) -> None:
        self.rows.append(row)

    def table(self) -> Table:
        recovery = "s from the last blow: median, longest"
        table = Table(
            "scenario", "asked", "decided", "failed", *KINDS_OF_FINDING, recovery, "took s", title="Chaos"
        )
        for row in self.rows:
            table.add_row(*map(str, _cells(row)))
        asked = sum(len(row.ledger.asked) for row in self.rows)
        table.add_section()
        table.add_row(
            "all",
            str(asked),
            *("" for _ in range(2)),
            *(str(_count(self.rows, kind)) for kind in KINDS_OF_FINDING),
        )
        return table


def _cells(row: Row) -> list[object]:
    outcomes, times = row.ledger.outcomes(), row.ledger.recoveries(last=True)
    found = [_count([row], kind) for kind in KINDS_OF_FINDING]
    recovery = f"{median(times):.1f}, {max(times, default=float('nan')):.1f} of {len(times)}"
    return [
        row.name,
        len(row.ledger.asked),
        outcomes["completed"],
        outcomes["failed"],
        *found,
        recovery,
        f"{row.took_s:.0f}",
    ]


def _count(rows: list[Row], kind: str) -> int:
    return sum(finding.kind == kind for row in rows for finding in row.findings)
