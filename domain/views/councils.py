"""Councils as people see them: who serves each agent, which are at work now, and how they have done so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from domain.council import Agent, Council
from domain.engine import EngineRecord
from domain.people import PeopleFigures, WithPeople, people_figures
from domain.record import Record
from domain.statistics import Statistics, reviewer_histories, statistics
from domain.thinking import Thinking
from domain.value import Value
from domain.views.progress import view

AT_WORK = frozenset({"proposing", "reviewing"})
Home = tuple[str, str]
"""A role, and an agent's id in its council."""


class ServingView(Value):
    """The engines of one model, taken together."""

    model: str
    """Empty where neither the agent nor settings name one."""
    engines: tuple[str, ...]
    """Those that take calls, by name."""
    starting: int
    in_flight: int
    waiting: int
    slots: int
    """Calls that they take at once; 0 where one of them does not say."""


class CouncilMember(Value):
    """An agent of a council."""

    agent_id: str
    architect: bool
    persona: str
    temperature: float
    seed: int | None
    thinking: Thinking | None
    serving: ServingView
    busy: int
    """Open deliberations that wait for an answer of this agent now."""
    won: int
    """Decisions of its council that its proposal won."""
    reviewed: int
    """Ended deliberations that it reviewed."""
    silent: int
    """Of them, those in which it scored nothing."""
    weight: float | None
    """What its ballots count for their steadiness when proposals change places, 0 to 1; None without a record."""
    agreement: float | None
    """How far it orders proposals as the other reviewers do, -1 to 1; None without a record."""
    people: WithPeople | None
    """How often its best proposal was a person's; None where no verdict can be compared."""


class CouncilView(Value):
    """A council with its members, the architect last."""

    role: str
    members: tuple[CouncilMember, ...]
    decided: int
    failed: int
    people: WithPeople | None
    """How often its decision was what a person wanted; None without a verdict."""


def busy_agents(records: Iterable[Record], now: float) -> Counter[Home]:
    """Count for each agent the deliberations among these that wait for it; judges count in their own council."""
    return Counter(
        record.deliberation.home_of(member.agent_id)
        for record in records
        if record.closed is None
        for member in view(record, now).members
        if member.status in AT_WORK
    )


def council_views(
    councils: Sequence[Council],
    engines: Sequence[EngineRecord],
    *,
    counts: Mapping[str, int],
    verdict_counts: Mapping[str, int],
    busy: Mapping[Home, int],
    default_model: str,
) -> tuple[CouncilView, ...]:
    """Put together what is known of each council; counts are those of deliberations and of verdicts."""
    figures, people = statistics(counts), people_figures(verdict_counts)
    return tuple(
        CouncilView(
            role=council.role,
            members=_members(council, engines, counts, figures, people, busy, default_model),
            decided=figures.roles[council.role].decided if council.role in figures.roles else 0,
            failed=figures.roles[council.role].failed if council.role in figures.roles else 0,
            people=people.councils.get(council.role),
        )
        for council in councils
    )


def serving(model: str, engines: Iterable[EngineRecord]) -> ServingView:
    """Add up the engines of one model."""
    ours = [engine for engine in engines if engine.model == model]
    ready = [engine for engine in ours if engine.ready]
    return ServingView(
        model=model,
        engines=tuple(engine.name for engine in ready),
        starting=len(ours) - len(ready),
        in_flight=sum(engine.in_flight for engine in ready),
        waiting=sum(engine.waiting for engine in ready),
        slots=sum(engine.slots for engine in ready) if all(engine.slots for engine in ready) else 0,
    )


def _members(
    council: Council,
    engines: Sequence[EngineRecord],
    counts: Mapping[str, int],
    figures: Statistics,
    people: PeopleFigures,
    busy: Mapping[Home, int],
    default_model: str,
) -> tuple[CouncilMember, ...]:
    role = council.role
    histories = reviewer_histories(counts, {agent.agent_id: (role, agent.agent_id) for agent in council.agents})
    wins = figures.roles[role].wins if role in figures.roles else {}

    def member(agent: Agent) -> CouncilMember:
        architect = agent is council.architect
        history = None if architect else histories.get(agent.agent_id)
        return CouncilMember(
            **agent.model_dump(include={"agent_id", "persona", "temperature", "seed", "thinking"}),
            architect=architect,
            serving=serving(agent.model or default_model, engines),
            busy=0 if architect else busy.get((role, agent.agent_id), 0),
            won=0 if architect else wins.get(agent.agent_id, 0),
            reviewed=history.deliberations if history else 0,
            silent=history.silent if history else 0,
            weight=history.weight if history and history.swap_consistency.count else None,
            agreement=history.agreement.value if history and history.agreement.count else None,
            people=None if architect else people.reviewers.get(f"{role}/{agent.agent_id}"),
        )

    return tuple(map(member, council.members))
