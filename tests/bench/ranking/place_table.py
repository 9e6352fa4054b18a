"""What orders buy and cost: a place effect of any shape, through the real presentation, voters and ranking."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import exp

from domain.council import Agent
from domain.ranking import Ballot, RankingSettings, rank
from domain.review.presentation import present
from domain.review.voters import voters

QUICK = RankingSettings.current(exact_up_to=0, resamples=1)
SIZES = (3, 5, 8)
HEAD, PROPOSAL, TAIL = 300, 400, 150
"""Tokens of task and rubric, of one proposal, and of the lines that no other reviewer of an order shares."""


@dataclass(frozen=True)
class Plan:
    """A number of orders and of passes."""

    name: str
    orders: int
    passes: int


TODAY = Plan("eight orders at most, one pass (default)", 8, 1)
PLANS = (
    Plan("one order and its reverse (version 0.1)", 1, 2),
    Plan("two orders and their reverses", 2, 2),
    Plan("five orders at most, one pass", 5, 1),
    TODAY,
    Plan("an order per proposal", 16, 1),
)


def shapes(count: int) -> Mapping[str, tuple[float, ...]]:
    """Return place effects of two points: none, for the front, for both ends, for the middle, and for the end."""
    ends = [2 * abs(2 * place / (count - 1) - 1) for place in range(count)]
    front = [2.0, 1.0, *[0.0] * (count - 2)]
    return {
        "none": (0.0,) * count,
        "front": tuple(front),
        "ends": tuple(ends),
        "middle": tuple(2 - effect for effect in ends),
        "back": tuple(front[::-1]),
    }


def share_of_best(
    plan: Plan, agents: int, effect: tuple[float, ...], *, trials: int, copies: bool = False
) -> float:
    """Return P(winner = best); with `copies` all agents are one voice that errs alike. Seeded."""
    rng = random.Random(f"{agents} {copies}")
    return sum(_best_wins(plan, agents, effect, rng, copies=copies) for _ in range(trials)) / trials


def _best_wins(plan: Plan, agents: int, effect: tuple[float, ...], rng: random.Random, *, copies: bool) -> bool:
    members = [Agent(agent_id=f"a{n}", model="m", persona="" if copies else f"Way {n}.") for n in range(agents)]
    author_of = {f"p{n}": f"a{n}" for n in range(agents)}
    own = {author: proposal for proposal, author in author_of.items()}
    quality = {proposal: rng.gauss(0, 1.3) for proposal in author_of}
    errors = [opinion(author_of, rng) for _ in range(1 if copies else agents)]
    noise = {(name, p, n): rng.gauss(0, 0.5) for name in own for p in author_of for n in range(plan.passes)}
    shown = present(author_of, seed=str(rng.random()), passes=plan.passes, orders=plan.orders)
    ballots = []
    for own_name in (agent.agent_id for agent in voters(members, shown, own)):
        severity, spread, error = errors[0 if copies else int(own_name[1:])]
        for number in range(plan.passes):
            order = shown.shown_to(number, own=own[own_name]).items
            raw = {
                p: 5 + severity + spread * (quality[p] + error[p]) + effect[place] + noise[own_name, p, number]
                for place, p in enumerate(order)
            }
            scores = {p: {"quality": min(9.0, max(1.0, value))} for p, value in raw.items()}
            ballots.append(Ballot(own_name, author_of=author_of, scores=scores, presentation=order))
    winner = rank(ballots, settings=QUICK, hashes={p: p for p in author_of}).winner
    return winner == max(quality, key=quality.__getitem__)


def opinion(proposals: Mapping[str, str], rng: random.Random) -> tuple[float, float, dict[str, float]]:
    """Return a reviewer's severity, its spread and its error about each proposal, in points."""
    return rng.gauss(0, 1), exp(rng.gauss(0, 0.3)), {proposal: rng.gauss(0, 1) for proposal in proposals}


def prompt_tokens(plan: Plan, agents: int, *, copies: bool = False) -> tuple[int, int]:
    """Return the ballots of a vote and the prompt tokens that no prefix cache holds."""
    members = [Agent(agent_id=f"a{n}", model="m", persona="" if copies else f"Way {n}.") for n in range(agents)]
    own = {f"a{n}": f"p{n}" for n in range(agents)}
    shown = present(own.values(), seed="cost", passes=plan.passes, orders=plan.orders)
    asked = [own[agent.agent_id] for agent in voters(members, shown, own)]
    seen = {shown.shown_to(number, own=proposal).items for proposal in asked for number in range(plan.passes)}
    ballots, distinct = len(asked) * plan.passes, len(seen)
    return ballots, HEAD + distinct * PROPOSAL * agents + ballots * TAIL


def lines(trials: int = 1000) -> Iterator[str]:
    """Both tables, line by line."""
    for copies in (False, True):
        who = "one voice" if copies else "a voice each"
        yield f"Orders: P(winner = best) under place effects of two points, {trials} councils a cell, {who}"
        for agents in SIZES:
            effects = shapes(agents)
            yield f"  {f'{agents} agents':42}" + "".join(f"{name:>8}" for name in effects)
            for plan in PLANS:
                cells = (share_of_best(plan, agents, e, trials=trials, copies=copies) for e in effects.values())
                yield f"  {plan.name:42}" + "".join(f"{cell:8.3f}" for cell in cells)
    parts = f"{HEAD} + {PROPOSAL} a proposal, {TAIL} a ballot"
    yield f"Orders: ballots / prompt tokens outside the prefix cache ({parts}) at 3, 5, 8, 16 agents"
    for copies in (False, True):
        for plan in PLANS:
            costs = [prompt_tokens(plan, agents, copies=copies) for agents in (3, 5, 8, 16)]
            name = f"{plan.name}{', one voice' if copies else ''}"
            yield f"  {name:52}" + "".join(f"{ballots:6}/{tokens:<7}" for ballots, tokens in costs)
