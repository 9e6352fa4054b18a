"""What the shipped NATS users may not do; what they may is in test_nats_grants.py."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import nats
import pytest
from nats.aio.client import Client
from nats.errors import Error

from bridge.streams import all_streams
from tests.support.secured import SecuredNats, nats_login

pytestmark = pytest.mark.usefixtures("streams")
Act = Callable[[Client], Awaitable[object]]
WITHIN = 60.0


def publish(subject: str) -> Act:
    return lambda client: client.publish(subject, b"{}")


def subscribe(subject: str) -> Act:
    return lambda client: client.subscribe(subject)


@pytest.mark.parametrize(
    ("user", "act"),
    [
        ("worker", publish("planning.plan.approved")),
        ("worker", publish("deliberation.judged")),
        ("worker", publish("$JS.API.STREAM.PURGE.ORCHESTRATOR_EVENTS")),
        ("worker", subscribe("planning.>")),
        ("bridge", publish("planning.junk")),
        ("bridge", publish("$JS.API.STREAM.DELETE.PLANNING_EVENTS")),
        ("bridge", publish("$JS.API.STREAM.CREATE.OTHER")),
        ("bridge", publish("$JS.API.STREAM.PURGE.PLANNING_EVENTS")),
        ("bridge", publish("$JS.API.CONSUMER.DELETE.PLANNING_EVENTS.conclave-planning-plan-approved")),
        ("bridge", subscribe(">")),
    ],
)
def test_neither_of_us_does_what_only_another_may(secured_nats: SecuredNats, user: str, act: Act) -> None:
    async def scenario() -> list[str]:
        refusals: list[str] = []
        async with nats_login(secured_nats, user, refusals) as client:
            await act(client)
            await client.flush()
            async with asyncio.timeout(WITHIN):
                while not refusals:
                    await asyncio.sleep(0.01)
        return refusals

    assert "permissions violation" in asyncio.run(scenario())[0]


THEIRS = ("publisher", "observer", "client", "page")
READ = (
    "planning.plan.approved",
    "planning.story.transitioned",
    "deliberation.requested",
    "deliberation.judged",
)
NOT_THEIRS = (
    "planning.junk",
    "orchestration.deliberation.completed",
    "conclave.dead_letter.planning.plan.approved",
    "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.PLANNING_EVENTS.conclave-planning-plan-approved",
    "$JS.API.STREAM.DELETE.PLANNING_EVENTS",
    "$JS.API.STREAM.PURGE.ORCHESTRATOR_EVENTS",
    "$JS.API.STREAM.MSG.GET.PLANNING_EVENTS",
    "$JS.API.CONSUMER.CREATE.ORCHESTRATOR_EVENTS.mine",
    "$JS.API.CONSUMER.MSG.NEXT.ORCHESTRATOR_EVENTS.another",
    "$JS.API.CONSUMER.MSG.NEXT.PLANNING_EVENTS.conclave-planning-plan-approved",
    "$JS.ACK.PLANNING_EVENTS.conclave-planning-plan-approved.1.1.1.1.0",
    "conclave.api.STREAM.PURGE.ORCHESTRATOR_EVENTS",
    "conclave.api.STREAM.PURGE.CONCLAVE_DEAD_LETTERS",
    "conclave.api.STREAM.MSG.DELETE.PLANNING_EVENTS",
)


@pytest.mark.parametrize("user", THEIRS)
def test_what_others_publish_beyond_their_subjects_reaches_nobody(secured_nats: SecuredNats, user: str) -> None:
    """The server refuses it or keeps it within their account: no stream stores it, no login of ours hears it."""
    subjects = (*NOT_THEIRS, *(READ if user == "observer" else ()))

    async def scenario() -> None:
        async with nats_login(secured_nats, "bridge") as bridge, nats_login(secured_nats, user) as theirs:
            before = await stored(bridge)
            heard = await bridge.subscribe("orchestration.>")
            for subject in subjects:
                await theirs.publish(subject, b'{"forged": true}', reply="_INBOX.theirs")
            await theirs.flush()
            await bridge.flush()
            assert await stored(bridge) == before
            assert heard.pending_msgs == 0

    asyncio.run(scenario())


@pytest.mark.parametrize("user", THEIRS)
def test_no_answer_of_jetstream_lands_where_they_may_not_publish(secured_nats: SecuredNats, user: str) -> None:
    """A reply subject is theirs to choose, and the server publishes its answer there without asking for rights.

    Where they may publish themselves, an answer is no more than what they could say: it becomes a dead letter.
    """
    asking = {
        "publisher": READ,
        "client": (
            *READ,
            "conclave.api.STREAM.INFO.ORCHESTRATOR_EVENTS",
            "conclave.api.STREAM.MSG.GET.ORCHESTRATOR_EVENTS",
            "conclave.api.CONSUMER.MSG.NEXT.ORCHESTRATOR_EVENTS.client",
        ),
        "page": (
            *READ,
            "conclave.api.STREAM.INFO.ORCHESTRATOR_EVENTS",
            "conclave.api.STREAM.MSG.GET.ORCHESTRATOR_EVENTS",
            "conclave.api.STREAM.MSG.GET.PLANNING_EVENTS",
            "conclave.api.STREAM.MSG.GET.CONCLAVE_DEAD_LETTERS",
            "conclave.api.STREAM.MSG.DELETE.CONCLAVE_DEAD_LETTERS",
        ),
        "observer": (
            "conclave.api.STREAM.INFO.ORCHESTRATOR_EVENTS",
            "conclave.api.STREAM.MSG.GET.ORCHESTRATOR_EVENTS",
            "conclave.api.CONSUMER.MSG.NEXT.ORCHESTRATOR_EVENTS.observer",
            "$SRV.PING",
        ),
    }[user]

    async def scenario() -> None:
        async with nats_login(secured_nats, "bridge") as bridge, nats_login(secured_nats, user) as theirs:
            before = await stored(bridge)
            for reply in ("orchestration.deliberation.completed", NOT_THEIRS[2], *READ):
                for subject in asking:
                    await theirs.publish(subject, b"{}", reply=reply)
            await theirs.flush()
            await bridge.flush()
            after = await stored(bridge)
            for stream in ("ORCHESTRATOR_EVENTS", "CONCLAVE_DEAD_LETTERS"):
                assert after[stream] == before[stream]

    asyncio.run(scenario())


SERVER_HEADERS: tuple[dict[str, str], ...] = (
    {"Nats-Trace-Dest": "orchestration.deliberation.completed"},
    {"Nats-Trace-Dest": "conclave.dead_letter.planning.plan.approved", "Nats-Trace-Only": "true"},
    {"Nats-Rollup": "all"},
    {"Nats-Rollup": "sub"},
    {"Nats-TTL": "1s"},
    {"Nats-Schedule": "@at 2026-01-01T00:00:00Z", "Nats-Schedule-Target": "orchestration.deliberation.completed"},
    {"Nats-Incr": "+1"},
    {"Nats-Batch-Id": "b", "Nats-Batch-Sequence": "1", "Nats-Batch-Commit": "1"},
    {"Nats-Expected-Stream": "ORCHESTRATOR_EVENTS"},
)
"""What a publisher may ask of the server beside storing the message."""


@pytest.mark.parametrize("user", ["publisher", "client", "page"])
def test_what_a_header_asks_of_the_server_reaches_no_other_subject_and_removes_nothing(
    secured_nats: SecuredNats, user: str
) -> None:
    async def scenario() -> None:
        async with nats_login(secured_nats, "bridge") as bridge, nats_login(secured_nats, user) as theirs:
            await theirs.jetstream().publish("planning.plan.approved", b"{}")
            before, kept = await stored(bridge), await kept_messages(bridge)
            heard = await bridge.subscribe("orchestration.>")
            for headers in SERVER_HEADERS:
                await theirs.publish("planning.plan.approved", b"{}", reply="_INBOX.theirs", headers=headers)
            traces = await theirs.subscribe("_INBOX.traces")
            traced = {"Nats-Trace-Dest": "_INBOX.traces"}
            await theirs.request("planning.plan.approved", b"{}", timeout=WITHIN, headers=traced)
            await traces.next_msg(WITHIN)  # so the server traces, and what it traced before has come
            await bridge.flush()
            after = await stored(bridge)
            assert await kept_messages(bridge) >= kept
            for stream in ("ORCHESTRATOR_EVENTS", "CONCLAVE_DEAD_LETTERS"):
                assert after[stream] == before[stream]
            assert heard.pending_msgs == 0

    asyncio.run(scenario())


@pytest.mark.parametrize("user", THEIRS)
def test_nobody_hears_anothers_approvals_or_answers(secured_nats: SecuredNats, user: str) -> None:
    async def scenario() -> None:
        async with nats_login(secured_nats, user) as theirs, nats_login(secured_nats, "bridge") as bridge:
            heard = [await theirs.subscribe(subject) for subject in (">", "planning.>", "_INBOX.>", "$JS.>")]
            await theirs.flush()
            await bridge.jetstream().publish("planning.plan.approved", b"{}")
            await bridge.jetstream().account_info()
            await theirs.flush()
            assert [one.pending_msgs for one in heard] == [0, 0, 0, 0]

    asyncio.run(scenario())


@pytest.mark.parametrize("user", THEIRS)
def test_two_programs_of_one_login_neither_hear_nor_answer_nor_deceive_each_other(
    secured_nats: SecuredNats, user: str
) -> None:
    """An account is one subject space, so only permissions keep its users apart."""
    asked = "conclave.api.STREAM.MSG.GET.ORCHESTRATOR_EVENTS"

    async def scenario() -> list[int]:
        async with nats_login(secured_nats, user, []) as evil, nats_login(secured_nats, user, []) as other:
            overheard = [await evil.subscribe(subject) for subject in (*READ, asked, ">", "planning.>")]
            deceived = await other.subscribe("orchestration.>")
            for client in (evil, other):
                await client.flush()
            await evil.publish("orchestration.message.rejected", b'{"forged": true}')
            for subject in (*READ, asked):
                await other.publish(subject, b"{}", reply="_INBOX.other")
            for client in (evil, other, evil):
                await client.flush()
            return [one.pending_msgs for one in (*overheard, deceived)]

    assert asyncio.run(scenario()) == [0] * 8


async def stored(bridge: Client) -> dict[str, int]:
    """Count what every stream has stored."""
    stream = bridge.jetstream()
    return {plan.name: (await stream.stream_info(plan.name)).state.last_seq for plan in all_streams()}


async def kept_messages(bridge: Client) -> int:
    """Count what the stream of approvals holds."""
    return (await bridge.jetstream().stream_info("PLANNING_EVENTS")).state.messages


@pytest.mark.parametrize("login_as", ["", "bridge:wrong@", "stranger:x@"])
def test_a_wrong_login_is_refused(secured_nats: SecuredNats, login_as: str) -> None:
    async def scenario() -> None:
        await nats.connect(
            secured_nats.url.replace("://", f"://{login_as}"), allow_reconnect=False, error_cb=_silent
        )

    with pytest.raises(Error, match=r"(?i)authorization violation"):
        asyncio.run(scenario())


async def _silent(error: Exception) -> None:
    return


@pytest.mark.parametrize("user", ["publisher", "client"])
def test_a_stored_message_says_nothing_of_its_login(secured_nats: SecuredNats, user: str) -> None:
    """So the bound on open plans counts `approved_by`; once this fails, it can count logins."""

    async def scenario() -> dict[str, str] | None:
        written = {"x-own": "1", "Nats-Request-Info": '{"acc": "CONCLAVE", "user": "another"}'}
        async with nats_login(secured_nats, user) as client:
            answer = await client.request("planning.plan.approved", b"{}", timeout=WITHIN, headers=written)
        sequence = json.loads(answer.data)["seq"]
        async with nats_login(secured_nats, "bridge") as client:
            stored = await client.jetstream().get_msg("PLANNING_EVENTS", sequence)
        return stored.headers

    assert asyncio.run(scenario()) == {"x-own": "1"}
