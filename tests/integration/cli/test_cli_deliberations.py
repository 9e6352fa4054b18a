"""`conclave deliberation …` against a real Valkey and NATS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from domain.contract_rows import FailureRow
from domain.deliberation import Deliberation
from domain.entry import Opened
from domain.events import progress
from domain.record import Record
from domain.services import Services
from domain.steps.dispatch import dispatch_plan
from tests.support import factories as make
from tests.support.commands import Run
from tests.support.stage import Stage

WITHIN = 120.0


def kept(record: Record, services: Services) -> str:
    """Write a record's entries into the store and return its id."""
    identity = record.deliberation.deliberation_id
    written = {"opened": -1, "closed": 1}
    for entry in sorted(record.entries.values(), key=lambda entry: written.get(entry.key, 0)):
        services.deliberations.record(identity, entry)
    return identity


@pytest.fixture
def decided(services: Services) -> str:
    return kept(Stage(make.council("DEV"), make.council("QA")).play(), services)


@pytest.fixture
def failed(services: Services) -> str:
    stage = Stage(make.council("DEV"))
    identity = stage.open()
    record = stage.record(identity)
    failure = FailureRow(agent_id="agent-1", stage="proposal", reason="timeout", detail="no answer")
    closed = make.closed(
        status="failed",
        reason="0 of 3 agents have an admissible proposal",
        result=make.failed_body(failures=(failure,)),
    )
    return kept(record.plus(closed), services)


def test_the_list_is_newest_first_with_winner_or_reason(run: Run, decided: str, failed: str) -> None:
    listed = json.loads(run("deliberation", "list", "--json").stdout)
    assert {one["deliberation_id"]: one["state"] for one in listed} == {decided: "decided", failed: "failed"}
    text = run("deliberation", "list").stdout
    assert decided in text
    assert "0 of 3 agents" in " ".join(text.split())


def test_the_list_can_be_of_one_plan(run: Run, services: Services, decided: str, failed: str) -> None:
    plan_id = services.deliberations.load(decided).deliberation.plan.plan_id
    listed = json.loads(run("deliberation", "list", "--plan", plan_id, "--json").stdout)
    assert [one["deliberation_id"] for one in listed] == [decided]


def test_show_explains_the_decision(run: Run, decided: str) -> None:
    text = run("deliberation", "show", decided).stdout
    for part in (
        "Winner: ",
        "Ranking (",
        "Scores by reviewer",
        "Why",
        "independent voices",
        "Kendall's W",
        "Cost (",
    ):
        assert part in text


def test_show_as_json_holds_the_event_whole(run: Run, services: Services, decided: str) -> None:
    shown = json.loads(run("deliberation", "show", decided, "--json").stdout)
    closed = services.deliberations.load(decided).closed
    assert closed is not None
    assert closed.decision is not None
    assert closed.decision.winner is not None
    assert shown["result"] == closed.result.model_dump(mode="json")
    assert shown["winner"] == closed.decision.winner.agent_id
    assert [stage["name"] for stage in shown["progress"]["stages"]] == ["proposals", "review", "decision"]


def test_show_of_a_failed_one_says_why(run: Run, failed: str) -> None:
    text = run("deliberation", "show", failed).stdout
    assert "0 of 3 agents have an admissible proposal" in text
    assert "agent-1, proposal: timeout (no answer)" in text


@pytest.mark.parametrize("command", [("show",), ("watch", "--wait", "0")])
def test_an_unknown_id_is_one_sentence(run: Run, command: tuple[str, ...]) -> None:
    result = run("deliberation", command[0], "d-unknown", *command[1:])
    assert result.exit_code == 2
    assert result.stderr.startswith("conclave: no deliberation d-unknown")
    assert len(result.stderr.splitlines()) == 1


def test_watching_one_that_has_ended_shows_it_and_ends(run: Run, decided: str, failed: str) -> None:
    result = run("deliberation", "watch", decided)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith("decided after")
    assert run("deliberation", "watch", failed).exit_code == 1


def test_a_decision_replays_to_the_same_ranking(run: Run, decided: str) -> None:
    assert run("deliberation", "replay", decided).stdout.startswith(f"{decided}: identical, winner ")
    assert json.loads(run("deliberation", "replay", decided, "--json").stdout)["identical"]


def test_a_ranking_that_was_tampered_with_does_not_replay(run: Run, services: Services) -> None:
    record = Stage(make.council("DEV")).play()
    assert record.closed is not None
    assert record.closed.decision is not None
    ranking = record.closed.decision.ranking.model_copy(update={"p_winner": 0.123})
    decision = record.closed.decision.model_copy(update={"ranking": ranking})
    forged = record.closed.model_copy(update={"result": decision})
    identity = kept(Record(record.entries | {"closed": forged}), services)
    result = run("deliberation", "replay", identity)
    assert result.exit_code == 1
    assert "does not replay" in result.stderr


