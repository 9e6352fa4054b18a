"""The client for Python under the shipped login `client`, against every process of an installation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import nats
import pytest

from bridge.client import (
    Approval,
    BlockingConclave,
    Conclave,
    DeadLettered,
    DeliberationCancelled,
    DeliberationFailed,
    InvalidMessage,
    NoCouncil,
    NothingAsked,
    NotInTime,
)
from domain.contract import CompletedBody, FailedBody
from domain.plan import Plan
from tests.support.client_calls import plan, with_client
from tests.support.foreign_messages import scatter
from tests.support.shipped import CONCLAVE, WITHIN, Installation, shipped_installation
from workers.processes.guard import Guard

pytestmark = [pytest.mark.timeout(6 * WITHIN), pytest.mark.usefixtures("nothing_is_printed")]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[Installation]:
    with shipped_installation(tmp_path_factory.mktemp("shipped"), guard) as found:
        yield found


@pytest.fixture
def url(installation: Installation) -> str:
    return installation.nats.url_of("client")


@contextmanager
def busy(installation: Installation) -> Iterator[None]:
    """Have the engine answer that it is busy, so that nothing comes to its end while the block lasts."""
    installation.engine.faults_by_share({"503": 1.0})
    try:
        yield
    finally:
        installation.engine.faults_by_share({})


def test_a_plan_is_decided(url: str) -> None:
    asked = plan(title="Let users reset a forgotten password")
    decision = with_client(url, lambda conclave: conclave.decide(asked, timeout_s=WITHIN))
    assert (decision.plan_id, decision.role) == (asked["plan_id"], "DEV")
    assert decision.winner is not None
    assert decision.decisions[0].proposal.content


def test_a_plan_of_the_contracts_model_is_decided_as_well(url: str) -> None:
    asked = Plan(**plan(roles=("QA",)), timestamp=datetime.now(UTC).isoformat())
    decision = with_client(url, lambda conclave: conclave.decide(asked, timeout_s=WITHIN))
    assert (decision.role, decision.revision) == ("QA", asked.timestamp)


def test_many_plans_are_decided_at_once_each_by_its_own_decision(url: str) -> None:
    plans = [plan() for _ in range(20)]

    async def scenario(conclave: Conclave) -> list[CompletedBody]:
        return await asyncio.gather(*(conclave.decide(one, timeout_s=WITHIN) for one in plans))

    decided = with_client(url, scenario)
    assert [one.plan_id for one in decided] == [one["plan_id"] for one in plans]


def test_foreign_messages_among_the_events_are_passed_over(installation: Installation, url: str) -> None:
    async def scenario(conclave: Conclave) -> CompletedBody:
        stranger = await nats.connect(installation.nats.url_of("bridge"))
        approval = await conclave.approve(plan())
        await scatter(stranger)
        await stranger.close()
        return await conclave.wait(approval, timeout_s=WITHIN)

    assert with_client(url, scenario).winner is not None


def test_the_roles_of_a_plan_come_to_their_ends_together(url: str) -> None:
    asked = plan(roles=["DEV", "POET", "QA"])
    ends = with_client(url, lambda conclave: conclave.decide_all(asked, timeout_s=WITHIN))
    assert {role: type(end) for role, end in ends.items()} == {
        "DEV": CompletedBody,
        "POET": FailedBody,
        "QA": CompletedBody,
    }


def test_a_plan_of_several_roles_has_no_single_decision(url: str) -> None:
    with pytest.raises(InvalidMessage, match="2 roles, which makes as many decisions; use decide_all"):
        with_client(url, lambda conclave: conclave.decide(plan(roles=["DEV", "QA"])))


def test_a_council_that_fails_is_told_with_its_reason(installation: Installation, url: str) -> None:
    installation.engine.fault(*["400"] * 3)
    with pytest.raises(DeliberationFailed, match="of role DEV failed: ") as failed:
        with_client(url, lambda conclave: conclave.decide(plan(), timeout_s=WITHIN))
    assert type(failed.value) is DeliberationFailed
    assert len(failed.value.event.failures) == 3


def test_a_role_without_a_council_is_told(url: str) -> None:
    with pytest.raises(NoCouncil, match="no council for role POET"):
        with_client(url, lambda conclave: conclave.decide(plan(roles=["POET"]), timeout_s=WITHIN))


def test_a_plan_without_roles_is_told(url: str) -> None:
    with pytest.raises(NothingAsked, match="name a role in `roles`"):
        with_client(url, lambda conclave: conclave.decide(plan(roles=[]), timeout_s=WITHIN))


def test_a_dead_letter_is_told_with_its_reason(url: str) -> None:
    first = plan(timestamp=datetime.now(UTC).isoformat(), title="first")

    async def scenario(conclave: Conclave) -> None:
        await conclave.decide(first, timeout_s=WITHIN)
        await conclave.decide(first | {"title": "other"}, timeout_s=WITHIN)

    with pytest.raises(DeadLettered, match="has other content than PLANNING_EVENTS:"):
        with_client(url, scenario)


def test_what_would_be_a_dead_letter_is_not_published(installation: Installation, url: str) -> None:
    async def scenario(conclave: Conclave) -> int:
        with pytest.raises(InvalidMessage, match="field plan_id is missing") as invalid:
            await conclave.approve({"story_id": "s", "approved_by": "po", "roles": "DEV"})
        return len(invalid.value.mistakes)

    assert with_client(url, scenario) == 2


def test_a_cancellation_is_told(installation: Installation, url: str) -> None:
    async def scenario(conclave: Conclave) -> CompletedBody:
        approval = await conclave.approve(plan())
        async for event in conclave.watch(approval):
            if event.event_type == "orchestration.deliberation.started":
                cancel = (*CONCLAVE, "deliberation", "cancel", event.deliberation_id, "--reason", "not now")
                await asyncio.to_thread(installation.run, "control-worker", cancel)
        return await conclave.wait(approval, timeout_s=WITHIN)

    with busy(installation), pytest.raises(DeliberationCancelled, match="not now"):
        with_client(url, scenario)


def test_a_wait_ends_in_time_and_can_be_taken_up_again_in_another_process(
    installation: Installation, url: str
) -> None:
    async def scenario(conclave: Conclave) -> Approval:
        approval = await conclave.approve(plan(roles=["DEV", "QA"]))
        with pytest.raises(NotInTime, match="did not come to its end within 1 s") as late:
            await conclave.wait_all(approval, timeout_s=1)
        assert late.value.ends == {}
        assert isinstance(late.value, TimeoutError)
        return approval

    with busy(installation):
        written = with_client(url, scenario).model_dump_json()
    approval = Approval.model_validate_json(written)
    ends = with_client(url, lambda conclave: conclave.wait_all(approval, timeout_s=4 * WITHIN))
    assert {type(end) for end in ends.values()} == {CompletedBody}


def test_the_same_approval_again_finds_what_was_decided(url: str) -> None:
    asked = plan(timestamp=datetime.now(UTC).isoformat())
    first = with_client(url, lambda conclave: conclave.decide(asked, timeout_s=WITHIN))
    assert with_client(url, lambda conclave: conclave.decide(asked, timeout_s=WITHIN)) == first


def test_a_deliberation_is_waited_for_by_its_id_whenever_it_ended(url: str) -> None:
    began = datetime.now(UTC)

    async def scenario(conclave: Conclave) -> None:
        decided = await conclave.decide(plan(), timeout_s=WITHIN)
        assert await conclave.wait(decided.deliberation_id, timeout_s=WITHIN) == decided
        assert await conclave.wait(decided.deliberation_id, timeout_s=WITHIN, since=began) == decided

    with_client(url, scenario)


def test_a_plan_is_watched_from_its_start_to_its_end(url: str) -> None:
    async def scenario(conclave: Conclave) -> list[str]:
        approval = await conclave.approve(plan())
        await conclave.wait(approval, timeout_s=WITHIN)
        return [event.event_type async for event in conclave.watch(approval)]

    kinds = with_client(url, scenario)
    assert kinds[0] == "orchestration.deliberation.started"
    assert kinds.count("orchestration.deliberation.progress") >= 3
    assert kinds.count("orchestration.deliberation.completed") == 1
    assert kinds.count("orchestration.plan.dispatched") == 1


def test_nats_restarts_between_an_approval_and_its_decision(installation: Installation, url: str) -> None:
    asked = [plan() for _ in range(5)]

    async def scenario(conclave: Conclave) -> list[CompletedBody]:
        with busy(installation):
            approvals = [await conclave.approve(one) for one in asked[:4]]
            waiting = [asyncio.create_task(conclave.wait(one, timeout_s=4 * WITHIN)) for one in approvals]
            watching = asyncio.create_task(_kinds(conclave, approvals[0]))
            await asyncio.to_thread(installation.nats.kill9)
        late = asyncio.create_task(conclave.decide(asked[4], timeout_s=4 * WITHIN))
        while conclave.connected:
            await asyncio.sleep(0.05)
        await asyncio.to_thread(installation.nats.start)
        decided = [*await asyncio.gather(*waiting), await late]
        kinds = await watching
        assert len(kinds) == len(set(kinds)), "an event came twice"
        return decided

    decided = with_client(url, scenario)
    assert [one.plan_id for one in decided] == [one["plan_id"] for one in asked]


async def _kinds(conclave: Conclave, approval: Approval) -> list[tuple[str, str]]:
    return [(event.event_type, getattr(event, "what", "")) async for event in conclave.watch(approval)]


def test_a_script_needs_no_event_loop(url: str) -> None:
    with BlockingConclave(url) as conclave:
        approval = conclave.approve(plan())
        decision = conclave.wait(approval, timeout_s=WITHIN)
        kinds = [event.event_type for event in conclave.watch(approval)]
        assert conclave.decide(plan(), timeout_s=WITHIN).winner is not None
    assert decision.winner is not None
    assert "orchestration.deliberation.completed" in kinds


def test_a_person_judges_a_decision(url: str) -> None:
    async def scenario(conclave: Conclave) -> None:
        decided = await conclave.decide(plan(), timeout_s=WITHIN)
        best, second = decided.decisions[:2]
        preferred = second.proposal.author.agent_id
        accepted = await conclave.verdict(decided.deliberation_id, "accept", by="Ada", timeout_s=WITHIN)
        assert accepted.proposal is not None
        assert accepted.proposal.proposal_id == best.proposal.proposal_id
        changed = await conclave.verdict(
            decided.deliberation_id, "prefer", by="Ada", proposal=preferred, reason="cheaper", timeout_s=WITHIN
        )
        assert (changed.replaces, changed.reason) == (accepted.verdict_id, "cheaper")
        with pytest.raises(DeadLettered, match="is a dead letter: "):
            await conclave.verdict("d-unknown", "reject", by="Ada", timeout_s=WITHIN)
        with pytest.raises(InvalidMessage, match="must name what is preferred"):
            await conclave.verdict(decided.deliberation_id, "prefer", by="Ada")

    with_client(url, scenario)
