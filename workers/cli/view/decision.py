"""A decision on a terminal: the ranking, who gave whom what, what failed, what it cost, what was proposed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.panel import Panel

from domain.contract import CompletedBody
from domain.ranking import Ranking
from domain.verdict import Verdict
from domain.views.matrix import matrix
from domain.views.remarks import failure_line, telling_checks
from domain.views.verdicts import verdict_lines
from domain.views.why import label, number, why
from workers.cli.view.costs import costs
from workers.cli.view.sentences import Sentences
from workers.cli.view.tables import Column, FittedTable
from workers.printer import PlainText


def drawing(
    decision: CompletedBody, verdicts: Sequence[Verdict] = (), *, full: bool = False
) -> Iterator[RenderableType]:
    """Draw a decision; `full` prints every proposal whole, else only the beginning of those that did not win."""
    yield headline(decision)
    yield from _proposals(decision, full=full)
    if decision.synthesis:
        title = PlainText("Synthesis: the architect's, of the best proposals; not ranked")
        yield Panel(decision.synthesis.strip(), title=title, title_align="left", border_style="cyan")
    yield _ranked(decision)
    if decision.ranking.matrix:
        yield _matrix(decision.ranking)
    yield Sentences("Why", why(decision))
    said = verdict_lines(decision, verdicts)
    if said:
        yield Sentences("Verdicts", said)
    yield from _remarks(decision)
    yield costs(decision.usage, decision.timings)


def headline(decision: CompletedBody) -> PlainText:
    """Name the winner, every doubt on it, and how long it took."""
    winner = label(decision.winner.proposal_id) if decision.winner else "none"
    head = PlainText.assemble(("Winner: ", "bold"), (winner, "bold green"))
    flags = {"tied": decision.tied, "contested": decision.contested, "degraded": decision.degraded}
    for flag, is_set in flags.items():
        if is_set:
            head.append(f"  {flag}", "bold yellow")
    return head.append(f"  decided in {decision.duration_ms / 1000:.1f} s", "dim")


def _proposals(decision: CompletedBody, *, full: bool) -> Iterator[RenderableType]:
    """Draw what was proposed, best first."""
    for place, row in enumerate(decision.decisions):
        proposal = row.proposal
        content = proposal.content.strip()
        title = f"{row.rank}. {label(proposal.proposal_id)} · {number(row.score)}"
        whole = full or place == 0
        note = " · cut off at max_tokens" if proposal.cut_off else ""
        style = "green" if place == 0 else "dim"
        body = content if whole else beginning(content)
        yield Panel(body, title=PlainText(title + note), title_align="left", border_style=style)


def beginning(text: str, limit: int = 160) -> str:
    """Return the first words of a text in one line, and how much more there is."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[:limit].rstrip()} … ({len(line) - limit} more characters)"


def _ranked(decision: CompletedBody) -> FittedTable:
    """Draw the ranking: scores with their doubt, and the criteria that make them up."""
    ranking = decision.ranking
    entries = ranking.entries
    checks = {row.proposal.proposal_id: row.checks.overall_score for row in decision.decisions}
    criteria = list(entries[0].criteria) if entries else []
    columns = [
        Column("", _places(ranking), is_name=True),
        Column("proposal", [f"{label(one.proposal)}{' (tied)' * one.tied}" for one in entries], is_name=True),
        Column("score", [number(one.score) for one in entries]),
        Column("ranks", ["-".join(map(str, dict.fromkeys(one.interval))) for one in entries], goes=4),
        Column("stability", [number(one.p_best) for one in entries], goes=5),
        Column("Borda", [number(one.borda) for one in entries], goes=2),
        Column("Copeland", [f"{one.copeland:+d}" for one in entries], goes=1),
        *(Column(name, [number(one.criteria.get(name)) for one in entries], goes=6) for name in criteria),
        Column("checks", [number(checks.get(one.proposal)) for one in entries], goes=3),
    ]
    winner = next((place for place, one in enumerate(entries) if one.proposal == ranking.winner), None)
    return FittedTable("Ranking (criteria: mean score as given, 1 to 9)", columns, bold=winner)


def _places(ranking: Ranking) -> list[str]:
    return [f"{entry.rank}{'=' * entry.shared}" for entry in ranking.entries]


def _matrix(ranking: Ranking) -> FittedTable:
    """Draw who gave whom what; an author's own proposal is a dot: it is neither asked for nor read."""
    rows = matrix(ranking)
    given = zip(*(["·" if cell.own else number(cell.score) for cell in row.cells] for row in rows), strict=True)
    reviewers = [f"{row.reviewer} (judge)" if row.neutral else row.reviewer for row in rows]
    names = [label(entry.proposal) for entry in ranking.entries]
    columns = [
        Column("reviewer", reviewers, is_name=True),
        *(
            Column(name, cells, short=f"to {n}")
            for n, (name, cells) in enumerate(zip(names, given, strict=True), 1)
        ),
        Column("weight", [number(row.weight) for row in rows], goes=3),
        Column("agrees", [number(row.agreement) for row in rows], goes=2),
        Column("consistent", [number(row.swap_consistency) for row in rows], goes=1),
    ]
    return FittedTable("Scores by reviewer (weighted over criteria, passes averaged)", columns)


def _remarks(decision: CompletedBody) -> Iterator[RenderableType]:
    if decision.failures:
        yield Sentences("Failures", list(map(failure_line, decision.failures)), "red")
    checks = list(telling_checks(decision))
    if checks:
        yield Sentences("Checks", checks, "yellow")
    critiques = [critique for critique in decision.critiques if critique.text]
    if critiques:
        lines = [
            f"{critique.reviewer} on {label(critique.proposal_id)}: {critique.text.strip()}"
            for critique in critiques
        ]
        yield Sentences("Critiques", lines)
