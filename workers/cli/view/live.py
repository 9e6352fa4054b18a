"""The live view on a terminal: a bar per stage, a line per agent."""

from __future__ import annotations

from rich.console import Group, RenderableType
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


def live(view: DeliberationView) -> RenderableType:
    """Draw the view."""
    parts: list[RenderableType] = [_head(view), _bars(view.stages), _members(view.members)]
    if view.reason:
        parts.append(PlainText(view.reason, "red"))
    return Group(*parts)


def _head(view: DeliberationView) -> PlainText:
    head = PlainText.assemble((f"{view.role} · {view.title}", "bold"), "\n", (view.deliberation_id, "dim"), "  ")
    head.append(str(view.state), STATES.get(view.state, "bold cyan"))
    head.append(f"  {view.elapsed_s:.1f} s", "dim")
    if not view.closed:
        likely = "" if view.estimate_s is None else f", about {view.estimate_s:.0f} s to go"
        head.append(f"{likely}, {view.remaining_s:.0f} s to the deadline", "dim")
    if view.usage.completion_tokens:
        head.append(f"  {view.usage.completion_tokens} tokens written", "dim")
    return head


def _bars(stages: tuple[StageView, ...]) -> Table:
    table = Table.grid(padding=(0, 1))
    for stage in stages:
        mark, style = MARKS[stage.status]
        bar = ProgressBar(total=stage.total, completed=stage.done, width=BAR_WIDTH, finished_style="green")
        seconds = f"{stage.seconds:.1f} s" if stage.seconds else ""
        table.add_row(
            PlainText(mark, style),
            stage.name,
            bar,
            f"{stage.done}/{stage.total}",
            PlainText(seconds, "dim"),
        )
    return table


def _members(members: tuple[MemberView, ...]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("agent", "part", "status", "proposal", "ballots", "tokens in/cached/out", "model", ""):
        table.add_column(title, overflow="fold")
    for member in members:
        usage = member.usage
        table.add_row(
            PlainText(member.agent_id, "bold"),
            member.part,
            PlainText(member.status, STANDING[member.status]),
            "" if member.proposal_s is None else f"{member.proposal_s:.1f} s",
            _ballots(member),
            f"{usage.prompt_tokens}/{usage.cached_tokens}/{usage.completion_tokens}",
            PlainText(member.model, "dim"),
            PlainText(member.detail, "red" if member.status == "failed" else "yellow"),
        )
    return table


def _ballots(member: MemberView) -> str:
    missing = f" (-{member.ballots_missing})" if member.ballots_missing else ""
    return f"{member.ballots}{missing}" if member.ballots or missing else ""
