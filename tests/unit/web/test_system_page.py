"""The state of the installation, each part by itself, and what an operator does with what lies aside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from argon2 import PasswordHasher
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from domain.dead_letter import DeadLetter
from domain.engine import ReadyCheckResult
from domain.errors import SystemUnreadable
from domain.finding import fail, ok, warn
from domain.parked import Parked
from domain.system import QueueLoad, ScheduledRun, WorkerSeen
from domain.thinking import Thoughts
from tests.support import factories as make
from tests.support.hostile_text import HOSTILE, commands_in
from tests.support.in_memory.dead_letter_desk import MemoryDeadLetterDesk
from tests.support.in_memory.parking_control import MemoryParkingControl
from tests.support.in_memory.system_watch import MemorySystemWatch
from tests.support.stage import Stage
from tests.support.web import Seen, ports_of
from tests.unit.web.test_api import DOCUMENT
from web.app import make_app
from web.options import WebOptions
from web.ports import WebPorts

ORIGIN = {"Origin": "http://127.0.0.1:8400"}
LETTER = DeadLetter(
    sequence=7, reason="no role", subject="planning.plan.approved", at="2026-11-29T10:00:00Z", data=b'{"plan": 1}'
)
MESSAGE = Parked(parked_id="a1", at=1.0, queue="control", reason="its body is no list", message=b"[1".hex())
TASK = Parked(parked_id="b2", at=2.0, queue="control", reason="lost", task="plan.dispatch", subject="p-1")


class Denied(Exception):
    """As a store raises whose login lacks a right."""


@dataclass
class Installation:
    """A page over parts that a test puts in."""

    stage: Stage = field(default_factory=lambda: Stage(make.council("DEV")))
    watch: MemorySystemWatch = field(default_factory=MemorySystemWatch)
    desk: MemoryDeadLetterDesk = field(default_factory=lambda: MemoryDeadLetterDesk({7: LETTER}))
    orders: MemoryParkingControl = field(default_factory=MemoryParkingControl)

    def page(self, **options: Any) -> TestClient:
        from_stage = vars(ports_of(self.stage))
        ports = WebPorts(
            **from_stage | {"system": self.watch, "dead_letters": self.desk, "parking_control": self.orders}
        )
        made = WebOptions.model_validate(options)
        app = make_app(ports, made, version="0", default_model="tiny", denials=(Denied,))
        return TestClient(app, base_url="http://127.0.0.1:8400", follow_redirects=False)

    def seen(self, path: str = "/system") -> str:
        answer = self.page().get(path)
        assert answer.status_code == 200, answer.text
        return Seen(answer.text).text


@pytest.fixture
def installation() -> Installation:
    made = Installation()
    for parked in (MESSAGE, TASK):
        made.stage.services.parking.put(parked)
    made.watch.found = (ok("nats", "answers"), warn("outbox", "is full"), fail("model m", "is not served"))
    made.watch.seen = (WorkerSeen(name="control@here", queues=("control",), busy=2, places=8),)
    made.watch.runs = (
        ScheduledRun(name="nightly", plan_id="plan-7", role="DEV", cron="0 6 * * *", next_at=1.8e9),
    )
    made.watch.loads["llm.tiny"] = QueueLoad(queue="llm.tiny", waiting=41, oldest_at=1.0)
    (engine,) = made.stage.services.engines.all()
    found = ReadyCheckResult(thoughts=Thoughts.ON_DEMAND)
    busy = {"in_flight": 3, "slots": 8, "hit_rate": 0.625, "kv_usage": 0.5, "found": found}
    made.stage.services.engines.publish(engine.model_copy(update=busy), ttl_s=1e12)
    return made


def test_every_part_is_shown(installation: Installation) -> None:
    shown = installation.seen()
    for text in (
        *("fail model m is not served", "warn outbox is full", "1 thing in order"),
        *("7 2026-11-29 10:00:00 planning.plan.approved 0 no role", "message, 2 bytes its body is no list"),
        *("plan.dispatch of p-1", "llm.tiny 41", "control@here control 2 8", "nightly plan-7 DEV 0 6 * * *"),
        *("3 of 8 0 62 % 50 %", "on demand"),
    ):
        assert text in shown


def test_an_installation_with_nothing_amiss_says_so() -> None:
    quiet = Installation(desk=MemoryDeadLetterDesk())
    shown = quiet.seen()
    for text in ("Nothing would break a deliberation", "No message was rejected", "lies aside", "schedule add"):
        assert text in shown


@pytest.mark.parametrize("part", ["findings", "queues", "workers", "schedules"])
@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (SystemUnreadable("it is away; start it"), "it is away; start it"),
        (Denied("no"), "own login may not read this"),
        (ConnectionError("secret:password@host"), "can't be read now (ConnectionError)"),
    ],
)
def test_a_part_that_fails_says_so_in_its_place_and_the_others_are_there(
    installation: Installation, part: str, error: Exception, sentence: str
) -> None:
    installation.watch.unreadable[part] = error
    state = installation.page().get("/api/system").json()
    assert sentence in state[part]["problem"]
    assert state[part]["rows"] == []
    others = [value for name, value in state.items() if isinstance(value, dict) and name != part]
    assert len(others) == 6
    assert all(value["problem"] == "" and value["rows"] for value in others)
    shown = installation.seen()
    assert sentence in shown
    assert "password" not in shown


def test_dead_letters_that_can_not_be_read_are_said_to_be_so(installation: Installation) -> None:
    installation.desk.unreadable = SystemUnreadable("this login may not read dead letters")
    assert "may not read dead letters" in installation.seen()
    for path in ("/system/dead-letters", "/system/dead-letters/7"):
        answer = installation.page().get(path)
        assert answer.status_code == 503
        assert "may not read dead letters" in Seen(answer.text).text


@pytest.mark.parametrize(
    "path", ["/0", "/-1", f"/{2**63}", f"/{10**30}", f"?after={10**30}", f"?after={2**64 - 1}", "?after=-1"]
)
def test_a_number_that_no_dead_letter_has_is_not_asked_for(installation: Installation, path: str) -> None:
    installation.desk.unreadable = SystemUnreadable("NATS can't read such a number")
    assert installation.page().get(f"/system/dead-letters{path}").status_code == 400


def test_programs_read_the_state_as_the_document_says(installation: Installation) -> None:
    operation = DOCUMENT["paths"]["/api/system"]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    state = installation.page().get("/api/system").json()
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(state)
    assert [row["number"] for row in state["dead_letters"]["rows"]] == [7]


def test_a_dead_letter_is_sent_again_after_a_look_at_it(installation: Installation) -> None:
    page = installation.page()
    assert '{"plan": 1}' in Seen(page.get("/system/dead-letters/7").text).text
    assert "7" in Seen(page.get("/system").text).text
    sent = page.post("/system/dead-letters/7/replay", headers=ORIGIN)
    assert (sent.status_code, sent.headers["location"]) == (303, "/system?done=replayed")
    assert installation.desk.replayed == [LETTER]
    after = Seen(page.get(sent.headers["location"]).text).text
    assert "was sent again" in after
    assert "No message was rejected" in after
    assert page.post("/system/dead-letters/7/replay", headers=ORIGIN).status_code == 404


def test_a_dead_letter_is_deleted(installation: Installation) -> None:
    assert installation.page().post("/system/dead-letters/7/purge", headers=ORIGIN).status_code == 303
    assert installation.desk.letters == {}
    assert installation.desk.replayed == []


def test_one_whose_original_is_gone_offers_no_sending(installation: Installation) -> None:
    installation.desk.letters = {8: LETTER.model_copy(update={"sequence": 8, "data": None})}
    shown = installation.page().get("/system/dead-letters/8").text
    assert "no longer in its stream" in shown
    assert "/replay" not in shown
    refused = installation.page().post("/system/dead-letters/8/replay", headers=ORIGIN)
    assert refused.status_code == 409
    assert "is gone" in Seen(refused.text).text


def test_all_dead_letters_are_paged(installation: Installation) -> None:
    letters = {number: LETTER.model_copy(update={"sequence": number}) for number in range(1, 131)}
    installation.desk.letters = letters
    found: list[str] = []
    path = "/system/dead-letters"
    while path:
        links = Seen(installation.page().get(path).text).links
        found += [link.rpartition("/")[2] for link in links if link.startswith("/system/dead-letters/")]
        path = next((link for link in links if "after=" in link), "")
    assert found == [str(number) for number in letters]


@pytest.mark.parametrize(("parked", "button"), [(MESSAGE, "back into its queue"), (TASK, "Deliberate again")])
@pytest.mark.parametrize("action", ["release", "drop"])
def test_what_lies_aside_is_let_go_or_dropped_by_order(
    installation: Installation, parked: Parked, button: str, action: str
) -> None:
    path = f"/system/parked/{parked.parked_id}"
    assert button in installation.seen(path)
    ordered = installation.page().post(f"{path}/{action}", headers=ORIGIN)
    assert (ordered.status_code, ordered.headers["location"]) == (303, f"/system?done={action}")
    assert installation.orders.released == [parked.parked_id] * (action == "release")
    assert installation.orders.dropped == [parked.parked_id] * (action == "drop")
    assert installation.page().post(f"/system/parked/zz/{action}", headers=ORIGIN).status_code == 404


ACTIONS = tuple(
    f"/system/{path}"
    for path in ("dead-letters/7/replay", "dead-letters/7/purge", "parked/a1/release", "parked/a1/drop")
)


@pytest.mark.parametrize("path", ACTIONS)
def test_who_may_not_operate_only_looks(installation: Installation, path: str) -> None:
    hashed = PasswordHasher(time_cost=1, memory_cost=64).hash("open sesame")
    page = installation.page(users={"ada": hashed}, rights={"ada": ["read", "approve", "judge"]})
    page.post("/login", data={"name": "ada", "password": "open sesame"}, headers=ORIGIN)
    shown = page.get(path.rpartition("/")[0])
    assert shown.status_code == 200
    assert path not in shown.text
    assert page.post(path, headers=ORIGIN).status_code == 403
    assert installation.desk.letters == {7: LETTER}
    assert (installation.orders.released, installation.orders.dropped) == ([], [])


@pytest.mark.parametrize("path", ACTIONS)
def test_no_page_of_another_site_acts(installation: Installation, path: str) -> None:
    answer = installation.page().post(path, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert installation.desk.letters == {7: LETTER}


def test_hostile_texts_stay_texts(installation: Installation) -> None:
    evil = f"<script>alert(1)</script>{HOSTILE}\"'><img src=x onerror=alert(1)>"
    plain = Installation()
    for made, text in ((installation, evil), (plain, "plain")):
        made.desk.letters = {
            7: DeadLetter(
                sequence=7,
                reason=text,
                subject=text,
                stream=text,
                at=text,
                headers={text: text},
                data=text.encode(),
            )
        }
        made.stage.services.parking.drop("a1")
        made.stage.services.parking.drop("b2")
        parked = Parked(parked_id="x", at=1.0, queue=text, reason=text, message=text.encode().hex())
        made.stage.services.parking.put(parked)
        made.watch.found = (ok(text, text), warn(text, text))
        made.watch.seen = (WorkerSeen(name=text, queues=(text,), busy=1, places=1),)
        made.watch.loads = {}
        made.watch.runs = ()
    for path in ("/system", "/system/dead-letters", "/system/dead-letters/7", "/system/parked/x"):
        found, expected = installation.page().get(path).text, plain.page().get(path).text
        assert set(Seen(found).shapes) <= set(Seen(expected).shapes), path
        assert commands_in(found) == []