def test_what_is_open_can_be_cancelled_once(run: Run, services: Services) -> None:
    stage = Stage(make.council("DEV"))
    identity = kept(stage.record(stage.open()), services)
    assert run("deliberation", "cancel", identity, "--reason", "plan withdrawn").exit_code == 0
    closed = services.deliberations.load(identity).closed
    assert closed is not None
    assert (closed.status, closed.reason) == ("cancelled", "plan withdrawn")
    assert "has ended already" in run("deliberation", "cancel", identity).stderr


def test_a_role_without_a_council_is_shown_listed_and_counted(run: Run, services: Services) -> None:
    request = make.plan_request()
    services.plans.save([request])
    dispatch_plan(
        request,
        plans=services.plans,
        councils=services.councils,
        engines=services.engines,
        deliberations=services.deliberations,
        outbox=services.outbox,
        publisher=services.publisher,
        dispatcher=services.dispatcher,
        meter=services.meter,
        clock=services.clock,
        policy=services.policy,
    )
    (refused,) = services.deliberations.of_plan(request.plan.plan_id)
    shown = json.loads(run("deliberation", "show", refused, "--json").stdout)
    assert (shown["state"], shown["reason"]) == ("failed", shown["result"]["reason"])
    assert "no council for role DEV" in shown["reason"]
    assert "no council for role DEV" in run("deliberation", "show", refused).stdout
    assert refused in run("deliberation", "list", "--json").stdout
    assert json.loads(run("stats", "--json").stdout)["roles"]["DEV"]["failed"] == 1
    assert run("deliberation", "watch", refused).exit_code == 1


def test_what_has_ended_can_be_deliberated_again(run: Run, services: Services, decided: str) -> None:
    assert "no council for role DEV" in run("deliberation", "again", decided).stderr
    services.councils.save(make.council("DEV"))
    following = run("deliberation", "again", decided).stdout.strip()
    assert services.deliberations.load(following).deliberation.supersedes == decided


class Watcher:
    """`conclave deliberation watch --json` as a process; its lines as they come."""

    def __init__(self, deliberation_id: str) -> None:
        command = [sys.executable, "-m", "workers.cli", "deliberation", "watch", deliberation_id, "--json"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))

    def until(self, state: str, done: int) -> dict[str, object]:
        """Return the first line with so many proposals in that state."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + WITHIN
        while time.monotonic() < deadline and (line := self.process.stdout.readline()):
            seen: dict[str, object] = json.loads(line)
            if seen["state"] == state and seen["stages"][0]["done"] == done:  # type: ignore[index]
                return seen
        raise AssertionError(f"never saw {state} with {done} proposals")


@pytest.fixture
def watched() -> Iterator[tuple[Deliberation, Watcher]]:
    deliberation = make.deliberation(opened_at=time.time())
    watcher = Watcher(deliberation.deliberation_id)
    yield deliberation, watcher
    watcher.process.kill()
    watcher.process.wait()
    assert watcher.process.stdout is not None
    watcher.process.stdout.close()


def test_a_watch_begun_before_the_opening_sees_everything_to_the_end(
    environment: object, services: Services, watched: tuple[Deliberation, Watcher]
) -> None:
    deliberation, watcher = watched
    identity = deliberation.deliberation_id
    services.deliberations.record(identity, Opened(deliberation=deliberation))
    watcher.until("proposing", 0)
    proposed = make.proposed("agent-1")
    services.deliberations.record(identity, proposed)
    services.publisher.publish_progress(
        [progress(deliberation, at=time.time(), stage="proposal", what=proposed.key)]
    )
    watcher.until("proposing", 1)
    services.deliberations.record(identity, make.closed(at=time.time()))
    watcher.until("decided", 1)
    assert watcher.process.wait(WITHIN) == 0


def test_a_watch_begun_late_catches_up_at_once_and_follows_to_the_end(
    environment: object, services: Services
) -> None:
    deliberation = make.deliberation(opened_at=time.time())
    identity = deliberation.deliberation_id
    for entry in (Opened(deliberation=deliberation), make.proposed("agent-1"), make.agent_failed("agent-2")):
        services.deliberations.record(identity, entry)
    watcher = Watcher(identity)
    try:
        assert watcher.process.stdout is not None
        first = json.loads(watcher.process.stdout.readline())
        assert (first["state"], first["stages"][0]["done"]) == ("proposing", 2)
        services.deliberations.record(identity, make.closed(at=time.time()))
        watcher.until("decided", 2)
        assert watcher.process.wait(WITHIN) == 0
    finally:
        watcher.process.kill()
        watcher.process.wait()
        watcher.process.stdout.close()  # type: ignore[union-attr]


def test_a_command_that_told_nats_something_ends_by_itself(environment: object, services: Services) -> None:
    stage = Stage(make.council("DEV"))
    identity = kept(stage.record(stage.open()), services)
    command = [sys.executable, "-m", "workers.cli", "deliberation", "cancel", identity]
    assert subprocess.run(command, timeout=WITHIN, check=False).returncode == 0
