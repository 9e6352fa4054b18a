"""What the said probability is worth: fitted again, by source, and as an installation would learn it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import fsum
from pathlib import Path

from domain.ranking import calibrate
from tests.bench.ranking import hanna
from tests.bench.ranking.known_best import (
    Decision,
    fitted,
    from_development_set,
    from_hanna,
    from_simulation,
    twenty_judges,
)

FOLDS = 8


def lines(table: Path | None) -> Iterator[str]:
    """The tables, line by line; without HANNA's table only what the repository holds."""
    if table is None:
        yield hanna.NEEDED
    known = [*from_development_set(), *from_simulation()]
    known += [] if table is None else from_hanna(table)
    yield "Decisions whose best proposal is known: stability, P(winner) and how often it was right"
    yield "  coefficients fitted again: " + " ".join(f"{c:.2f}" for c in fitted(known))
    for source in sorted({decision.source for decision in known}):
        of = [decision for decision in known if decision.source == source]
        yield f"  {source:12} {_row(of)}"
        yield from _reliability(of)
    if table is not None:
        yield from _twenty(table)


def _reliability(decisions: Sequence[Decision]) -> Iterator[str]:
    for low in (0.2, 0.4, 0.6, 0.8):
        within = [d for d in decisions if low <= d.said < low + 0.2]
        if within:
            yield f"    said {low:.1f} to {low + 0.2:.1f}  {_row(within)}"


def _twenty(table: Path) -> Iterator[str]:
    yield "  HANNA, five models with four prompts each, all ten stories"
    yield f"  (learned: from the verdicts on {FOLDS - 1} of {FOLDS} folds of prompts, told of the other)"
    for name, by_model in (("a voice per prompt", False), ("a voice per model", True)):
        decisions = twenty_judges(table, by_model=by_model)
        learned = {fold: calibrate(_pairs(decisions, fold)) for fold in range(FOLDS)}
        told = [replace(d, said=learned[d.group % FOLDS].apply(d.said)) for d in decisions]
        yield f"    {name:20} shipped {_row(decisions)}"
        yield f"    {'':20} learned {_row(told)}"


def _pairs(decisions: Sequence[Decision], without: int) -> list[tuple[float, bool]]:
    return [(d.said, d.right > 0.5) for d in decisions if d.group % FOLDS != without]


def _row(decisions: Sequence[Decision]) -> str:
    rows = [(d.stability, d.said, d.right) for d in decisions]
    stability, said, right = (fsum(values) / len(rows) for values in zip(*rows, strict=True))
    return f"n {len(rows):5} stability {stability:.3f} said {said:.3f} true {right:.3f}"
