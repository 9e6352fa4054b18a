"""A timeline as shapes in a drawing: places and widths in percent, since a strict policy allows no styles."""

from __future__ import annotations

from dataclasses import dataclass

from domain.views.timeline import CallSpan, Lane, Timeline

WIDTH = 100.0
ROW = 28
BAR = 14
LEAST = 0.4
"""Percent that a bar is wide at least, so that a call of an instant is seen."""
STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 43_200)
MOST_TICKS = 8


@dataclass(frozen=True)
class Bar:
    """One call."""

    span: CallSpan
    x: float
    y: float
    width: float


@dataclass(frozen=True)
class DrawnLane:
    """One agent's calls; those that overlap lie in rows of their own."""

    lane: Lane
    bars: tuple[Bar, ...]
    height: float


@dataclass(frozen=True)
class Tick:
    """A mark on the axis."""

    x: float
    seconds: float


@dataclass(frozen=True)
class Drawing:
    """All lanes over one axis."""

    lanes: tuple[DrawnLane, ...]
    ticks: tuple[Tick, ...]


def draw(of: Timeline) -> Drawing:
    """Lay a timeline out."""
    scale = WIDTH / of.until_s if of.until_s else 0.0
    step = next((step for step in STEPS_S if of.until_s / step <= MOST_TICKS), of.until_s / MOST_TICKS)
    count = int(of.until_s / step) + 1 if of.until_s else 1
    return Drawing(
        lanes=tuple(_drawn(lane, scale) for lane in of.lanes),
        ticks=tuple(Tick(x=round(number * step * scale, 2), seconds=number * step) for number in range(count)),
    )


def _drawn(lane: Lane, scale: float) -> DrawnLane:
    free_from: list[float] = []
    bars = []
    for span in lane.spans:
        row = next((row for row, end in enumerate(free_from) if end <= span.begins_s), len(free_from))
        free_from[row : row + 1] = [span.ends_s]
        width = max(LEAST, span.seconds * scale)
        x = min(span.begins_s * scale, WIDTH - width)
        y = row * (BAR + 2) + (ROW - BAR) / 2
        bars.append(Bar(span=span, x=round(x, 2), y=y, width=round(width, 2)))
    rows = max(1, len(free_from))
    return DrawnLane(lane=lane, bars=tuple(bars), height=ROW + (rows - 1) * (BAR + 2))
