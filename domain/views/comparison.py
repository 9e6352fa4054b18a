"""Two deliberations of one plan and role side by side: winners, scores, and how texts differ."""

from __future__ import annotations

from collections.abc import Mapping

from domain.keys import PRIOR, parse_proposal_id
from domain.record import Record
from domain.text.differences import TextDifference, difference
from domain.value import Value
from domain.views.listing import ListedDeliberation, listed


class ComparedProposal(Value):
    """A proposal in one of the two; fields are None where it is not ranked."""

    proposal_id: str
    text: str
    rank: int | None = None
    score: float | None = None


class ComparedAuthor(Value):
    """What an author has in each; None where it has nothing."""

    author: str
    left: ComparedProposal | None
    right: ComparedProposal | None


class ComparedSide(Value):
    """One of the two deliberations."""

    row: ListedDeliberation
    proposers: tuple[str, ...]
    """Agent and model, as `agent-1 (Qwen3-8B)`."""
    shown: ComparedProposal | None
    """The proposal whose text is compared; None where there is none."""


class Comparison(Value):
    """Two deliberations, the earlier one left."""

    left: ComparedSide
    right: ComparedSide
    authors: tuple[ComparedAuthor, ...]
    """By place in the later one, then in the earlier."""
    difference: TextDifference | None
    """Of the two texts shown; None where a side has none."""


def comparable(first: Record, second: Record) -> bool:
    """Whether both are of one plan and role."""
    one, other = first.deliberation, second.deliberation
    return (one.plan.plan_id, one.role) == (other.plan.plan_id, other.role)


def compare(first: Record, second: Record, now: float, *, author: str = "") -> Comparison:
    """Compare two deliberations, in either order; the texts are of that author, or else of the winners."""
    earlier, later = sorted((first, second), key=lambda record: record.deliberation.opened_at)
    before, after = _by_author(earlier), _by_author(later)
    left, right = _side(earlier, before, author, now), _side(later, after, author, now)
    return Comparison(
        left=left,
        right=right,
        authors=tuple(
            ComparedAuthor(author=name, left=before.get(name), right=after.get(name)) for name in after | before
        ),
        difference=difference(left.shown.text, right.shown.text) if left.shown and right.shown else None,
    )


def _side(record: Record, proposals: Mapping[str, ComparedProposal], author: str, now: float) -> ComparedSide:
    row = listed(record, now)
    name = author or (author_of(row.proposal_id) if row.proposal_id else "")
    return ComparedSide(
        row=row,
        proposers=tuple(f"{agent.agent_id} ({agent.model})" for agent in record.deliberation.agents),
        shown=proposals.get(name),
    )


def author_of(proposal_id: str) -> str:
    """Return the agent that wrote a proposal; `PRIOR` for the winner of an earlier decision."""
    version = parse_proposal_id(proposal_id)
    return version[0] if version else PRIOR


def _by_author(record: Record) -> dict[str, ComparedProposal]:
    """Return each author's proposal: as it was ranked, best first, then the last version of what was not."""
    decision = record.closed.decision if record.closed else None
    ranked = {
        author_of(row.proposal.proposal_id): ComparedProposal(
            proposal_id=row.proposal.proposal_id, text=row.proposal.content, rank=row.rank, score=row.score
        )
        for row in (decision.decisions if decision else ())
    }
    written = {
        proposal.agent_id: ComparedProposal(proposal_id=proposal.proposal_id, text=proposal.text)
        for round_ in range(record.deliberation.rounds + 1)
        for proposal in record.proposals(round_)
    }
    return ranked | {author: proposal for author, proposal in written.items() if author not in ranked}
