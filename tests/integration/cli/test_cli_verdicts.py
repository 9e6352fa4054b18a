"""`conclave deliberation accept|reject|prefer`: published as by anybody, taken by a bridge, shown and counted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import nats
import pytest
from typer.testing import Result

from bridge.intake import readers
from bridge.message import InboundMessage
from bridge.rejection import Rejection
from bridge.subjects import DELIBERATION_JUDGED
from domain.policy import Policy
from domain.ports.event_publisher import EventPublisher
from domain.services import Services
from domain.steps.judge import judge_decision, settle_overdue
from domain.verdict import VerdictRules
from tests.integration.cli.test_cli_deliberations import kept
from tests.support import factories as make
from tests.support.commands import Run, sentence
from tests.support.in_memory.event_publisher import MemoryEventPublisher
from tests.support.servers import NatsServer
from tests.support.stage import Stage

READ = readers(phases={})[DELIBERATION_JUDGED]
Take = Callable[[], None]


def decided_on(services: Services, rules: VerdictRules | None = None) -> str:
    policy = Policy(model="tiny", verdict=rules or VerdictRules())
    return kept(Stage(make.council("DEV"), policy=policy).play(), services)


@pytest.fixture
def decided(services: Services) -> str:
    return decided_on(services)


@pytest.fixture
def publisher() -> EventPublisher:
    return MemoryEventPublisher()


@pytest.fixture
def take(services: Services, own_nats: NatsServer, publisher: EventPublisher) -> Take:
    """Return what does with the message stored last as a bridge does."""

    async def fetch() -> Any:
        async with await nats.connect(own_nats.url) as client:
            return await client.jetstream().get_last_msg("DELIBERATION_VERDICTS", DELIBERATION_JUDGED)

    judge = partial(
        judge_decision,
        deliberations=services.deliberations,
        verdicts=services.verdicts,
        continuity=services.continuity,
        outbox=services.outbox,
        publisher=publisher,
        clock=services.clock,
    )

    def taken() -> None:
        stored = asyncio.run(fetch())
        received_at = services.clock.now()
        intake = READ(InboundMessage(subject=DELIBERATION_JUDGED, data=stored.data, received_at=received_at))
        assert not isinstance(intake, Rejection)
        for said in intake.verdicts:
            judge(said)

    return taken


def said_by(run: Run, take: Take, *arguments: str) -> Result:
    """Run a command of a person and have a bridge take what it published."""
    result = run("deliberation", *arguments)
    assert result.exit_code == 0, result.stderr
    take()
    return result


def shown(run: Run, deliberation_id: str) -> Any:
    return json.loads(run("deliberation", "show", deliberation_id, "--json").stdout)


def test_what_is_said_is_shown_and_counted(run: Run, take: Take, decided: str) -> None:
    winner = shown(run, decided)["proposal_id"]
    others = [row["proposal"] for row in shown(run, decided)["result"]["decisions"][1:]]
    accepted = said_by(run, take, "accept", decided, "--by", "ada")
    assert accepted.stdout.endswith(f"  accept {decided}, by ada\n")
    said_by(run, take, "prefer", decided, "--proposal", others[0]["author"]["agent_id"], "--by", "bob")
    said_by(run, take, "reject", decided, "--by", "ada", "--reason", "it forgets\nexpiry")

    rows = shown(run, decided)["verdicts"]
    assert [(row["by"], row["verdict"], row["proposal_id"], row["stands"]) for row in rows] == [
        ("ada", "accept", winner, False),
        ("bob", "prefer", others[0]["proposal_id"], True),
        ("ada", "reject", None, True),
    ]
    text = " ".join(run("deliberation", "show", decided).stdout.split())
    assert "Verdicts ada rejects it: it forgets\\nexpiry bob prefers agent-" in text

    people = json.loads(run("stats", "--json").stdout)["people"]
    assert (people["accepted"], people["rejected"], people["preferred"]) == (0, 1, 1)
    assert people["councils"]["DEV"] == {"verdicts": 2, "agreed": 0.0}
    assert {name.partition("/")[0] for name in people["reviewers"]} == {"DEV"}
    assert people["models"]["tiny"]["verdicts"] == len(people["reviewers"])
    printed = run("stats").stdout
    assert "people accepted 0, rejected 1, preferred another 1; not judged in time: 0" in printed
    assert "0 of 2" in printed


def test_without_verdicts_nothing_is_said_of_people(run: Run, decided: str) -> None:
    assert "people" not in run("stats").stdout
    assert "Verdicts" not in run("deliberation", "show", decided).stdout


def listed_as_awaiting(run: Run) -> set[str]:
    rows = json.loads(run("deliberation", "list", "--awaiting", "--json").stdout)
    return {row["deliberation_id"] for row in rows}


def test_a_decision_says_what_it_waits_for_and_what_became_of_it(
    run: Run, take: Take, services: Services, publisher: EventPublisher
) -> None:
    accepted, preferred, rejected = (decided_on(services, VerdictRules(within_s=60.0)) for _ in range(3))
    overdue = decided_on(
        services, VerdictRules(within_s=60.0, overdue="expires")
    )  # long ago, by the stage's clock
    assert shown(run, overdue)["awaiting_verdict"] is True
    assert listed_as_awaiting(run) == {accepted, preferred, rejected, overdue}
    assert "awaits a verdict, and expires without one at 2023-" in run("deliberation", "show", overdue).stdout
    assert "awaits a verdict, and counts without one at 2023-" in run("deliberation", "show", accepted).stdout
    said_by(run, take, "accept", accepted, "--by", "ada")
    said_by(run, take, "prefer", preferred, "--proposal", "agent-2", "--by", "ada")
    said_by(run, take, "reject", rejected, "--by", "ada")
    settle_overdue(
        deliberations=services.deliberations,
        verdicts=services.verdicts,
        outbox=services.outbox,
        publisher=publisher,
        clock=services.clock,
    )
    for identity, words in (
        (accepted, "counts, since ada accepted it"),
        (preferred, "agent-2 counts in the winner's place, since ada prefers it"),
        (rejected, "does not count, since ada rejected it"),
        (overdue, "nobody judged it in time, so it expires"),
    ):
        assert words in run("deliberation", "show", identity).stdout
        assert shown(run, identity)["awaiting_verdict"] is False
    assert listed_as_awaiting(run) == set()
    assert run("deliberation", "list", "--awaiting").stdout.strip() == "no decision awaits a verdict"
    assert run("deliberation", "list", "--awaiting", "--plan", "p").exit_code == 2


def test_by_default_the_user_says_it(run: Run, take: Take, decided: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "eve")
    said_by(run, take, "accept", decided)
    assert [row["by"] for row in shown(run, decided)["verdicts"]] == ["eve"]


def test_an_unknown_id_is_refused_as_by_every_command(run: Run, services: Services) -> None:
    refused = run("deliberation", "accept", "d-unknown", "--by", "ada")
    known = run("deliberation", "show", "d-unknown")
    assert refused.exit_code == known.exit_code == 2
    assert sentence(refused) == sentence(known)


def test_what_is_still_open_is_judged_later(run: Run, services: Services) -> None:
    stage = Stage(make.council("DEV"))
    identity = kept(stage.record(stage.open()), services)
    refused = run("deliberation", "reject", identity, "--by", "ada")
    assert refused.exit_code == 1
    assert sentence(refused) == f"conclave: {identity} is still proposing; judge it when it is decided"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("prefer", "ID", "--proposal", "dev-9", "--by", "ada"), "has no proposal dev-9; prefer one of agent-"),
        (("accept", "ID", "--by", "timeout"), "field by must name a person"),
        (("accept", "ID", "--by", " "), "field by is empty; give it a value"),
        (("reject", "ID", "--by", "ada", "--reason", "x" * 10_001), "field reason is longer than 10000"),
    ],
)
def test_what_no_bridge_would_take_is_not_published(
    run: Run, services: Services, decided: str, words: tuple[str, ...], complaint: str
) -> None:
    refused = run("deliberation", *(decided if word == "ID" else word for word in words))
    assert refused.exit_code == 2
    assert complaint in sentence(refused)


def test_a_publisher_needs_no_store(run: Run, environment: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCLAVE_REDIS_URL", "redis://127.0.0.1:1")
    result = run("deliberation", "accept", "d-elsewhere", "--by", "ada", "--json")
    assert result.exit_code == 0, result.stderr
    printed = json.loads(result.stdout)
    assert (printed["deliberation_id"], printed["verdict"], printed["by"]) == ("d-elsewhere", "accept", "ada")
    assert printed["verdict_id"].startswith("v-")
