"""A decision on a terminal: the ranking, who gave whom what, what failed, what it cost, what was proposed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from domain.ranking import Ranking
from workers.cli.view.why import label, number, why

Body = Mapping[str, Any]
"""The completed event's body."""


def decision(result: Body, *, full: bool = False) -> Iterator[RenderableType]:
    """Draw a decision; `full` prints every proposal whole, else only the beginning of those that did not win."""
    ranking = Ranking.model_validate(result["ranking"])
    yield _headline(result)
    yield from proposals(result, full=full)
    yield ranked(result, ranking)
    if ranking.matrix:
        yield matrix(ranking)
    yield _lines("Why", why(result))
    yield from _remarks(result)
    yield costs(result)


def _headline(result: Body) -> Text:
    winner = result["winner"]
    head = Text.assemble(("Winner: ", "bold"), (label(winner["proposal_id"]) if winner else "none", "bold green"))
    for flag in ("tied", "contested", "degraded"):
        if result[flag]:
            head.append(f"  {flag}", "bold yellow")
    return head.append(f"  decided in {result['duration_ms'] / 1000:.1f} s", "dim")


def proposals(result: Body, *, full: bool) -> Iterator[RenderableType]:
    """Draw what was proposed, best first."""
    for place, one in enumerate(result["decisions"]):
        proposal = one["proposal"]
        content = proposal["content"].strip()
        title = f"{one['rank']}. {label(proposal['proposal_id'])} · {number(one['score'])}"
        whole = full or place == 0
        note = " · cut off at max_tokens" if proposal["cut_off"] else ""
        style = "green" if place == 0 else "dim"
        body = Text(content if whole else beginning(content))
        yield Panel(body, title=Text(title + note), title_align="left", border_style=style)


def beginning(text: str, limit: int = 160) -> str:
    """Return the first words of a text in one line, and how much more there is."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[:limit].rstrip()} … ({len(line) - limit} more characters)"


def ranked(result: Body, ranking: Ranking) -> Table:
    """Draw the ranking: scores with their doubt, and the criteria that make them up."""
    checks = {one["proposal"]["proposal_id"]: one["checks"]["overall_score"] for one in result["decisions"]}
    criteria = list(ranking.entries[0].criteria) if ranking.entries else []
    columns = ("", "proposal", "score", "ranks", "P(best)", "Borda", "Copeland", *criteria, "checks")
    table = _table("Ranking (criteria: mean score as given, 1 to 9)", *columns)
    for entry in ranking.entries:
        row = [
            f"{entry.rank}{'=' if entry.shared else ''}",
            label(entry.proposal) + (" (tied)" if entry.tied else ""),
            number(entry.score),
            "-".join(str(rank) for rank in dict.fromkeys(entry.interval)),
            number(entry.p_best),
            number(entry.borda),
            f"{entry.copeland:+d}",
            *(number(entry.criteria.get(name)) for name in criteria),
            number(checks.get(entry.proposal)),
        ]
        table.add_row(*(Text(cell) for cell in row), style="bold" if entry.proposal == ranking.winner else "")
    return table


def matrix(ranking: Ranking) -> Table:
    """Draw who gave whom what; an author's own proposal is a dot: it is neither asked for nor read."""
    shown = [entry.proposal for entry in ranking.entries]
    authors = {entry.proposal: entry.author for entry in ranking.entries}
    columns = [*map(label, shown), "weight", "agrees", "consistent"]
    table = _table("Scores by reviewer (weighted over criteria, passes averaged)", "reviewer", *columns)
    for one in ranking.reviewers:
        given = ranking.matrix.get(one.reviewer, {})
        cells = [
            number(given[proposal]) if proposal in given else "·" if authors[proposal] == one.reviewer else "-"
            for proposal in shown
        ]
        facts = (number(one.weight), number(one.agreement), number(one.swap_consistency))
        name = f"{one.reviewer} (judge)" if one.neutral else one.reviewer
        table.add_row(*(Text(cell) for cell in (name, *cells, *facts)))
    return table


def costs(result: Body) -> Table:
    """Draw tokens and seconds per agent and the stages' wall times."""
    timings = result["timings"]
    stages = " · ".join(f"{name.removesuffix('_ms')} {value / 1000:.1f} s" for name, value in timings.items())
    table = _table(f"Cost ({stages})", "agent", "calls", "tokens in", "of them cached", "tokens out", "model time")
    usage = result["usage"]
    for agent_id, row in usage["agents"].items():
        table.add_row(
            Text(agent_id), str(row["calls"]), *_tokens(row["usage"]), f"{row['duration_ms'] / 1000:.1f} s"
        )
    table.add_row("all", str(sum(row["calls"] for row in usage["agents"].values())), *_tokens(usage), style="bold")
    return table


def _tokens(usage: Mapping[str, int]) -> tuple[str, str, str]:
    return str(usage["prompt_tokens"]), str(usage["cached_tokens"]), str(usage["completion_tokens"])


def _remarks(result: Body) -> Iterator[RenderableType]:
    if result["failures"]:
        yield _lines("Failures", [failure(one) for one in result["failures"]], "red")
    found = list(_failed_checks(result))
    if found:
        yield _lines("Checks", found, "yellow")
    critiques = [one for one in result["critiques"] if one["text"]]
    if critiques:
        said = [f"{one['reviewer']} on {label(one['proposal_id'])}: {one['text'].strip()}" for one in critiques]
        yield _lines("Critiques", said)


def failure(one: Mapping[str, Any]) -> str:
    """Say in a line who failed where and why."""
    detail = f" ({one['detail']})" if one["detail"] else ""
    return f"{one['agent_id']}, {one['stage']}: {one['reason']}{detail}"


def _failed_checks(result: Body) -> Iterator[str]:
    for one in result["decisions"]:
        for name, check in one["checks"].items():
            if isinstance(check, Mapping) and not check["passed"]:
                yield f"{label(one['proposal']['proposal_id'])}, {name}: {check['reason'] or 'not passed'}"


def _lines(title: str, lines: list[str], style: str = "") -> Text:
    return Text("\n").join([Text(f"\n{title}", "bold"), *(Text(f"  {line}", style) for line in lines)])


def _table(title: str, *columns: str) -> Table:
    table = Table(title=Text(f"\n{title}"), title_justify="left", title_style="bold", box=None, header_style="dim")
    for index, column in enumerate(columns):
        table.add_column(Text(column), justify="left" if index < 1 or column == "proposal" else "right")
    return table
