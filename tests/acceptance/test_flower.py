"""Flower beside a running pipeline: tasks by readable names, found by plan, and no text of plans or proposals."""

from __future__ import annotations

import base64
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import redis
from playwright.sync_api import expect

from tests.acceptance.conftest import Pipeline
from tests.acceptance.test_pipeline import APPROVED, COMPLETED, approval
from tests.support.chromium import chromium, window
from tests.support.factories import fresh
from tests.support.fleet import Fleet, Service
from tests.support.observer import Observer, until, watching
from tests.support.person_at_page import picture
from tests.support.scripted_answers import free_text
from tests.support.servers import ValkeyServer
from workers.app import make_app
from workers.processes.command import ProcessCommand
from workers.processes.guard import Guard
from workers.processes.ports import HOST, free_port
from workers.processes.readiness import http_answers, wait_until
from workers.settings import Settings

LOGIN, NEW_LOGIN = "ops:s3cret-of-flower", "ops:an0ther"
CANARY = "xylophone-canary"
ENGINE_KEY = "k3y-canary"
ASKED = 10
LAPTOP = 1366
"""Pixels of a common screen's width."""
SWEEPS = 100
"""What beat sends in eight idle minutes; here in seconds."""


@dataclass(frozen=True)
class Flower:
    """A running Flower, and how to ask it."""

    url: str

    def get(self, path: str, *, login: str | None = LOGIN, method: str = "GET") -> tuple[int, str]:
        """Return status and body."""
        request = urllib.request.Request(f"{self.url}{path}", method=method)
        if login is not None:
            request.add_header("Authorization", basic(login))
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def tasks(self, search: str = "", *, login: str = LOGIN) -> dict[str, dict[str, Any]]:
        """Return the tasks that its API lists, by id."""
        query = f"?search={urllib.parse.quote(search)}" if search else ""
        status, body = self.get(f"/api/tasks{query}", login=login)
        assert status == 200, body
        listed: dict[str, dict[str, Any]] = json.loads(body)
        return listed


def basic(login: str) -> str:
    """Return the header's value for a login."""
    return "Basic " + base64.b64encode(login.encode()).decode()


def started(fleet: Fleet) -> tuple[Flower, Service]:
    """Start Flower as an operator does, with a login."""
    port = free_port()
    url = f"http://{HOST}:{port}"
    env = {**fleet.env, "CONCLAVE_FLOWER_AUTH": LOGIN, "CONCLAVE_ENGINE_KEY": ENGINE_KEY}
    argv = (sys.executable, "-m", "workers.cli", "flower", "--port", str(port))
    ready = http_answers(f"{url}/healthcheck")
    return Flower(url), fleet.add(ProcessCommand(name=fresh("flower"), argv=argv, env=env, ready=ready)).start()


@pytest.fixture(scope="module")
def flower(pipeline: Pipeline) -> Iterator[Flower]:
    flower, service = started(pipeline.fleet)
    yield flower
    service.stop()


@pytest.fixture(scope="module")
def decided(pipeline: Pipeline, flower: Flower) -> list[dict[str, Any]]:
    """Ten decided approvals, canaries in plan and proposals, some calls failed; Flower has seen all tasks end."""
    asked = [
        approval(title=CANARY, description=f"{CANARY} {CANARY}", acceptance_criteria=[CANARY])
        for _ in range(ASKED)
    ]

    async def scenario(observer: Observer) -> None:
        await warmed_up(observer, flower)
        pipeline.engine.fault("text:400", "ballot:off_form", "text:503")
        for one in asked:
            await observer.publish(APPROVED, one)
        for one in asked:
            (event,) = await observer.wait(COMPLETED, within=60, plan_id=one["plan_id"])
            assert CANARY in json.dumps(event.body)
            one["deliberation_id"] = event.body["deliberation_id"]
        await until(lambda: all(seen(flower, one) for one in asked), within=120, what=lambda: "tasks are missing")

    plain = pipeline.engine.script.text
    pipeline.engine.script.text = lambda body: f"{free_text(body)} {CANARY}"
    try:
        watching(pipeline.nats_url, scenario)
    finally:
        pipeline.engine.script.text = plain
    return asked


