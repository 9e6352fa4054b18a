"""What commands hear on the subjects of events is events: answers of JetStream and junk pass by."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import nats
import pytest

from domain.event_types import COMPLETED
from tests.support.factories import fresh
from tests.support.foreign_messages import scatter
from tests.support.servers import NatsServer
from workers.cli.nats_session import NatsSession, ReceivedEvent
from workers.processes.readiness import wait_until
from workers.settings import Settings

WITHIN = 60.0


EVENT = {"event_type": COMPLETED, "deliberation_id": fresh("d")}
ENVELOPE = {"event_type": COMPLETED, "payload": EVENT, "idempotency_key": "e-1", "producer": "conclave"}
CLOUD_EVENT = {"specversion": "1.0", "id": "e-1", "source": "conclave", "type": COMPLETED, "data": EVENT}


@pytest.mark.parametrize("published", [EVENT, ENVELOPE, CLOUD_EVENT], ids=["bare", "envelope", "cloudevents"])
@pytest.mark.parametrize("listen", [NatsSession.consume, NatsSession.subscribe])
def test_a_command_hears_events_and_nothing_else(
    own_nats: NatsServer,
    environment: Settings,
    listen: Callable[[NatsSession, str, Callable[[ReceivedEvent], None]], None],
    published: dict[str, object],
) -> None:
    heard: list[ReceivedEvent] = []

    async def tell() -> None:
        client = await nats.connect(own_nats.url)
        await scatter(client)
        await client.publish(COMPLETED, json.dumps(published).encode())
        await client.close()

    with NatsSession.to(environment) as session:
        session.consume(
            "orchestration.>", lambda event: None
        )  # makes the stream, so that JetStream answers into it
        listen(session, "orchestration.deliberation.>", heard.append)
        asyncio.run(tell())
        assert wait_until(lambda: bool(heard), within=WITHIN)
    assert [one.body for one in heard] == [EVENT]
