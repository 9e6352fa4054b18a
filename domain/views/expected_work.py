"""What answers are likely to take beside one another, before the first of a stage has come.

Counted in written tokens. A token that is read takes a fifth of one: more on a processor, less on a GPU.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.chat import Usage
from domain.council import Agent, voice_of
from domain.deliberation import Deliberation
from domain.entry import Proposed
from domain.thinking import room_for

READ = 0.2
RULES = 300
"""Tokens that a ballot's prompt has beside the task and the proposals."""
SCORE = 4
"""Tokens of a line with a score."""


def of_proposal(proposals: Sequence[Proposed]) -> float:
    """Return what one proposal took on average; 0 where engines told no tokens."""
    usage = _mean(proposals)
    return READ * usage.prompt_tokens + usage.completion_tokens


def of_revision(proposals: Sequence[Proposed]) -> float:
    """Return what a revision is likely to take: a critique of another's text, then the text anew."""
    return 2 * of_proposal(proposals)


def of_ballot(
    deliberation: Deliberation, authors: Sequence[Agent], proposals: Sequence[Proposed], ballots: int
) -> float:
    """Return what one of so many ballots is likely to take; 0 where engines told no tokens of proposals."""
    rules, usage = deliberation.review, _mean(proposals)
    if not ballots or not of_proposal(proposals):
        return 0.0
    lines = len(deliberation.rubric.criteria) * SCORE
    if rules.ballot_form == "pointwise":
        calls = _calls(authors, deliberation.judges) / ballots
        return calls * (READ * (usage.prompt_tokens + RULES + usage.completion_tokens) + lines)
    shown = len(authors)
    read = usage.prompt_tokens + RULES + shown * usage.completion_tokens
    return READ * read + max(1, shown - 1) * lines + room_for(rules.thinking)


def _calls(authors: Sequence[Agent], judges: Sequence[Agent]) -> int:
    """Return how many calls ask about one proposal each: every voice about all that a member of it may judge."""
    voices = {voice_of(agent) for agent in (*authors, *judges)}
    neutral = {voice_of(judge) for judge in judges}
    lone = [voice for voice in voices - neutral if sum(voice_of(author) == voice for author in authors) == 1]
    return len(voices) * len(authors) - len(lone)


def _mean(proposals: Sequence[Proposed]) -> Usage:
    total, count = sum((proposal.usage for proposal in proposals), Usage()), max(1, len(proposals))
    return Usage(
        prompt_tokens=(total.prompt_tokens - total.cached_tokens) // count,
        completion_tokens=total.completion_tokens // count,
    )