async def warmed_up(observer: Observer, flower: Flower) -> None:
    """Return when Flower hears of tasks: what ran before it listened, it never knows."""
    for _ in range(20):
        asked = approval()
        await observer.publish(APPROVED, asked)
        await observer.wait(COMPLETED, plan_id=asked["plan_id"])
        if flower.tasks():
            return
    raise AssertionError("Flower hears of no task")


def seen(flower: Flower, asked: dict[str, Any]) -> bool:
    found = flower.tasks(f"args:{asked['plan_id']}").values()
    return len(found) == 5 and all(task["state"] == "SUCCESS" for task in found)


def test_the_api_lists_every_task_of_a_plan_by_readable_names(
    flower: Flower, decided: list[dict[str, Any]]
) -> None:
    for asked in decided:
        found = flower.tasks(f"args:{asked['plan_id']}")
        names = sorted(task["name"] for task in found.values())
        assert names == ["deliberation.conclude", "plan.dispatch", *["proposal.generate"] * 3]
        for task_id, task in found.items():
            if task["name"] == "plan.dispatch":
                continue
            assert task_id.startswith(asked["deliberation_id"])
            assert task["args"].endswith(f", plan={asked['plan_id']}, {asked['deliberation_id']})")
            assert task["kwargs"] in ("{}", "")
        begins = [task["args"].split(", plan=")[0] for task in found.values()]
        agents = {begin for begin in begins if begin.endswith(", DEV, scripted")}
        assert len(agents) == 3


def test_nothing_that_flower_shows_holds_text_of_plans_or_proposals_or_a_secret(
    flower: Flower, decided: list[dict[str, Any]]
) -> None:
    tasks = flower.tasks()
    assert len(tasks) >= 5 * ASKED
    workers = json.loads(flower.get("/api/workers?refresh=true")[1])
    assert workers
    pages = [f"/task/{task_id}" for task_id in flower.tasks(f"args:{decided[0]['plan_id']}")]
    pages += [f"/worker/{name}" for name in workers]
    pages += ["/", "/tasks", "/workers", "/broker", "/metrics", "/api/tasks", "/api/workers", "/api/task/types"]
    for page in pages:
        status, body = flower.get(page)
        assert status == 200, page
        for secret in (CANARY, ENGINE_KEY, LOGIN):
            assert secret not in body, page


def test_the_task_page_tells_what_a_person_looks_for(flower: Flower, decided: list[dict[str, Any]]) -> None:
    found = flower.tasks(f"args:{decided[0]['plan_id']}")
    (task_id,) = [task_id for task_id, task in found.items() if task["name"] == "deliberation.conclude"]
    page = flower.get(f"/task/{task_id}")[1]
    for word in ("deliberation.conclude", decided[0]["plan_id"], "DEV", "SUCCESS"):
        assert word in page


def test_metrics_count_our_tasks_by_name(flower: Flower, decided: list[dict[str, Any]]) -> None:
    status, body = flower.get("/metrics", login=None)
    assert status == 200
    assert 'task="deliberation.conclude"' in body


@pytest.mark.parametrize("path", ["/", "/tasks", "/api/tasks", "/api/workers", "/api/task/types"])
@pytest.mark.parametrize("login", [None, "ops:wrong", "nobody:s3cret-of-flower"])
def test_without_the_login_nothing_is_shown(flower: Flower, path: str, login: str | None) -> None:
    status, body = flower.get(path, login=login)
    assert status == 401
    assert "proposal.generate" not in body


def test_it_shows_and_does_nothing_else(flower: Flower, decided: list[dict[str, Any]]) -> None:
    (worker, *_) = json.loads(flower.get("/api/workers")[1])
    for path in (f"/api/worker/shutdown/{worker}", "/api/task/revoke/any", "/api/task/async-apply/outbox.flush"):
        assert flower.get(path, method="POST")[0] == 403


