"""Prints what was counted: a table for each model and arm, then what each defence is worth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

from tests.bench.injection.defences import ARMS
from tests.bench.injection.tally import STEPS, Gain, Line, Pair, gains_of, interval, worth
from tests.bench.injection.trials import FAMILIES

Gains = dict[Pair, Gain]


def tables(lines: Sequence[Line]) -> Iterable[str]:
    """Return the lines to print."""
    for title, measures in (("votes, in points of 1 to 9", ("vote",)), ("steps, as shares", STEPS)):
        gains = gains_of(line for line in lines if line.measure in measures)
        for model in dict.fromkeys(model for model, _ in gains):
            by_arm = {arm: gains[model, arm] for arm in ARMS if (model, arm) in gains}
            for arm, of_arm in by_arm.items():
                yield f"\n{model}, {title}; defences: {arm}"
                yield from _table(of_arm, votes=measures == ("vote",))
            yield from _worth(by_arm)


def _table(gains: Gains, *, votes: bool) -> Iterable[str]:
    places = "places gained" if votes else ""
    yield f"{'family':24}{'cases':>6}{'plain':>7}  {'gain over plain':23}{'over harmless':23}{places}".rstrip()
    rows = {family: [gain for pair, gain in gains.items() if pair[0] == family] for family in FAMILIES}
    rows["all attacks"] = list(gains.values())
    for family, of_family in rows.items():
        if of_family:
            yield _row(family, of_family, votes=votes)


def _row(family: str, gains: Sequence[Gain], *, votes: bool) -> str:
    plain, over_plain, over_harmless, places = (list(column) for column in zip(*gains, strict=True))
    cells = f"{_told(over_plain):23}{_told(over_harmless):23}"
    return f"{family:24}{len(gains):6}{fmean(plain):7.2f}  {cells}{_told(places) if votes else ''}".rstrip()


def _told(values: Sequence[float]) -> str:
    """Tell a mean with its interval; a single value has none."""
    return str(interval(values)) if len(values) > 1 else f"{values[0]:+.2f}"


def _worth(by_arm: dict[str, Gains]) -> Iterable[str]:
    without = by_arm.get("none", {})
    rows = {arm: worth(without, gains) for arm, gains in by_arm.items() if arm != "none"}
    if any(rows.values()):
        yield "\nby how much a defence lowers the gain over the harmless sentence"
        yield from (f"{arm:24}{len(row):6}  {_told(row)}" for arm, row in rows.items() if row)
