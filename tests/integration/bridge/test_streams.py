"""The streams: made where they are missing, never altered where they are not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType

from bridge.options import StreamLimits
from bridge.publication import PublicationFailed, publish_confirmed
from bridge.streams import ORCHESTRATOR, PLANNING, StreamMissing, all_streams, dead_letter_stream, ensure
from tests.integration.bridge.conftest import Broker, approval, until

pytestmark = pytest.mark.anyio

LIMITS = StreamLimits(max_bytes=1 << 24, max_age_s=3600, duplicate_window_s=600)


async def test_missing_streams_are_made_on_disk_within_limits(stream: JetStreamContext) -> None:
    for plan in all_streams():
        await ensure(stream, plan, LIMITS)
    subjects = {}
    for plan in all_streams():
        made = (await stream.stream_info(plan.name)).config
        subjects[made.name] = made.subjects
        assert (made.storage, made.retention) == (StorageType.FILE, RetentionPolicy.LIMITS)
        assert (made.max_bytes, made.max_age, made.duplicate_window) == (1 << 24, 3600, 600)
    advisories = [f"$JS.EVENT.ADVISORY.CONSUMER.{kind}.*" for kind in ("MAX_DELIVERIES", "MSG_TERMINATED")]
    durables = (
        "planning-plan-approved",
        "deliberation-requested",
        "planning-story-transitioned",
        "deliberation-judged",
    )
    assert subjects == {
        "PLANNING_EVENTS": ["planning.plan.approved", "planning.story.transitioned"],
        "ORCHESTRATOR_EVENTS": ["orchestration.>"],
        "DELIBERATION_REQUESTS": ["deliberation.requested"],
        "DELIBERATION_VERDICTS": ["deliberation.judged"],
        "CONCLAVE_DEAD_LETTERS": [
            "conclave.dead_letter.>",
            *(f"{advisory}.conclave-{name}" for advisory in advisories for name in durables),
        ],
    }


async def test_streams_that_are_read_refuse_when_full_and_the_others_forget(stream: JetStreamContext) -> None:
    for plan in all_streams():
        await ensure(stream, plan, LIMITS)
    discards = {plan.name: (await stream.stream_info(plan.name)).config.discard for plan in all_streams()}
    assert discards == {
        "PLANNING_EVENTS": DiscardPolicy.NEW,
        "DELIBERATION_REQUESTS": DiscardPolicy.NEW,
        "DELIBERATION_VERDICTS": DiscardPolicy.NEW,
        "ORCHESTRATOR_EVENTS": DiscardPolicy.OLD,
        "CONCLAVE_DEAD_LETTERS": DiscardPolicy.OLD,
    }


async def test_a_full_planning_stream_refuses_approvals_with_a_reason(
    client: Client, stream: JetStreamContext
) -> None:
    await ensure(stream, PLANNING, StreamLimits(max_bytes=2000, max_age_s=3600))

    async def approve_until_refused() -> None:
        while True:
            await publish_confirmed(client, "planning.plan.approved", approval(), {})

    with pytest.raises(PublicationFailed, match="maximum bytes exceeded"):
        await approve_until_refused()
    assert (await stream.stream_info("PLANNING_EVENTS")).state.first_seq == 1


async def test_advisories_are_kept_about_the_durables_of_the_prefix_in_use(stream: JetStreamContext) -> None:
    await ensure(stream, dead_letter_stream("team-a"), LIMITS)
    held = (await stream.stream_info("CONCLAVE_DEAD_LETTERS")).config.subjects or []
    assert [subject for subject in held if "ADVISORY" in subject and ".team-a-" not in subject] == []
    assert "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.*.team-a-deliberation-requested" in held


async def test_an_events_stream_that_was_deleted_while_all_runs_is_made_again(
    run: Callable[..., Any], stream: JetStreamContext
) -> None:
    running = await run()
    for name in ("ORCHESTRATOR_EVENTS", "CONCLAVE_DEAD_LETTERS"):
        await stream.delete_stream(name)
    await until(lambda: _exist(stream, "ORCHESTRATOR_EVENTS", "CONCLAVE_DEAD_LETTERS"))
    assert running.bridge.statistics.sessions == 1


async def _exist(stream: JetStreamContext, *names: str) -> bool:
    return set(names) <= {info.config.name for info in await stream.streams_info()}


async def test_a_stream_that_exists_stays_as_it_is(stream: JetStreamContext) -> None:
    await stream.add_stream(name="PLANNING_EVENTS", subjects=["planning.>"], max_msgs=7, description="theirs")
    before = (await stream.stream_info("PLANNING_EVENTS")).config
    found = await ensure(stream, PLANNING, LIMITS)
    assert set(found.values()) == {"PLANNING_EVENTS"}
    assert (await stream.stream_info("PLANNING_EVENTS")).config == before


async def test_a_stream_of_another_name_that_holds_the_subjects_is_used(
    run: Callable[..., Any], broker: Broker, stream: JetStreamContext
) -> None:
    await stream.add_stream(name="EVERYTHING", subjects=["planning.plan.*", "planning.story.*"])
    await run()
    await stream.publish("planning.plan.approved", approval("plan-1"))
    await until(lambda: broker.taken == ["plan-1"])
    names = [info.config.name for info in await stream.streams_info()]
    assert "PLANNING_EVENTS" not in names
    assert (await stream.stream_info("EVERYTHING")).config.subjects == ["planning.plan.*", "planning.story.*"]


async def test_beside_a_stream_that_holds_some_subjects_only_the_others_are_taken(
    stream: JetStreamContext,
) -> None:
    await stream.add_stream(name="STORIES", subjects=["planning.story.>"])
    found = await ensure(stream, PLANNING, LIMITS)
    assert found == {"planning.plan.approved": "PLANNING_EVENTS", "planning.story.transitioned": "STORIES"}
    assert (await stream.stream_info("PLANNING_EVENTS")).config.subjects == ["planning.plan.approved"]


async def test_advisories_that_somebody_else_collects_are_left_there(stream: JetStreamContext) -> None:
    await stream.add_stream(name="AUDIT", subjects=["$JS.EVENT.ADVISORY.>"])
    await ensure(stream, dead_letter_stream(), LIMITS)
    held = (await stream.stream_info("CONCLAVE_DEAD_LETTERS")).config.subjects
    assert held is not None
    assert all(subject.startswith("conclave.dead_letter.") for subject in held)


async def test_a_stream_of_our_name_without_our_subject_is_said_to_be_in_the_way(stream: JetStreamContext) -> None:
    await stream.add_stream(name="ORCHESTRATOR_EVENTS", subjects=["orchestration.deliberation.>"])
    with pytest.raises(StreamMissing, match=r"no stream holds orchestration\.decision\.judged.*nats stream edit"):
        await ensure(stream, ORCHESTRATOR, LIMITS)
    held = (await stream.stream_info("ORCHESTRATOR_EVENTS")).config.subjects
    assert held == ["orchestration.deliberation.>"]


async def test_many_may_make_the_same_streams_at_once(client: Client) -> None:
    streams = [client.jetstream() for _ in range(10)]
    found = await asyncio.gather(*(ensure(stream, PLANNING, LIMITS) for stream in streams))
    assert all(one == found[0] for one in found)


async def test_another_bridges_limits_are_no_conflict(stream: JetStreamContext) -> None:
    await ensure(stream, PLANNING, LIMITS)
    await ensure(stream, PLANNING, StreamLimits(max_bytes=1 << 20))
    assert (await stream.stream_info("PLANNING_EVENTS")).config.max_bytes == 1 << 24
