"""One trace from the incoming message to the outgoing event, over the real processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import services_of
from tests.acceptance.test_pipeline import APPROVED, COMPLETED, approval
from tests.support.collector import Collector
from tests.support.fleet import Fleet
from tests.support.observer import Observer, until, watching
from tests.support.scripted_engine import ScriptedEngine
from tests.support.servers import NatsServer, ValkeyServer
from workers.stack.guard import Guard

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{SPAN}-01"


@pytest.fixture
def traced(
    tmp_path: Path, guard: Guard, nats_server: NatsServer, valkey_server: ValkeyServer
) -> Iterator[tuple[Collector, ScriptedEngine]]:
    with (
        Collector() as collector,
        ValkeyServer(tmp_path / "valkey", guard=guard) as valkey,
        ScriptedEngine(latency_s=0.05) as engine,
        Fleet(
            tmp_path,
            guard,
            nats_url=nats_server.url,
            redis_url=valkey.url,
            engine_url=engine.openai_url,
            env={"CONCLAVE_OTLP_ENDPOINT": collector.url},
        ) as fleet,
    ):
        services_of(nats_server.url, valkey.url, fleet.model)
        running = [fleet.bridge(), fleet.control(), fleet.worker()]
        for one in running:
            one.start(wait=False)
        for one in running:
            one.wait_ready()
        yield collector, engine


def test_one_trace_leads_from_the_message_through_every_task_and_call_to_the_event(
    traced: tuple[Collector, ScriptedEngine], nats_server: NatsServer
) -> None:
    collector, engine = traced

    async def scenario(observer: Observer) -> None:
        asked = approval()
        await observer.publish(APPROVED, asked, traceparent=TRACEPARENT)
        (event,) = await observer.wait(COMPLETED, plan_id=asked["plan_id"])
        assert event.headers["traceparent"].split("-")[1] == TRACE

        def names() -> list[str]:
            return sorted(span.name for span in collector.of_trace(TRACE))

        reviewers = len({cast["reviewer"] for cast in event.body["ballots"]})
        wanted = sorted(
            [
                "plan.accept",
                "plan.dispatch",
                *["proposal.generate"] * 3,
                "deliberation.conclude",
                *["chat scripted"] * (3 + 2 * reviewers),
            ]
        )
        await until(lambda: names() == wanted, within=20, what=lambda: f"{names()} instead of {wanted}")

    watching(nats_server.url, scenario)
    spans = {span.span_id: span for span in collector.of_trace(TRACE)}
    (accept,) = (span for span in spans.values() if span.name == "plan.accept")
    assert accept.parent_id == SPAN
    for span in spans.values():
        if span.name.startswith("chat "):
            assert spans[span.parent_id].name in {"proposal.generate", "deliberation.conclude"}
    told = {one.split("-")[2] for one in engine.script.traceparents}
    assert told == {span.span_id for span in spans.values() if span.name.startswith("chat ")}
