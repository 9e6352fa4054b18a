"""A decision on a terminal: the ranking, who gave whom what, what failed, what it cost, what was proposed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table

from domain.contract import CompletedBody
from domain.ranking import Ranking
from domain.verdict import Verdict
from domain.views.matrix import matrix
from domain.views.remarks import failure_line, telling_checks
from domain.views.verdicts import verdict_lines
from domain.views.why import label, number, why
from workers.cli.view.costs import costs
from workers.cli.view.tables import titled_table
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
    yield _lines("Why", why(decision))
    said = verdict_lines(decision, verdicts)
    if said:
        yield _lines("Verdicts", said)
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


def _ranked(decision: CompletedBody) -> Table:
    """Draw the ranking: scores with their doubt, and the criteria that make them up."""
    ranking = decision.ranking
    checks = {row.proposal.proposal_id: row.checks.overall_score for row in decision.decisions}
    criteria = list(ranking.entries[0].criteria) if ranking.entries else []
    columns = ("", "proposal", "score", "ranks", "stability", "Borda", "Copeland", *criteria, "checks")
    table = titled_table("Ranking (criteria: mean score as given, 1 to 9)", *columns)
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
        table.add_row(*row, style="bold" if entry.proposal == ranking.winner else "")
    return table


def _matrix(ranking: Ranking) -> Table:
    """Draw who gave whom what; an author's own proposal is a dot: it is neither asked for nor read."""
    shown = [entry.proposal for entry in ranking.entries]
    columns = [*map(label, shown), "weight", "agrees", "consistent"]
    table = titled_table("Scores by reviewer (weighted over criteria, passes averaged)", "reviewer", *columns)
    for row in matrix(ranking):
        cells = ["·" if cell.own else number(cell.score) for cell in row.cells]
        facts = (number(row.weight), number(row.agreement), number(row.swap_consistency))
        table.add_row(f"{row.reviewer} (judge)" if row.neutral else row.reviewer, *cells, *facts)
    return table


def _remarks(decision: CompletedBody) -> Iterator[RenderableType]:
    if decision.failures:
        yield _lines("Failures", list(map(failure_line, decision.failures)), "red")
    checks = list(telling_checks(decision))
    if checks:
        yield _lines("Checks", checks, "yellow")
    critiques = [critique for critique in decision.critiques if critique.text]
    if critiques:
        lines = [
            f"{critique.reviewer} on {label(critique.proposal_id)}: {critique.text.strip()}"
            for critique in critiques
        ]
        yield _lines("Critiques", lines)


def _lines(title: str, lines: list[str], style: str = "") -> RenderableType:
    text = PlainText.assemble((f"\n{title}", "bold"))
    for line in lines:
        text.append("\n").append(f"  {line}", style)
    return text
