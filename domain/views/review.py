"""What each reviewer saw and gave: labels and orders as shown, scores as read, and the legend behind them."""

from __future__ import annotations

from collections.abc import Mapping

from domain.candidates import candidate_of
from domain.checklist import asked_about
from domain.entry import BallotCast, Proposed
from domain.keys import PRIOR
from domain.prompts.ballot_rules import alone_rules
from domain.prompts.material import Material, label
from domain.prompts.model_question import line_names
from domain.record import Record
from domain.review.candidate import Candidate
from domain.value import Value

BETWEEN_CALLS = "\n\n\n"
"""Between the texts of calls that make one ballot."""


class ShownProposal(Value):
    """A proposal at its place on one ballot."""

    label: str
    """As the reviewer read it: A, B, C …; empty where the proposal was shown alone."""
    proposal_id: str
    """What the label stood for; the reviewer did not know."""
    written: Mapping[str, int]
    """Criterion → 1 to 9 as the model wrote it; empty where it gave none, as for its own."""
    read: Mapping[str, float]
    """Criterion → what counted: the mean under the digits' probabilities where the engine gave them."""
    met: tuple[float, ...]
    """How far it meets each criterion of the checklist, from 0 (no) to 1 (yes); empty where none was asked."""
    own: bool
    """The reviewer wrote it, and was not asked to score it."""


class BallotView(Value):
    """One ballot as its reviewer saw it."""

    reviewer: str
    round: int
    pass_: int
    shown: tuple[ShownProposal, ...]
    """First shown first."""
    missing: str
    """Why there is no ballot; empty else."""
    detail: str
    model: str
    seconds: float


def ballot_views(record: Record) -> tuple[BallotView, ...]:
    """Return every ballot of a deliberation, by round, pass and reviewer."""
    return tuple(_ballot_view(ballot, _authors(record)) for ballot in record.ballots())


def shown_sheet(record: Record, ballot: BallotCast) -> str:
    """Return what stood above the reviewer's ballot, blinded and in its order; of calls one below the other.

    Written anew from the record, so a text that an older version blinded otherwise reads as this version shows it.
    Raises LookupError where a proposal on the ballot is not in the record.
    """
    written = _candidates(record)
    voted = ballot.order or _voted_on(record, ballot.round)
    material = Material.of(record.deliberation, [written[proposal_id] for proposal_id in voted], ballot.round)
    mark = material.mark(f"ballots/{ballot.pass_}")
    if not ballot.alone:
        return material.sheet(ballot.order, mark)
    deliberation = record.deliberation
    asks = deliberation.review.checklist == "report"
    checklist = asked_about(deliberation.plan.acceptance_criteria) if asks else ()
    rules = alone_rules(line_names(material.rubric.names), checklist)
    return BETWEEN_CALLS.join(material.lone_sheet(proposal_id, mark, rules) for proposal_id in ballot.asked)


def _voted_on(record: Record, round_: int) -> list[str]:
    """Return what the ballots of a round are about, where they were shown in no order."""
    return sorted({proposal for ballot in record.ballots(round_) for proposal in ballot.asked})


def _ballot_view(ballot: BallotCast, authors: Mapping[str, str]) -> BallotView:
    return BallotView(
        reviewer=ballot.agent_id,
        round=ballot.round,
        pass_=ballot.pass_,
        shown=tuple(
            ShownProposal(
                label=label(place) if ballot.order else "",
                proposal_id=proposal_id,
                written=ballot.scores.get(proposal_id, {}),
                read=ballot.reading.get(proposal_id, {}),
                met=tuple(ballot.checklist.get(proposal_id, ())),
                own=authors.get(proposal_id) == ballot.agent_id,
            )
            for place, proposal_id in enumerate(ballot.order or ballot.asked)
        ),
        missing=str(ballot.missing or ""),
        detail=ballot.detail,
        model=ballot.model,
        seconds=ballot.duration_ms / 1000,
    )


def _authors(record: Record) -> dict[str, str]:
    return {proposal_id: candidate.author for proposal_id, candidate in _candidates(record).items()}


def _candidates(record: Record) -> dict[str, Candidate]:
    """Return proposal id → candidate, of every round, and the earlier winner."""
    proposals = [entry for entry in record.entries.values() if isinstance(entry, Proposed)]
    found = {proposal.proposal_id: candidate_of(proposal) for proposal in proposals}
    deliberation = record.deliberation
    if deliberation.prior_winner:
        found[PRIOR] = Candidate(
            proposal_id=PRIOR, author=deliberation.prior_author, text=deliberation.prior_winner
        )
    return found
