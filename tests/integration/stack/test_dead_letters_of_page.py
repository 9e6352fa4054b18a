"""What the page's NATS login does with dead letters, and what a login without the right to them is told."""

from __future__ import annotations

import asyncio

import nats
import pytest

from bridge.dead_letter import encode_dead_letter
from bridge.dead_letter_desk import NatsDeadLetterDesk
from bridge.message import InboundMessage
from bridge.options import NatsOptions
from bridge.subjects import DURABLES
from domain.errors import NoSuchDeadLetter, SystemUnreadable
from tests.support.secured import SecuredNats

pytestmark = pytest.mark.usefixtures("streams")
WITHIN = 60.0
APPROVED = "planning.plan.approved"


def test_a_page_sends_dead_letters_again_and_deletes_them(secured_nats: SecuredNats) -> None:
    async def scenario() -> None:
        desk = NatsDeadLetterDesk(NatsOptions(url=(secured_nats.url_of("page"),)), durables=DURABLES)
        async with await nats.connect(secured_nats.url_of("bridge")) as bridge:
            before = (await bridge.jetstream().stream_info("PLANNING_EVENTS")).state.last_seq
            for place, word in enumerate(("again", "never"), start=1001):
                message = InboundMessage(
                    subject=APPROVED, data=word.encode(), stream="PLANNING_EVENTS", sequence=place
                )
                headers, body = encode_dead_letter(message, f"for {word}", max_payload=1_000_000)
                await bridge.jetstream().publish(f"conclave.dead_letter.{APPROVED}", body, headers=headers)
            ours = [letter for letter in await desk.list(0, 100) if letter.reason in ("for again", "for never")]
            assert [letter.text for letter in ours] == ["again", "never"]
            assert [letter.reason for letter in await desk.newest(2)] == ["for never", "for again"]
            assert (await desk.show(ours[0].sequence)).reason == "for again"
            await desk.replay(ours[0].sequence)
            await desk.purge(ours[1].sequence)
            for letter in ours:
                with pytest.raises(NoSuchDeadLetter):
                    await desk.show(letter.sequence)
            sent = await bridge.jetstream().get_msg("PLANNING_EVENTS", before + 1)
            assert sent.data == b"again"
        await desk.close()

    asyncio.run(asyncio.wait_for(scenario(), WITHIN))


def test_a_login_that_may_not_read_dead_letters_is_told_so(secured_nats: SecuredNats) -> None:
    async def scenario() -> None:
        desk = NatsDeadLetterDesk(NatsOptions(url=(secured_nats.url_of("observer"),)), durables=DURABLES)
        with pytest.raises(SystemUnreadable, match="may not read dead letters"):
            await desk.list(0, 100)
        await desk.close()

    asyncio.run(asyncio.wait_for(scenario(), WITHIN))
