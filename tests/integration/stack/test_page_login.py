"""The page reads with the shipped users `page` and `observer`, of Valkey and of NATS."""

from __future__ import annotations

import asyncio

import nats
import pytest
from starlette.testclient import TestClient

from bridge.event_feed import NatsEventFeed
from bridge.options import NatsOptions, StreamLimits
from bridge.streams import ORCHESTRATOR, ensure
from domain.feed import FedEvent
from domain.schedule import ScheduledRedeliberation
from tests.support import factories as make
from tests.support.secured import SecuredNats, SecuredValkey
from workers.adapters.redis.schedule import RedBeatSchedule
from workers.app import make_app
from workers.settings import Settings
from workers.store_ports import StorePorts
from workers.web_process import application


@pytest.mark.parametrize("user", ["observer", "page"])
@pytest.mark.parametrize("path", ["/deliberations", "/deliberations?plan=PLAN", "/deliberations/ID", "/councils"])
def test_a_login_is_enough_to_read(secured_valkey: SecuredValkey, path: str, user: str) -> None:
    opened = make.opened()
    about = opened.deliberation
    worker = StorePorts(Settings(redis_url=secured_valkey.url_of("worker")))
    worker.deliberations.record(about.deliberation_id, opened)
    worker.councils.save(make.council("DEV"))
    page = TestClient(
        application(Settings(redis_url=secured_valkey.url_of(user))), base_url="http://127.0.0.1:8400"
    )
    answer = page.get(path.replace("PLAN", about.plan.plan_id).replace("ID", about.deliberation_id))
    assert answer.status_code == 200
    assert ("DEV" if path == "/councils" else about.plan.title) in answer.text


@pytest.mark.parametrize("user", ["observer", "page"])
def test_a_login_hears_events(secured_nats: SecuredNats, user: str) -> None:
    body = make.progress_body(deliberation_id=make.fresh("d"))

    async def scenario() -> tuple[FedEvent, ...]:
        bridge = await nats.connect(secured_nats.url_of("bridge"))
        await ensure(bridge.jetstream(), ORCHESTRATOR, StreamLimits())
        feed = NatsEventFeed(NatsOptions(url=(secured_nats.url_of(user),)))
        try:
            first = await feed.start()
            worker = await nats.connect(secured_nats.url_of("worker"))
            await worker.jetstream().publish(body.event_type, body.model_dump_json().encode())
            await worker.close()
            await feed.wait()
            return await feed.read(first, 10)
        finally:
            await feed.close()
            await bridge.close()

    assert [event.body for event in asyncio.run(asyncio.wait_for(scenario(), 120))] == [body]


@pytest.mark.parametrize(
    ("user", "problems"),
    [
        ("page", {"workers": "may not ask workers"}),
        ("observer", {"workers": "may not ask workers", "dead_letters": "may not read dead letters"}),
    ],
)
def test_a_login_sees_the_system_but_for_what_it_may_not_ask(
    secured_valkey: SecuredValkey, secured_nats: SecuredNats, user: str, problems: dict[str, str]
) -> None:
    worker = Settings(redis_url=secured_valkey.url_of("worker"))
    nightly = ScheduledRedeliberation(name="nightly", plan_id="plan-1", role="DEV", cron="0 6 * * *")
    RedBeatSchedule(make_app(worker)).put(nightly)
    nats_of = {"url": (secured_nats.url_of(user),)}
    settings = Settings.model_validate({"redis_url": secured_valkey.url_of(user), "nats": nats_of})
    with TestClient(application(settings), base_url="http://127.0.0.1:8400") as page:
        state = page.get("/api/system").json()
    found = {name: part["problem"] for name, part in state.items() if isinstance(part, dict) and part["problem"]}
    assert found.keys() == problems.keys()
    for name, words in problems.items():
        assert words in found[name]
    subjects = {row["subject"]: row["level"] for row in state["findings"]["rows"]}
    assert (subjects["nats"], subjects["jetstream"], subjects["valkey"]) == ("ok", "ok", "ok")
    assert "nightly" in {row["name"] for row in state["schedules"]["rows"]}
    assert "control" in {row["queue"] for row in state["queues"]["rows"]}
