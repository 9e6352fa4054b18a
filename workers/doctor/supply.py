"""What the directory of engines says of the supply of models, without a call to any of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domain.council import Council, voice_of
from domain.deliberation import ReviewRules
from domain.engine import EngineRecord
from domain.finding import Finding, Findings, fail, ok, warn
from domain.policy import Policy
from domain.ports.clock import Clock
from domain.ports.council_registry import CouncilRegistry
from domain.ports.engine_directory import EngineDirectory
from domain.thinking import ROOM, Thoughts
from workers.engines.ready_report import found_out

AHEAD_S, STALE_S = 2.0, 60.0


def examine_supply(
    *, engines: EngineDirectory, councils: CouncilRegistry, policy: Policy, clock: Clock
) -> Findings:
    """Look at what engines' workers have recorded, and whether each council's models are served.

    `clock` is the store's.
    """
    records, all_councils = engines.all(), councils.all()
    yield from clocks(records, clock.now())
    for record in records:
        if record.ready:
            yield found(record)
            yield from room(record, policy.max_tokens, most_shown(all_councils, policy.review))
        else:
            yield starting(record)
    yield from supply(records, all_councils, policy.model)


def supply(records: Iterable[EngineRecord], councils: Sequence[Council], default_model: str) -> Findings:
    """Look whether every model that a council asks for is served, and recommend mixed ones."""
    served = {record.model for record in records if record.ready}
    required = {agent.model or default_model for council in councils for agent in council.members}
    yield from _voices(councils, default_model)
    if not required:
        yield fail("councils", "there are none: apply some with `conclave council apply --default`")
    for name in sorted(required - served):
        others = ", ".join(sorted(served)) or "nothing"
        text = f"no live worker serves it (served: {others}); start one with `conclave worker --model {name}`"
        yield fail(f"model {name}", text)


def most_shown(councils: Iterable[Council], rules: ReviewRules) -> int:
    """Return how many proposals a reviewer reads in one prompt at most."""
    largest = max((len(council.agents) for council in councils), default=1)
    if rules.ballot_form == "listwise":
        return largest
    return min(largest, 2 if rules.second_look else 1)


def starting(record: EngineRecord) -> Finding:
    """Say that an engine is on its way."""
    return warn(f"engine {record.name}", "is being started; look again in a minute, or at its worker's log")


def _voices(councils: Iterable[Council], default_model: str) -> Findings:
    """Recommend mixed models: agents of one model share its errors, and copies are one opinion."""
    for council in councils:
        models = {agent.model or default_model for agent in council.agents}
        voices = {voice_of(agent, default_model) for agent in council.agents}
        if len(council.agents) > 1 and len(voices) == 1:
            text = "all agents have one model and one persona: as reviewers they are one voice, asked as such"
            yield warn(f"council {council.role}", f"{text}; give them personas, better still models, of their own")
        elif len(council.agents) > 1 and len(models) == 1:
            text = f"{len(voices)} voices of one model, which share its errors: mixed models make them independent"
            yield ok(f"council {council.role}", text)


def clocks(records: Iterable[EngineRecord], now: float) -> Findings:
    """Compare the clocks of workers' hosts with the store's, as far as their engines' records tell the time."""
    for record in records:
        ahead = record.updated_at - now
        # A record that is not renewed for so long expires, so an older one was dated by a clock that is behind.
        if record.updated_at and not -STALE_S < ahead < AHEAD_S:
            off = f"about {ahead:.0f} s ahead of" if ahead > 0 else f"up to {-ahead:.0f} s behind"
            yield warn(f"clock of {record.node}", f"is {off} Valkey's; set it, and run an NTP client")


def found(record: EngineRecord) -> Finding:
    """Say what the ready check found, with a remedy for what costs tokens or ballots."""
    subject, result = f"ready check of {record.model}", record.found
    told = found_out(record)
    if result.ballot in ("none", "off_form"):
        remedy = "its ballots would be missing: set CONCLAVE_ENGINE_GUIDANCE to what the engine knows"
        return fail(subject, f"{told}; {remedy}")
    if result.thoughts is Thoughts.ALWAYS:
        remedy = (
            f"each of its ballots gets room for {ROOM} tokens of thoughts: a model that can leave it is faster"
        )
        return warn(subject, f"{told}; {remedy}")
    return ok(subject, told)


def room(record: EngineRecord, answer: int, shown: int) -> Findings:
    """Report a context that can't hold an answer, or not the proposals that a reviewer reads in one prompt."""
    subject, context = f"context of {record.model}", record.context_length
    if context and context <= answer:
        text = f"{context} tokens leave no prompt beside an answer of {answer}: every proposal would be refused"
        yield fail(subject, f"{text}; lower CONCLAVE_POLICY_MAX_TOKENS")
    elif context and context < shown * answer:
        text = f"{context} tokens may not hold {shown} proposals of {answer}: reviewers would answer nothing"
        yield warn(subject, f"{text}; lower CONCLAVE_POLICY_MAX_TOKENS or serve a longer context")
