"""Everything that version 0.1 stored is read, shown, replayed and gone on with, over a real Valkey."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from domain.council import Council
from domain.decision import replay
from domain.engine import EngineRecord
from domain.event import Event
from domain.plan import PlanRequest
from domain.record import DeliberationState
from domain.statistics import reliability, statistics
from domain.steps.conclude import conclude_deliberation
from domain.value import Value
from tests.support import commands
from tests.support.factories import fresh
from tests.support.records_of_0_1 import EXPECTED, IDS, NOW, STORE, as_of_0_1, restore, stored, stored_entries
from tests.support.servers import ValkeyServer
from tests.support.stage import Stage
from tests.support.stores import close_gap_unseen
from workers.adapters.redis.encoding import decode, decode_entry, encode
from workers.composition import Composition
from workers.settings import Settings

DECIDED = [name for name, row in EXPECTED["deliberations"].items() if row["state"] == "decided"]
LONG_S = 1e9
"""Retention that holds what was stored at a moment long past."""


@pytest.fixture
def settings(valkey_server: ValkeyServer, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What commands find in the environment: the restored database under a prefix of its own."""
    monkeypatch.setenv("CONCLAVE_REDIS_URL", valkey_server.url)
    monkeypatch.setenv("CONCLAVE_KEY_PREFIX", f"{fresh('of-0-1')}:")
    monkeypatch.setenv("CONCLAVE_RETENTION_S", str(LONG_S))
    settings = Settings()
    restore(Composition(settings).store, settings.key_prefix)
    return settings


@pytest.fixture
def stage(settings: Settings) -> Stage:
    """The steps over the product's own stores; all else is scripted, and the clock stands where 0.1 left it."""
    composition = Composition(settings)
    stage = Stage(policy=settings.effective_policy)
    stage.clock.advance(NOW - stage.clock.now())
    composition.clock = stage.clock
    close_gap_unseen(composition.continuity)
    stage.outbox = composition.outbox  # type: ignore[assignment]  # any Outbox will do
    stage.services = replace(
        stage.services,
        councils=composition.councils,
        plans=composition.plans,
        deliberations=composition.deliberations,
        outbox=composition.outbox,
        engines=composition.engines,
        checks=composition.checks,
    )
    return stage


@pytest.mark.parametrize("name", IDS)
def test_a_deliberation_is_found_with_all_entries_in_its_state(stage: Stage, name: str) -> None:
    record = stage.services.deliberations.load(IDS[name])
    assert record.state == EXPECTED["deliberations"][name]["state"]
    assert sorted(record.entries) == EXPECTED["deliberations"][name]["entries"]


@pytest.mark.parametrize("name", DECIDED)
def test_a_decision_replays_to_its_own_bytes(stage: Stage, name: str) -> None:
    record, expected = stage.services.deliberations.load(IDS[name]), EXPECTED["deliberations"][name]
    ranking, again = replay(record)
    assert again == ranking
    assert again.model_dump_json() == ranking.model_dump_json()
    assert [entry.proposal for entry in ranking.entries] == expected["ranking"]
    assert record.closed is not None
    decision = record.closed.decision
    assert decision is not None
    assert decision.winner is not None
    assert decision.winner.model_dump() == expected["winner"]
    for field in ("decided_by", "winner_changed", "tied", "degraded"):
        assert getattr(decision, field) == expected[field]


@pytest.mark.parametrize("name", IDS)
def test_every_entry_is_written_again_as_it_was(name: str) -> None:
    for key, raw in stored_entries(name).items():
        entry = decode_entry(raw, where=key)
        before, now = json.loads(raw), json.loads(encode(entry))
        if key == "opened":
            for judge in now["deliberation"]["judges"]:
                assert (judge.pop("council"), judge.pop("member_id")) == ("", "")
        assert as_of_0_1(now) == before
        assert entry.key == key


@pytest.mark.parametrize(
    ("kind", "of_kind"),
    [
        (Council, lambda: stored("councils").values()),
        (Event, lambda: stored("outbox:events").values()),
        (PlanRequest, lambda: [kept["value"] for key, kept in STORE.items() if ":request:{" in key]),
        (EngineRecord, lambda: [kept["value"] for key, kept in STORE.items() if ":engine:" in key]),
    ],
)
def test_every_other_value_is_written_again_as_it_was(kind: type[Value], of_kind: Callable[[], list[str]]) -> None:
    raws = list(of_kind())
    assert raws
    for raw in raws:
        now = json.loads(encode(decode(kind, raw, where="a value of 0.1")))
        assert as_of_0_1(now) == json.loads(raw)


def test_councils_plans_and_engines_are_found(stage: Stage) -> None:
    assert {council.role for council in stage.services.councils.all()} == set(stored("councils"))
    waiting = stage.services.plans.latest("plan-h")
    assert waiting.plan.constraints.num_agents == 2
    assert stage.services.plans.load(waiting.request_id) == waiting
    assert stage.services.plans.count_undispatched() == EXPECTED["backlog"]
    assert stage.services.plans.take_overdue(NOW, 10) == (waiting.request_id,)
    assert len(stage.services.engines.all()) == 6


def test_the_outbox_gives_out_every_kind_of_event(stage: Stage) -> None:
    events = stage.services.outbox.pending(1000)
    assert len(events) == stage.services.outbox.count() == EXPECTED["outbox_count"]
    assert sorted({event.event_type for event in events}) == EXPECTED["outbox"]


