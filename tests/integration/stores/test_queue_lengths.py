"""How many tasks wait in a queue: those that Celery put there and no worker has taken."""

from __future__ import annotations

import time

import pytest

from domain.system import QueueLoad
from tests.support.factories import council, deliberation, fresh
from tests.support.servers import ValkeyServer
from workers.adapters.redis.queue_lengths import MOST_READ
from workers.adapters.redis.queue_loads import RedisQueueLoads
from workers.app import make_app
from workers.composition import Composition
from workers.settings import Settings
from workers.store_ports import StorePorts

HOUR_S = 3600.0
"""A task's moment is the store's, told by a host that has asked for it: by its own clock it may lie ahead."""


def test_what_was_queued_waits_whether_or_not_a_worker_serves_the_model(valkey_server: ValkeyServer) -> None:
    model = fresh("Org/model")
    settings = Settings.model_validate(
        {"redis_url": valkey_server.url, "key_prefix": f"{fresh('queues')}:", "model": model}
    )
    waiting = StorePorts(settings).queue_lengths.waiting
    queues = ["control", f"llm.{model}", "llm.never-named"]
    assert waiting(queues) == [0, 0, 0]
    agents = tuple(agent.model_copy(update={"model": model}) for agent in council("DEV").agents)
    opened = deliberation(agents=agents)
    dispatcher = Composition(settings).services(make_app(settings)).dispatcher
    dispatcher.deliberation(opened, [agent.agent_id for agent in agents])
    assert waiting(queues) == [0, len(agents), 0]
    dispatcher.deliberation(opened, [])
    assert waiting(queues) == [1, len(agents), 0]


def test_a_task_that_was_queued_again_counts_once_and_what_is_no_task_by_itself(
    valkey_server: ValkeyServer,
) -> None:
    prefix = f"{fresh('queues')}:"
    settings = Settings.model_validate({"redis_url": valkey_server.url, "key_prefix": prefix})
    ports, opened = StorePorts(settings), deliberation()
    dispatcher = Composition(settings).services(make_app(settings)).dispatcher
    names = [agent.agent_id for agent in opened.agents]
    queue = f"llm.{opened.agents[0].model}"
    for unanswered in (names, names, names[:2]):
        dispatcher.deliberation(opened, unanswered)
    key = f"{settings.broker_prefix}{queue}"
    assert ports.store.llen(key) == 2 * len(names) + 2
    assert ports.queue_lengths.waiting([queue]) == [len(names)]
    ports.store.lpush(key, "no message", "{}", '{"headers": {}}', "[" * 100_000)
    assert ports.queue_lengths.waiting([queue]) == [len(names) + 4]
    ports.store.lpush(key, *["{}"] * MOST_READ)
    assert ports.queue_lengths.waiting([queue]) == [ports.store.llen(key)]


def test_the_oldest_task_says_since_when_it_waits(valkey_server: ValkeyServer) -> None:
    prefix = f"{fresh('queues')}:"
    settings = Settings.model_validate({"redis_url": valkey_server.url, "key_prefix": prefix})
    loads = RedisQueueLoads(StorePorts(settings).store, prefix=settings.broker_prefix)
    assert loads.of(["control"]) == (QueueLoad(queue="control", waiting=0, oldest_at=None),)
    app = make_app(settings)
    told = []
    for waiting in (1, 2):
        app.send_task("parked.drop", kwargs={"parked_id": "x"}, queue="control")
        (load,) = loads.of(["control"])
        assert load.waiting == waiting
        told.append(load.oldest_at)
    first, with_a_second = told
    assert first == with_a_second
    assert first == pytest.approx(time.time(), abs=HOUR_S)
    StorePorts(settings).store.rpush(f"{settings.broker_prefix}control", "no message")
    assert loads.of(["control"]) == (QueueLoad(queue="control", waiting=3, oldest_at=None),)
