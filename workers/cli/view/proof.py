"""How a proof looks: a row per rule, the gain over a single agent, and what P(winner) was worth."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from domain.proving.gap import Interval
from domain.proving.proof import Proof
from workers.printer import PlainText


def tables(proof: Proof) -> Iterator[Table | PlainText]:
    """Yield what is printed, in order."""
    undecided = f", {proof.undecided} without a decision" if proof.undecided else ""
    yield PlainText(f"{proof.tasks} tasks{undecided}; intervals hold 95 % of resampled tasks", "dim")
    yield PlainText(f"{proof.telling} have right and wrong proposals; on others all rules do the same", "dim")
    yield _rules(proof)
    yield PlainText(_gain(proof))
    yield from _confidence(proof)


def _rules(proof: Proof) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("taken by", overflow="fold")
    for title in ("right", "recovered gap", "tokens a task"):
        table.add_column(title, justify="right")
    for row in proof.rules:
        table.add_row(
            PlainText(row.rule), PlainText(percent(row.right)), PlainText(share(row.gap)), f"{row.tokens:,.0f}"
        )
    return table


def _gain(proof: Proof) -> str:
    seconds = f"council {proof.council_seconds:.1f} s a task"
    if proof.gain is None or proof.gain.value is None:
        return f"{seconds}; the single agent was not asked"
    points = f"{100 * proof.gain.value:+.1f} points"
    if proof.gain.low is not None and proof.gain.high is not None:
        points += f" ({100 * proof.gain.low:+.1f} to {100 * proof.gain.high:+.1f})"
    return f"{seconds}, single agent {proof.single_seconds:.1f} s; council less single agent: {points}"


def _confidence(proof: Proof) -> Iterator[Table | PlainText]:
    if proof.unclaimed:
        yield PlainText(f"{proof.unclaimed} decisions claim no P(winner)")
    if not proof.reliability:
        return
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for title in ("P(winner)", "decisions", "said", "best of its proposals", "right"):
        table.add_column(title, justify="right")
    for bucket in proof.reliability:
        table.add_row(
            f"{bucket.low:.1f} to {bucket.high:.1f}",
            str(bucket.decisions),
            f"{bucket.said:.2f}",
            f"{bucket.best:.2f}",
            f"{bucket.right:.2f}",
        )
    yield table


def percent(interval: Interval) -> str:
    """Write a share of tasks with its interval."""
    if interval.value is None:
        return "-"
    written = f"{100 * interval.value:.1f} %"
    if interval.low is None or interval.high is None:
        return written
    return f"{written} ({100 * interval.low:.0f} to {100 * interval.high:.0f})"


def share(interval: Interval) -> str:
    """Write a recovered gap with its interval; a dash where there is no gap."""
    if interval.value is None:
        return "-"
    if interval.low is None or interval.high is None:
        return f"{interval.value:.2f}"
    return f"{interval.value:.2f} ({interval.low:.2f} to {interval.high:.2f})"