def test_the_figures_are_those_that_0_1_printed(stage: Stage) -> None:
    figures = statistics(stage.services.deliberations.counts()).model_dump(mode="json")
    assert as_of_0_1(figures) == EXPECTED["statistics"]


def test_reviewers_keep_their_records(stage: Stage) -> None:
    deliberation = stage.services.deliberations.load(IDS["a"]).deliberation
    histories = reliability(stage.services.deliberations.counts(), deliberation).agents
    assert {name: history.deliberations for name, history in histories.items()} == {
        "QA/qa-1": 2,
        "QA/qa-2": 2,
        "dev-1": 2,
        "dev-2": 2,
    }
    closed = stage.services.deliberations.load(IDS["a again"]).closed
    assert closed is not None
    assert closed.decision is not None
    weighed_by = closed.decision.ranking_inputs.reliability
    assert weighed_by is not None
    assert weighed_by.agents.keys() == histories.keys()


def test_the_index_finds_them_by_plan_and_by_age(stage: Stage) -> None:
    assert stage.services.deliberations.of_plan("plan-a") == (IDS["a again"], IDS["a"])
    assert set(stage.services.deliberations.newest(100)) == set(IDS.values())
    assert stage.services.deliberations.count_open() == EXPECTED["open"]
    open_ones = stage.services.deliberations.open_untouched_since(NOW, 10)
    assert set(open_ones) == {IDS["open, proposing"], IDS["open, reviewing"]}


def test_a_deliberation_that_waits_for_proposals_goes_on_to_its_decision(stage: Stage) -> None:
    identity = IDS["open, proposing"]
    unanswered = stage.services.deliberations.load(identity).unanswered()
    assert len(unanswered) == 2
    for agent_id in unanswered:
        stage.generate(identity, agent_id)
    conclude_deliberation(identity, stage.services)
    record = stage.services.deliberations.load(identity)
    assert record.state is DeliberationState.DECIDED
    keys = [request.key for request in stage.model.requests]
    assert "proposal/0/ops-2" in keys
    assert "proposal/0/ops-1" not in keys
    stored_ranking, again = replay(record)
    assert stored_ranking == again


def test_a_vote_that_was_cut_off_goes_on_with_the_ballots_it_has(stage: Stage) -> None:
    identity = IDS["open, reviewing"]
    (ballot,) = stage.services.deliberations.load(identity).ballots()
    conclude_deliberation(identity, stage.services)
    record = stage.services.deliberations.load(identity)
    assert record.state is DeliberationState.DECIDED
    assert ballot in record.ballots()
    keys = {request.key.partition("#")[0] for request in stage.model.requests}
    assert keys == {other.key for other in record.ballots()} - {ballot.key}
    assert stage.news.published[-1].subject_id == identity


def test_what_was_not_dispatched_is_dispatched(stage: Stage) -> None:
    request = stage.services.plans.latest("plan-h")
    stage.dispatch(request.request_id)
    assert stage.services.plans.count_undispatched() == 0
    assert len(stage.services.deliberations.of_plan("plan-h")) == 2


def test_a_decision_is_deliberated_again_with_its_winner(stage: Stage) -> None:
    identity = stage.redeliberate(IDS["b"])
    deliberation = stage.services.deliberations.load(identity).deliberation
    assert (deliberation.supersedes, deliberation.prior_author) == (IDS["b"], "ops-2")
    assert all(judge.council == judge.home[0] != "" for judge in deliberation.judges)


def test_new_ends_are_counted_beside_the_old_ones(stage: Stage) -> None:
    conclude_deliberation(IDS["open, reviewing"], stage.services)
    figures = statistics(stage.services.deliberations.counts())
    before = EXPECTED["statistics"]
    assert figures.roles["OPS"].decided == before["roles"]["OPS"]["decided"] + 1
    assert figures.total.decided == before["total"]["decided"] + 1
    assert sum(figures.total.wins.values()) == sum(before["total"]["wins"].values()) + 1


def test_the_list_the_figures_and_the_schedule_are_printed(settings: Settings) -> None:
    listed = json.loads(commands.run("deliberation", "list", "--json").stdout)
    states = {row["deliberation_id"]: row["state"] for row in listed}
    assert states == {row["deliberation_id"]: row["state"] for row in EXPECTED["deliberations"].values()}
    printed = json.loads(commands.run("stats", "--json").stdout)
    assert printed.pop("people")["councils"] == {}, "nobody judged a decision of 0.1"
    assert as_of_0_1(printed) == EXPECTED["statistics"]
    (schedule,) = json.loads(commands.run("schedule", "list", "--json").stdout)
    assert (schedule["name"], schedule["plan_id"]) == ("nightly", "plan-a")


@pytest.mark.parametrize("name", IDS)
def test_each_is_shown(settings: Settings, name: str) -> None:
    text = commands.run("deliberation", "show", IDS[name])
    assert text.exit_code == 0, text.output
    assert IDS[name] in text.stdout
    if name in DECIDED:
        assert "Winner: " in text.stdout
    shown = json.loads(commands.run("deliberation", "show", IDS[name], "--json").stdout)
    closed = stored_entries(name).get("closed")
    assert as_of_0_1(shown["result"]) == (json.loads(closed)["result"] if closed else None)


@pytest.mark.parametrize("name", DECIDED)
def test_each_decision_is_found_identical_by_the_command(settings: Settings, name: str) -> None:
    assert commands.run("deliberation", "replay", IDS[name]).stdout.startswith(f"{IDS[name]}: identical, winner ")
