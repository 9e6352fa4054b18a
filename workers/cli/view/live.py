"""The live view on a terminal: a bar per stage, a line per agent, in as much as its width holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from rich.console import ConsoleOptions, RenderableType, RenderResult
from rich.progress_bar import ProgressBar
from rich.table import Table

from domain.record import DeliberationState
from domain.views.progress import DeliberationView, MemberView, StageView, Status
from workers.printer import PlainText

MARKS: dict[Status, tuple[str, str]] = {
    "waiting": ("·", "dim"),
    "running": ("▶", "cyan"),
    "done": ("✓", "green"),
    "skipped": ("-", "dim"),
    "failed": ("✗", "red"),
}
STANDING = {
    "waiting": "dim",
    "proposing": "cyan",
    "proposed": "default",
    "reviewing": "cyan",
    "done": "green",
    "failed": "red",
}
STATES = {
    DeliberationState.DECIDED: "bold green",
    DeliberationState.FAILED: "bold red",
    DeliberationState.CANCELLED: "bold yellow",
}
BAR_WIDTH = 32
BESIDE_BAR = 30
"""Columns of a stage's mark, name, counts and seconds."""
GAP = "  "


class _Fitted:
    """A view, drawn for the width that there is: names stay whole, and what is worth least is left out first."""

    def __init__(self, view: DeliberationView) -> None:
        self._view = view

    def __rich_console__(self, console: object, options: ConsoleOptions) -> RenderResult:
        view, width = self._view, options.max_width
        yield PlainText(f"{view.role} · {view.title}", "bold")
        yield _state(view, width)
        yield _bars(view.stages, max(4, min(BAR_WIDTH, width - BESIDE_BAR)))
        yield _members(view.members, width)
        yield from _details(view.members)
        if view.reason:
            yield PlainText(view.reason, "red")


def live(view: DeliberationView) -> RenderableType:
    """Draw the view."""
    return _Fitted(view)


def _state(view: DeliberationView, width: int) -> PlainText:
    """Say in one line where it stands: what stands last is left out first."""
    parts = [(view.deliberation_id, "dim"), (str(view.state), STATES.get(view.state, "bold cyan"))]
    parts.append((f"{view.elapsed_s:.1f} s", "dim"))
    if view.estimate_s is not None:
        parts.append((f"about {view.estimate_s:.0f} s to go", "dim"))
    if not view.closed:
        parts.append((f"deadline in {view.remaining_s:.0f} s", "dim"))
    if view.usage.completion_tokens:
        parts.append((f"{view.usage.completion_tokens} tokens written", "dim"))
    while len(parts) > 2 and sum(len(text) + len(GAP) for text, _ in parts) - len(GAP) > width:
        parts.pop()
    line = PlainText()
    for index, (text, style) in enumerate(parts):
        line.append(GAP * bool(index)).append(text, style)
    return line


def _bars(stages: tuple[StageView, ...], bar_width: int) -> Table:
    table = Table.grid(padding=(0, 1))
    for stage in stages:
        mark, style = MARKS[stage.status]
        bar = ProgressBar(total=stage.total, completed=stage.done, width=bar_width, finished_style="green")
        seconds = f"{stage.seconds:.1f} s" if stage.seconds else ""
        table.add_row(
            PlainText(mark, style),
            stage.name,
            bar,
            f"{stage.done}/{stage.total}",
            PlainText(seconds, "dim"),
        )
    return table


Column = tuple[str, Callable[[MemberView], PlainText]]
COLUMNS: tuple[Column, ...] = (
    ("agent", lambda member: PlainText(member.agent_id, "bold")),
    ("status", lambda member: PlainText(member.status, STANDING[member.status])),
    ("proposal", lambda member: PlainText("" if member.proposal_s is None else f"{member.proposal_s:.1f} s")),
    ("ballots", lambda member: PlainText(_ballots(member))),
    ("tokens in/cached/out", lambda member: PlainText(_tokens(member))),
    ("part", lambda member: PlainText(member.part)),
    ("model", lambda member: PlainText(member.model, "dim")),
)
"""In the order of their worth."""


def _members(members: Sequence[MemberView], width: int) -> Table:
    columns = [(title, [cell(member) for member in members]) for title, cell in COLUMNS]
    shown = [column for column in columns if any(cell.plain for cell in column[1])]
    while len(shown) > 1 and sum(map(_width, shown)) - len(GAP) > width:
        shown.pop()
    table = Table(box=None, padding=(0, len(GAP), 0, 0), pad_edge=False, header_style="dim")
    for title, _ in shown:
        table.add_column(title, no_wrap=True, overflow="ellipsis")
    for row in zip(*(cells for _, cells in shown), strict=True):
        table.add_row(*row)
    return table


def _width(column: tuple[str, list[PlainText]]) -> int:
    title, cells = column
    return max(cell_len(title), *(cell.cell_len for cell in cells)) + len(GAP)


def _details(members: Sequence[MemberView]) -> list[PlainText]:
    """Say below the table what went wrong with whom: sentences, which may take several lines."""
    return [
        PlainText(f"{GAP}{member.agent_id}: {member.detail}", "red" if member.status == "failed" else "yellow")
        for member in members
        if member.detail
    ]


def _tokens(member: MemberView) -> str:
    usage = member.usage
    return f"{usage.prompt_tokens}/{usage.cached_tokens}/{usage.completion_tokens}"


def _ballots(member: MemberView) -> str:
    missing = f" (-{member.ballots_missing})" if member.ballots_missing else ""
    return f"{member.ballots}{missing}" if member.ballots or missing else ""
