"""`conclave parked …` and what doctor says of it, against a real Valkey."""

from __future__ import annotations

import json
import time

import redis

from domain.parked import Parked
from domain.services import Services
from domain.steps.conclude import fail_deliberation
from tests.support import factories as make
from tests.support.commands import Run
from tests.support.spoilt_tasks import with_body
from workers.settings import Settings

RAW = json.dumps(with_body("no list")).encode()
MESSAGE = Parked(parked_id="a1", at=1.0, queue="control", reason="its body is no list", message=RAW.hex())


def task(subject: str, name: str = "deliberation.conclude") -> Parked:
    return Parked(
        parked_id="b2", at=2.0, queue="control", reason="5 workers were lost", task=name, subject=subject
    )


def test_what_is_parked_is_listed_and_shown_with_its_reason(run: Run, services: Services) -> None:
    assert "nothing is parked" in run("parked", "list").stdout
    for parked in (task("d-1"), MESSAGE):
        services.parking.put(parked)
    listed = json.loads(run("parked", "list", "--json").stdout)
    assert [one["parked_id"] for one in listed] == ["a1", "b2"]
    assert "deliberation.conclude" in run("parked", "list").stdout
    shown = run("parked", "show", "a1").stdout
    assert "its body is no list" in shown
    assert '"deliberation.sweep"' in shown
    warned = [line for line in run("doctor").stdout.splitlines() if "parked" in line]
    assert any("2 tasks or messages" in line for line in warned)


def test_a_message_that_is_released_is_back_in_its_queue(
    run: Run, services: Services, environment: Settings
) -> None:
    services.parking.put(MESSAGE)
    assert "back in queue control" in run("parked", "release", "a1").stdout
    with redis.Redis.from_url(environment.redis_url.get_secret_value()) as client:
        assert client.lrange(f"{environment.broker_prefix}control", 0, -1) == [RAW]
    assert services.parking.count() == 0


def test_a_parked_conclusion_that_is_released_is_deliberated_anew(run: Run, services: Services) -> None:
    services.councils.save(make.council("DEV"))
    deliberation = make.deliberation(opened_at=time.time())
    identity = deliberation.deliberation_id
    services.plans.save([make.plan_request()])
    services.deliberations.record(identity, make.opened(deliberation))
    services.parking.put(task(identity))
    assert run("parked", "release", "b2").exit_code == 1, "it has not ended yet"
    fail_deliberation(identity, "the conclusion was given up", services)
    following = run("parked", "release", "b2").stdout.strip()
    assert services.deliberations.load(following).deliberation.supersedes == identity
    assert services.parking.count() == 0


def test_dropping_names_what_is_not_there(run: Run, services: Services) -> None:
    services.parking.put(MESSAGE)
    for words in (("drop", "zz"), ("show", "zz"), ("release", "zz")):
        refused = run("parked", *words)
        assert refused.exit_code == 2
        assert "nothing is parked as zz" in refused.stderr
    assert run("parked", "drop").exit_code == 2
    assert "1 dropped" in run("parked", "drop", "--all").stdout
    assert services.parking.count() == 0
