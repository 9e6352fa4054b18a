"""A decision on half a screen, ending with the winner and why: what `conclave demo` shows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from textwrap import wrap

from rich.console import RenderableType

from domain.contract import CompletedBody
from domain.views.why import label, number, why
from workers.cli.view.decision import beginning, headline
from workers.cli.view.sentences import indented
from workers.printer import PlainText

PROPOSAL_LINES = 5
REASONS = 5
"""The first sentences are on the winner, those behind on single reviewers."""


def brief(decision: CompletedBody, width: int) -> Iterator[RenderableType]:
    """Draw the ranking with each proposal's beginning, then the winner's text and why it won."""
    yield PlainText("\nProposals, best first, with their scores of 1 to 9", "bold")
    for row in decision.decisions:
        head = f" {row.rank}  {label(row.proposal.proposal_id)}  {number(row.score)}  "
        text = beginning(row.proposal.content, limit=max(20, width - len(head) - 32))
        yield PlainText.assemble((head, "bold"), (text, "dim"))
    yield PlainText.assemble("\n", headline(decision))
    if decision.decisions:
        yield from _text(decision.decisions[0].proposal.content, width)
    yield PlainText("Why", "bold")
    for sentence in islice(why(decision), REASONS):
        yield from indented(sentence, width)


def _text(content: str, width: int) -> Iterator[PlainText]:
    """Draw the first lines of a proposal as a screen would break them, no blank ones, and count the others."""
    lines = [part for line in content.splitlines() for part in wrap(line, max(20, width - 2))]
    yield from (PlainText(f"  {line}") for line in lines[:PROPOSAL_LINES])
    if len(lines) > PROPOSAL_LINES:
        yield PlainText(f"  … ({len(lines) - PROPOSAL_LINES} more lines)", "dim")
