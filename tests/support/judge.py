"""An independent judge of a run: it replays approvals and events, and knows nothing of the store behind them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.support.observer import ObservedEvent

ABOUT = "orchestration.deliberation."
STARTED, PROGRESS, DISPATCHED = f"{ABOUT}started", f"{ABOUT}progress", "orchestration.plan.dispatched"
ENDS = tuple(f"{ABOUT}{end}" for end in ("completed", "failed", "cancelled"))
COMPLETED, FAILED, CANCELLED = ENDS
EVIDENCE = 12
"""Events of a deliberation that a finding shows."""


class Answer(NamedTuple):
    """A text that an engine gave whole, and what it was asked."""

    prompt: str
    text: str


@dataclass(frozen=True)
class Terms:
    """What a run does to deliberations; a failure that speaks of anything else is a false accusation."""

    failures: frozenset[str] = frozenset()
    """Reasons for which agents may fail and ballots be missing."""
    sentences: tuple[str, ...] = ()
    """Regular expressions for the reasons of failed deliberations."""
    nats_stayed: bool = True
    """False where NATS was away at times: `started` may come late then, told by its timestamp."""
    store_kept: bool = True
    """False where the store lost what was told already: its counters are not compared then."""


@dataclass(frozen=True)
class History:
    """All that the judge looks at."""

    approvals: Sequence[Mapping[str, Any]]
    """Bodies that JetStream confirmed, each with `plan_id` and `roles`."""
    events: Sequence[ObservedEvent]
    """As their stream holds them, oldest first."""
    answers: Sequence[Answer] = ()
    reported_lost: int = 0
    """Approvals that the bridges reported as lost: so many may have no end and no answer."""
    figures: Mapping[str, Any] = field(default_factory=dict)
    """What `conclave stats --json` prints at the end."""


class Finding(NamedTuple):
    """One thing that must not be."""

    kind: str
    what: str
    evidence: tuple[str, ...] = ()
    """Events of the deliberation, a line each."""

    def __str__(self) -> str:
        return "\n    ".join((f"{self.kind}: {self.what}", *self.evidence))


def judge(history: History, terms: Terms = Terms()) -> list[Finding]:
    """Return everything that is wrong with the history; nothing for a right one."""
    return list(_Judge(history, terms).findings())


class _Judge:
    def __init__(self, history: History, terms: Terms) -> None:
        self.history = history
        self.terms = terms
        self.deliberations: dict[str, list[ObservedEvent]] = defaultdict(list)
        for event in history.events:
            if event.subject.startswith(ABOUT):
                self.deliberations[event.body["deliberation_id"]].append(event)
        self.ends = [event for event in history.events if event.subject in ENDS]
        self.texts: dict[str, list[str]] = defaultdict(list)
        for answer in history.answers:
            self.texts[answer.text].append(answer.prompt)

    def findings(self) -> Iterator[Finding]:
        yield from self._lost()
        yield from self._doubled()
        yield from self._ids()
        for identity, events in self.deliberations.items():
            yield from self._order(identity, events)
        for end in self.ends:
            yield from self._accusations(end)
            yield from self._inventions(end)
        if self.terms.store_kept:
            yield from self._statistics()

    def _lost(self) -> Iterator[Finding]:
        """Every role of every approval has an end, and every approval an answer; nothing else has."""
        expected = {(str(body["plan_id"]), str(role)) for body in self.history.approvals for role in body["roles"]}
        ended = {(end.body["plan_id"], end.body["role"]) for end in self.ends}
        answered = {event.body["plan_id"] for event in self.history.events if event.subject == DISPATCHED}
        plans = {plan_id for plan_id, _ in expected}
        silent = plans - answered - {plan_id for plan_id, _ in ended}
        count = self.history.reported_lost
        reported = silent if len(silent) <= count else set()
        if len(silent) < count:
            yield Finding("lost", f"{count} approvals are reported lost, and {len(silent)} have no answer")
        for plan_id, role in sorted(expected - ended):
            if plan_id not in reported:
                yield Finding("lost", f"{plan_id} {role} has no end", self._evidence(plan_id, role))
        for plan_id in sorted(plans - answered - reported):
            yield Finding("lost", f"{plan_id} has no {DISPATCHED}")
        for plan_id, role in sorted(ended - expected):
            yield Finding("invented", f"{plan_id} {role} was not approved", self._evidence(plan_id, role))

    def _doubled(self) -> Iterator[Finding]:
        """A role of a plan has one end; a further one is of another revision or names what it replaces."""
        names = ("plan_id", "role", "revision", "supersedes")
        ends = Counter(tuple(str(end.body.get(name)) for name in names) for end in self.ends)
        for (plan_id, role, *_), count in ends.items():
            if count > 1:
                yield Finding("doubled end", f"{plan_id} {role} has {count}", self._evidence(plan_id, role))

    def _ids(self) -> Iterator[Finding]:
        seen: dict[str, ObservedEvent] = {}
        for event in self.history.events:
            identity = event.headers.get("Nats-Msg-Id", "")
            if not identity or identity != event.headers.get("ce-id"):
                yield Finding("id", f"{event.subject} has the ids {identity!r} and {event.headers.get('ce-id')!r}")
            elif identity in seen:
                yield Finding("id", f"{identity} of {event.subject} was that of {seen[identity].subject}")
            seen[identity] = event

    def _order(self, identity: str, events: list[ObservedEvent]) -> Iterator[Finding]:
        """The order that docs/events.md promises, in the stream and by timestamps."""
        for what in self._disorder(events):
            yield Finding("order", f"{identity}: {what}", _lines(events))

    def _disorder(self, events: list[ObservedEvent]) -> Iterator[str]:
        subjects = [event.subject for event in events]
        starts = [event for event in events if event.subject == STARTED]
        if len(starts) > 1:
            yield f"it started {len(starts)} times"
        if not starts and subjects != [FAILED]:
            yield "it never started"
        if starts and subjects[0] != STARTED and self.terms.nats_stayed:
            yield f"{subjects[0]} came before started"
        at = [event.body["timestamp"] for event in events]
        if starts and starts[0].body["timestamp"] > min(at):
            yield "by timestamps something was before the start"
        ends = [event.body["timestamp"] for event in events if event.subject in ENDS]
        if ends and max(at) > max(ends):
            yield "by timestamps something was after the end"
        if any(event.body.get("duration_ms", 0) < 0 for event in events):
            yield "a negative duration"

    def _accusations(self, end: ObservedEvent) -> Iterator[Finding]:
        evidence = _lines([end])
        for row in end.body.get("failures", ()):
            if row["reason"] not in self.terms.failures:
                what = f"{end.body['plan_id']} {row['agent_id']} {row['stage']} {row['reason']}: {row['detail']}"
                yield Finding("accusation", what, evidence)
        sentence = str(end.body.get("reason", ""))
        if end.subject != COMPLETED and not any(re.search(allowed, sentence) for allowed in self.terms.sentences):
            yield Finding("accusation", f"{end.body['plan_id']} {end.subject}: {sentence}", evidence)

    def _inventions(self, end: ObservedEvent) -> Iterator[Finding]:
        """Every text of a decision is one that an engine gave when it was asked about that plan."""
        plan_id = str(end.body["plan_id"])
        proposals = [row["proposal"] for row in end.body.get("decisions", ())]
        if end.subject == COMPLETED and not proposals:
            yield Finding("invented", f"{plan_id} was decided without a proposal", _lines([end]))
        for proposal in proposals:
            for text in (proposal["content"], *proposal["revisions"]):
                if not any(plan_id in prompt for prompt in self.texts.get(text, ())):
                    what = f"{plan_id}: no engine gave {proposal['author']['agent_id']} {text[:80]!r}"
                    yield Finding("invented", what, _lines([end]))

    def _statistics(self) -> Iterator[Finding]:
        for role in sorted(
            {str(end.body["role"]) for end in self.ends} | set(self.history.figures.get("roles", ()))
        ):
            told = self.history.figures.get("roles", {}).get(role, {})
            for name, counted in _figures([end for end in self.ends if end.body["role"] == role]).items():
                if told.get(name) != counted:
                    what = f"{role} {name}: {told.get(name)} in the statistics, {counted} in the events"
                    yield Finding("statistics", what)

    def _evidence(self, plan_id: str, role: str) -> tuple[str, ...]:
        of_role = [events for events in self.deliberations.values() if _is_of(events[0], plan_id, role)]
        return tuple(line for events in of_role for line in _lines(events))


def _is_of(event: ObservedEvent, plan_id: str, role: str) -> bool:
    return bool(event.body["plan_id"] == plan_id and event.body["role"] == role)


def _figures(ends: list[ObservedEvent]) -> dict[str, Any]:
    """Count what the events of one role say, under the names of the statistics."""
    decided = [end.body for end in ends if end.subject == COMPLETED]
    winners = Counter(body["winner"]["agent_id"] if body["winner"] else "" for body in decided)
    return {
        "decided": len(decided),
        "failed": sum(end.subject == FAILED for end in ends),
        "cancelled": sum(end.subject == CANCELLED for end in ends),
        "degraded": sum(body["degraded"] for body in decided),
        "contested": sum(body["contested"] for body in decided),
        "wins": dict(winners),
    }


def _lines(events: Sequence[ObservedEvent]) -> tuple[str, ...]:
    """Say each event in a line, the last ones if there are many."""
    shown = ("deliberation_id", "stage", "what", "outcome", "reason", "failures")
    return tuple(
        " ".join((f"{event.body['timestamp']:.3f}", event.subject.removeprefix(ABOUT), *_said(event, shown)))
        for event in events[-EVIDENCE:]
    )


def _said(event: ObservedEvent, names: Sequence[str]) -> Iterator[str]:
    return (f"{name}={event.body[name]}" for name in names if event.body.get(name))
