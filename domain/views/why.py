"""Why the winner won, in sentences: read off the ranking, nothing is judged here."""

from __future__ import annotations

from collections.abc import Iterator

from domain.checklist import is_met
from domain.contract import CompletedBody
from domain.keys import parse_proposal_id
from domain.ranking import RankedProposal, Ranking

SEPARATED = {
    "score": "the score",
    "pairwise majority": "more reviewers preferring it head to head, scores being equal",
    "checks": "its checks, scores and head-to-head contests being equal",
    "criteria": "the first criterion on which they differ, all else being equal",
    "second look": "a second look: reviewers compared those that were tied, two by two",
    "hash": "nothing but the lower hash of its text: they share the rank",
}
FLAGS = {
    "silent": "handed in nothing",
    "gaps": "left proposals out",
    "flat": "scored all alike",
    "unstable": "changed its order with the presentation",
    "dissenting": "disagreed with the others",
}


def label(proposal_id: str) -> str:
    """Name a proposal for people: its author, and which revision unless it is the first version."""
    version = parse_proposal_id(proposal_id)
    if version is None:
        return "earlier winner"
    author, round_ = version
    return f"{author} (revision {round_})" if round_ else author


def number(value: float | None, digits: int = 2) -> str:
    """Print a number, or a dash where there is none to give."""
    return "-" if value is None else f"{value:.{digits}f}"


def why(decision: CompletedBody) -> list[str]:
    """Explain a decision."""
    if decision.winner is None:
        return ["no proposal was left to rank"]
    return [
        *_sentences(decision.ranking, decision.winner.proposal_id, decision.decided_by),
        *_saved(decision.usage.saved_calls),
        *checklist_lines(decision),
    ]


def _sentences(ranking: Ranking, winner: str, decided_by: str) -> Iterator[str]:
    if decided_by == "architect":
        yield f"{label(winner)} won because the architect chose it where the council's vote left the top open"
    else:
        yield from _won(ranking)
    yield from _doubts(ranking)
    yield from _agreement(ranking)
    yield from _reviewers(ranking)
    for excluded in ranking.excluded:
        yield f"{label(excluded)} took no part in the final ranking: its author has a better version"


def _saved(calls: int) -> Iterator[str]:
    if calls:
        yield f"{calls} calls saved: reviewers of one voice would answer alike, so one of them is asked"


def checklist_lines(decision: CompletedBody) -> Iterator[str]:
    """Tell of each proposal how many acceptance criteria it meets by the reviewers' checklist, and which it lacks.

    Criteria are named by their numbers in the plan, the first being 1.
    """
    for row in decision.decisions:
        if row.checklist:
            met = [is_met(value) for value in row.checklist]
            lacking = [
                f"{place} ({number(value)})"
                for place, value in enumerate(row.checklist, start=1)
                if not is_met(value)
            ]
            rest = f", not number {', '.join(lacking)}" if lacking else ""
            yield f"{label(row.proposal.proposal_id)} meets {sum(met)} of {len(met)} acceptance criteria{rest}"


def _won(ranking: Ranking) -> Iterator[str]:
    first = ranking.entries[0]
    if len(ranking.entries) == 1:
        yield f"{label(first.proposal)} won without a contest: it is the only proposal"
        return
    second = ranking.entries[1]
    if ranking.decided_by != "score" or first.score is None or second.score is None:
        by = SEPARATED.get(ranking.decided_by, ranking.decided_by)
        yield f"{label(first.proposal)} stands before {label(second.proposal)} by {by}"
        return
    yield (
        f"{label(first.proposal)} has the highest score, {number(first.score)}, which is "
        f"{number(first.score - second.score)} above {label(second.proposal)}{_where(first, second)}"
    )


def _where(first: RankedProposal, second: RankedProposal) -> str:
    """Name the criterion on which the winner gained most over the runner-up, if one stands out."""
    gains = {name: effect - second.criterion_effects[name] for name, effect in first.criterion_effects.items()}
    if len(gains) < 2:
        return ""
    best, next_best = sorted(gains, key=lambda name: -gains[name])[:2]
    stands_out = gains[best] > 0 and number(gains[best]) != number(gains[next_best])
    return f", most of it on {best} (+{number(gains[best])})" if stands_out else ""


def _doubts(ranking: Ranking) -> Iterator[str]:
    yield from _confidence(ranking)
    others = [label(proposal) for proposal in ranking.tied_with_winner if proposal != ranking.winner]
    if ranking.tied and others:
        yield f"tied: these ballots can't tell it apart from {', '.join(others)}"
    yield from _second_look(ranking)
    if ranking.contested and ranking.condorcet is not None:
        yield f"contested: {label(ranking.condorcet)} beats every other one head to head"
    for entry in ranking.entries:
        if entry.capped_at is not None:
            yield f"{label(entry.proposal)} could score at most {number(entry.capped_at)}: a check failed"


def _second_look(ranking: Ranking) -> Iterator[str]:
    compared = [(entry.proposal, entry.second_look) for entry in ranking.entries if entry.second_look is not None]
    if compared:
        points = ", ".join(f"{label(proposal)} {number(value)}" for proposal, value in compared)
        yield f"second look at those tied, of {len(compared) - 1} points: {points}"


def _confidence(ranking: Ranking) -> Iterator[str]:
    """Say how sure the ranking is. Version 1 knew no voices and no calibration: its `p_winner` was stability."""
    voices = ranking.independent_voices
    stability = ranking.p_winner if voices is None else ranking.stability
    if voices is not None and ranking.p_winner is not None:
        yield f"P(winner) {number(ranking.p_winner)}: how often such a winner is what people call best"
    if stability is not None:
        yield f"stability {number(stability)}: how often it stays first when reviewers are drawn again"
    if voices == 1:
        yield "independent voices 1: all reviewers speak with one voice, so no confidence is claimed"
    elif voices == 0:
        yield "independent voices 0: no reviewer saw two to compare, so no confidence is claimed"
    elif voices is not None:
        yield f"independent voices {voices}"


def _agreement(ranking: Ranking) -> Iterator[str]:
    agreement = ranking.agreement
    each = agreement.mean_correlation
    with_others = "" if each is None else f", each with what the others find {number(each)} on average (1 to -1)"
    yield (
        f"agreement: Kendall's W {number(agreement.kendall_w)} (1: all order alike, 0: none do), "
        f"Krippendorff's alpha {number(agreement.krippendorff_alpha)} (1: same scores, 0: chance){with_others}"
    )


def _reviewers(ranking: Ranking) -> Iterator[str]:
    for report in ranking.reviewers:
        remarks = [FLAGS.get(flag, flag) for flag in report.flags]
        if report.weight < 1 and report.scored:
            remarks.append(f"counts {number(report.weight)}")
        if report.winner_without is not None and report.winner_without != ranking.winner:
            remarks.append(f"without it {label(report.winner_without)} would be first")
        if remarks:
            yield f"reviewer {report.reviewer}: {'; '.join(remarks)}"
