"""Who is asked for a ballot: of reviewers that are copies of one another as few as see every proposal fairly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from domain.council import Agent, voice_of
from domain.review.presentation import Presentation

FILLED = 5
"""Orders for which copies are asked; more gain eight agents of one voice under 0.02 of P(winner = best)."""


def voters(reviewers: Sequence[Agent], presentation: Presentation, own: Mapping[str, str]) -> tuple[Agent, ...]:
    """Return the reviewers to ask in each pass, in their order; `own`: agent id → a proposal that it wrote.

    Agents of one voice answer the same question alike, so of each voice the fewest members are asked that judge
    every proposal by a member who did not write it: two authors, or one member that wrote none. Further members
    are asked only to fill up to five orders, since these take most of the effect of places out.
    """
    orders = len(presentation.passes[0])
    used: Counter[int] = Counter()
    asked: set[str] = set()
    by_voice = _by_voice(reviewers)
    for members in by_voice.values():
        names = [agent.agent_id for agent in members]
        neutral = [name for name in names if name not in own]
        number = _number(len(names), bool(neutral), orders, len(by_voice))
        places = {name: presentation.order_of(own[name]) for name in names if name in own}
        asked.update(neutral[:number])
        for _ in range(number - len(neutral[:number])):
            author = min(places, key=lambda name: used[places[name]])
            used[places.pop(author)] += 1
            asked.add(author)
    return tuple(agent for agent in reviewers if agent.agent_id in asked)


def number_of_voters(authors: Sequence[Agent], judges: Sequence[Agent], *, orders: int) -> int:
    """Return how many reviewers each pass asks where every author wrote one proposal."""
    by_voice = _by_voice([*authors, *judges])
    neutral = {voice_of(judge) for judge in judges}
    shown = min(orders, len(authors))
    return sum(
        _number(len(members), voice in neutral, shown, len(by_voice)) for voice, members in by_voice.items()
    )


def _by_voice(reviewers: Sequence[Agent]) -> dict[str, list[Agent]]:
    by_voice: dict[str, list[Agent]] = {}
    for agent in reviewers:
        by_voice.setdefault(voice_of(agent), []).append(agent)
    return by_voice


def _number(members: int, neutral: bool, orders: int, voices: int) -> int:
    """Return how many of a voice's members to ask: its share of the orders, or the fewest that see everything."""
    return min(members, max(1 if neutral else 2, -(-min(orders, FILLED) // voices)))