def idle(pipeline: Pipeline) -> None:
    """Return after beat's housekeeping of a long idle time, which goes faster here."""
    with (
        pipeline.fleet.beat(CONCLAVE_POLICY__SWEEP_AFTER_S="0.15") as beat,
        redis.Redis.from_url(pipeline.fleet.env["CONCLAVE_REDIS_URL"], decode_responses=True) as client,
    ):
        beat.start()

        def sweeps() -> int:
            return int(json.loads(client.hget("conclave:beat:sweep", "meta") or "{}").get("total_run_count", 0))

        assert wait_until(lambda: sweeps() >= SWEEPS, within=240), beat.log.tail()
        beat.stop()


READABLE_TO = """(cell, last) => {
    const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
        const end = text.data.indexOf(last) + last.length;
        if (end < last.length) continue;
        const range = document.createRange();
        range.setStart(text, 0);
        range.setEnd(text, end);
        const [words, room] = [range.getBoundingClientRect(), cell.getBoundingClientRect()];
        return words.right <= Math.min(room.right, innerWidth) && words.left >= Math.max(room.left, 0);
    }
    return false;
}"""
"""Whether a cell shows its text up to these words, neither clipped nor beyond the window."""


def test_after_an_idle_time_a_laptop_shows_deliberations_with_agent_role_and_model(
    pipeline: Pipeline, flower: Flower, decided: list[dict[str, Any]]
) -> None:
    idle(pipeline)
    with chromium() as browser, window(browser, width=LAPTOP) as on:
        on.page.set_extra_http_headers({"Authorization": basic(LOGIN)})
        on.page.goto(f"{flower.url}/tasks")
        rows = on.page.locator("#tasks-table tbody tr")
        expect(rows.first).to_contain_text(".")
        picture(on.page, "flower-tasks")
        names = {row.locator("td").first.inner_text() for row in rows.all()}
        assert names <= {"plan.dispatch", "proposal.generate", "deliberation.conclude"}
        proposals = rows.filter(has_text="proposal.generate").all()
        assert proposals
        for row in proposals:
            cell = row.locator("td").filter(has_text=", DEV, ")
            assert cell.evaluate(READABLE_TO, "scripted"), cell.inner_text()
        on.page.goto(f"{flower.url}/broker")
        expect(on.page.locator("#queue-table tbody tr", has_text="control")).to_be_visible()
        picture(on.page, "flower-broker")


def complaints(service: Service) -> int:
    """Count how often Flower said that it hears nothing."""
    return service.log.path.read_text().count("no events are captured")


def test_it_asks_for_a_broker_that_is_long_away_hears_again_and_remembers_over_a_restart_with_another_login(
    tmp_path: Path, guard: Guard
) -> None:
    with (
        ValkeyServer(tmp_path / "valkey", guard=guard) as valkey,
        Fleet(tmp_path, guard, nats_url="nats://127.0.0.1:9", redis_url=valkey.url) as fleet,
    ):
        fleet.control(threads=4).start()
        flower, service = started(fleet)
        assert "<td>control</td>" in flower.get("/broker")[1], "before any task was sent"
        app = make_app(Settings.model_validate({"redis_url": valkey.url}))

        def hears_of(name: str) -> bool:
            app.send_task("deliberation.redeliberate", task_id=fresh(name))
            return any(task_id.startswith(name) for task_id in flower.tasks())

        assert wait_until(lambda: hears_of("before"), within=120, every=0.5)
        valkey.kill9()
        assert wait_until(lambda: complaints(service) >= 8, within=120), service.log.tail()
        valkey.start()
        assert wait_until(lambda: hears_of("after"), within=120, every=0.5)
        assert service.stop() == 0
        env = {**(service.process.env or {}), "CONCLAVE_FLOWER_AUTH": NEW_LOGIN}
        service.process = replace(service.process, env=env)
        service.start()
        assert flower.get("/api/tasks")[0] == 401
        remembered = flower.tasks(login=NEW_LOGIN)
        assert {task_id.partition("-")[0] for task_id in remembered} >= {"before", "after"}
