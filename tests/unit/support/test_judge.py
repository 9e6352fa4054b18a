"""The judge of chaos runs passes a right history and finds each kind of wrong one, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support.judge import COMPLETED, DISPATCHED, FAILED, PROGRESS, STARTED, Answer, History, Terms, judge
from tests.support.observer import ObservedEvent

PLANS = ("plan-1", "plan-2")
FAILURE = {"agent_id": "a-1", "stage": "proposal", "reason": "poison", "detail": "5 workers were lost"}
Events = list[ObservedEvent]
AT = {DISPATCHED: 1.0, STARTED: 1.0, PROGRESS: 2.0, COMPLETED: 3.0, FAILED: 3.0}


def event(subject: str, plan_id: str, event_id: str = "", **fields: Any) -> ObservedEvent:
    head = {
        "plan_id": plan_id,
        "role": "DEV",
        "revision": "r",
        "supersedes": None,
        "deliberation_id": f"d-{plan_id}",
        "timestamp": AT[subject],
    }
    identity = event_id or f"{subject}/{plan_id}/{fields.get('what', '')}"
    headers = {"Nats-Msg-Id": identity, "ce-id": identity}
    return ObservedEvent(subject, headers, head | fields, b"")


def completed(plan_id: str, *texts: str, **fields: Any) -> ObservedEvent:
    author = {"agent_id": "a-1", "role": "DEV"}
    decision: dict[str, Any] = {
        "decisions": [{"proposal": {"author": author, "content": text, "revisions": []}} for text in texts],
        "winner": {"agent_id": "a-1"},
        "degraded": False,
        "contested": False,
        "failures": [],
        "duration_ms": 2000.0,
    }
    return event(COMPLETED, plan_id, **(decision | fields))


def failed(plan_id: str, reason: str, **fields: Any) -> ObservedEvent:
    return event(FAILED, plan_id, reason=reason, **{"failures": [], **fields})


def life(plan_id: str) -> Events:
    """Everything about a plan that was decided."""
    return [
        event(STARTED, plan_id),
        event(DISPATCHED, plan_id),
        event(PROGRESS, plan_id, stage="proposal", what="proposal/a-1"),
        completed(plan_id, f"text of {plan_id}"),
    ]


def figures(decided: int = 2, **changes: Any) -> dict[str, Any]:
    counts = {"decided": decided, "failed": 0, "cancelled": 0, "degraded": 0, "contested": 0}
    return {"roles": {"DEV": {**counts, "wins": {"a-1": decided} if decided else {}, **changes}}}


def right() -> History:
    return History(
        approvals=[{"plan_id": plan_id, "roles": ["DEV"]} for plan_id in PLANS],
        events=[event for plan_id in PLANS for event in life(plan_id)],
        answers=[Answer(f"Carry out {plan_id}", f"text of {plan_id}") for plan_id in PLANS],
        figures=figures(),
    )


def with_first(change: Callable[[Events], Events]) -> History:
    """Change what became of the first plan."""
    return replace(right(), events=[*change(life(PLANS[0])), *life(PLANS[1])])


def decided(*texts: str, **fields: Any) -> Callable[[Events], Events]:
    return lambda events: [*events[:-1], completed(PLANS[0], *texts, **fields)]


def test_a_right_history_has_no_finding() -> None:
    assert judge(right()) == []


def test_an_approval_that_was_reported_lost_needs_no_end() -> None:
    assert judge(replace(with_first(lambda events: []), figures=figures(1), reported_lost=1)) == []


WRONG: dict[str, tuple[str, History]] = {
    "both ends": ("doubled end", with_first(lambda events: [*events, failed(PLANS[0], "given up")])),
    "the same end twice": (
        "doubled end",
        with_first(lambda events: [*events, completed(PLANS[0], event_id="e-2")]),
    ),
    "no end": ("lost", with_first(lambda events: events[:-1])),
    "an approval without a trace": ("lost", with_first(lambda events: [])),
    "an approval without its answer": ("lost", with_first(lambda events: [events[0], *events[2:]])),
    "an approval reported lost that was answered": ("lost", replace(right(), reported_lost=1)),
    "an approval reported lost that was begun": (
        "lost",
        replace(with_first(lambda events: events[:-1]), reported_lost=1),
    ),
    "an end for a role that was not asked": (
        "invented",
        with_first(
            lambda events: [*events, event(FAILED, PLANS[0], role="QA", reason="?", deliberation_id="d-qa")]
        ),
    ),
    "an end before the start": ("order", with_first(lambda events: [events[-1], *events[:-1]])),
    "no start": ("order", with_first(lambda events: events[1:])),
    "progress before the start": (
        "order",
        with_first(lambda events: [events[2], events[0], events[1], events[3]]),
    ),
    "progress that was made after the end": (
        "order",
        with_first(lambda events: [*events, event(PROGRESS, PLANS[0], stage="ranked", what="r", timestamp=3.5)]),
    ),
    "two starts": ("order", with_first(lambda events: [event(STARTED, PLANS[0], "e-2"), *events])),
    "an end whose time is before its start's": ("order", with_first(decided("text of plan-1", timestamp=0.5))),
    "a negative duration": ("order", with_first(decided("text of plan-1", duration_ms=-1.0))),
    "the same id twice": ("id", with_first(lambda events: [*events[:2], events[2], *events[2:]])),
    "an event without an id": (
        "id",
        with_first(lambda events: [replace(events[0], headers={}), *events[1:]]),
    ),
    "a text that no engine gave": ("invented", with_first(decided("text of nobody"))),
    "a text that was given for another plan": ("invented", with_first(decided("text of plan-2"))),
    "a decision without a proposal": ("invented", with_first(decided())),
    "an agent accused": ("accusation", with_first(decided("text of plan-1", failures=[FAILURE]))),
    "a failure whose reason is not allowed": (
        "accusation",
        with_first(lambda events: [*events[:-1], failed(PLANS[0], "5 workers were lost")]),
    ),
    "a decision that was not counted": ("statistics", replace(right(), figures=figures(1))),
    "a failure that did not happen": ("statistics", replace(right(), figures=figures(failed=1))),
    "a winner that did not win": ("statistics", replace(right(), figures=figures(wins={"a-1": 1, "a-2": 1}))),
    "a role that no event speaks of": (
        "statistics",
        replace(right(), figures={"roles": {**figures()["roles"], "QA": figures(1)["roles"]["DEV"]}}),
    ),
    "no statistics": ("statistics", replace(right(), figures={})),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_history_is_found_and_named(name: str) -> None:
    kind, history = WRONG[name]
    assert kind in {finding.kind for finding in judge(history)}


def test_the_finding_shows_the_deliberations_events() -> None:
    (finding,) = [finding for finding in judge(WRONG["both ends"][1]) if finding.kind == "doubled end"]
    assert "plan-1 DEV has 2" in str(finding)
    assert [line.split()[1] for line in finding.evidence] == ["started", "progress", "completed", "failed"]


def test_what_the_run_itself_caused_is_no_accusation() -> None:
    terms = Terms(failures=frozenset({"poison"}), sentences=("workers were lost",))
    for name in ("an agent accused", "a failure whose reason is not allowed"):
        assert "accusation" not in {finding.kind for finding in judge(WRONG[name][1], terms)}


def test_a_store_that_lost_its_counters_is_not_held_to_them() -> None:
    assert judge(WRONG["a decision that was not counted"][1], Terms(store_kept=False)) == []


def test_a_role_that_could_not_begin_has_its_end_alone() -> None:
    history = with_first(lambda events: [events[1], failed(PLANS[0], "no council for DEV")])
    assert judge(replace(history, figures=figures(1, failed=1)), Terms(sentences=("no council",))) == []


def test_a_later_deliberation_that_names_the_one_it_replaces_ends_as_well() -> None:
    def again(events: Events) -> Events:
        changes = {"deliberation_id": "d-again", "supersedes": "d-plan-1"}
        began = event(STARTED, PLANS[0], "e-2", **changes)
        return [*events, began, completed(PLANS[0], "text of plan-1", event_id="e-3", **changes)]

    assert judge(replace(with_first(again), figures=figures(3))) == []


def test_progress_may_be_published_late_and_started_too_where_nats_was_away() -> None:
    late = with_first(lambda events: [events[0], events[1], events[3], events[2]])
    assert judge(late) == []
    later = with_first(lambda events: [*events[1:], events[0]])
    assert {finding.kind for finding in judge(later)} == {"order"}
    assert judge(later, Terms(nats_stayed=False)) == []
    never = with_first(lambda events: events[1:])
    assert {finding.kind for finding in judge(never, Terms(nats_stayed=False))} == {"order"}
