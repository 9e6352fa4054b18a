"""What a deliberation's chord and a batch of plans take to be queued, and what a failed batch leaves."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import ConnectionError as Unreachable

from domain.services import Services
from tests.support.factories import council, deliberation, fresh, plan_request
from tests.support.servers import ValkeyServer
from workers.app import make_app
from workers.composition import Composition
from workers.settings import Settings


@pytest.fixture
def settings(valkey_server: ValkeyServer) -> Settings:
    prefix = f"{fresh('dispatch')}:"
    return Settings.model_validate({"redis_url": valkey_server.url, "key_prefix": prefix, "model": fresh("m")})


@pytest.fixture
def services(settings: Settings) -> Services:
    return Composition(settings).services(make_app(settings))


@pytest.fixture
def broker(settings: Settings) -> Redis:
    return Redis.from_url(settings.redis_url.get_secret_value(), decode_responses=True)


def test_a_chord_is_queued_by_one_push_whose_tasks_carry_its_callback(
    settings: Settings, services: Services, broker: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushes = _watch_pushes(monkeypatch)
    begun = deliberation(agents=_agents(settings))
    names = [agent.agent_id for agent in begun.agents]
    services.dispatcher.deliberation(begun, names)
    queue = f"{settings.broker_prefix}llm.{settings.model}"
    assert pushes == [1]
    assert broker.llen(f"{queue}.bell") == len(names), "each wakes a worker"
    messages = [json.loads(raw) for raw in broker.lrange(queue, 0, -1)][::-1]
    assert [message["headers"]["argsrepr"].split(",")[0].strip("(") for message in messages] == names
    (chord,) = {message["headers"]["group"] for message in messages}
    assert [message["headers"]["group_index"] for message in messages] == list(range(len(names)))
    assert broker.get(f"{settings.results_prefix}celery-taskset-meta-{chord}.s") == str(len(names))


def test_where_a_batch_is_lost_its_messages_are_queued_one_by_one(
    settings: Settings, services: Services, broker: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushes = _watch_pushes(monkeypatch, lost=1)
    requests = [plan_request() for _ in range(3)]
    services.dispatcher.plans(requests)
    assert pushes == [1, 1, 1, 1], "one that was lost, then each request's"
    queued = [json.loads(raw)["headers"]["id"] for raw in broker.lrange(f"{settings.broker_prefix}control", 0, -1)]
    assert Counter(queued) == Counter(f"{request.request_id}.dispatch" for request in requests)


def test_a_chord_for_several_models_is_queued_where_the_broker_is_lost_between_their_queues(
    services: Services, settings: Settings, broker: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    _lose_second_declaration(monkeypatch)
    models = [fresh("m") for _ in council("DEV").agents]
    agents = (
        agent.model_copy(update={"model": model})
        for agent, model in zip(council("DEV").agents, models, strict=True)
    )
    begun = deliberation(agents=tuple(agents))
    services.dispatcher.deliberation(begun, [agent.agent_id for agent in begun.agents])
    assert [broker.llen(f"{settings.broker_prefix}llm.{model}") for model in models] == [1] * len(models)


def _lose_second_declaration(monkeypatch: pytest.MonkeyPatch) -> None:
    declared: list[Pipeline] = []
    execute = Pipeline.execute

    def lossy(self: Pipeline, raise_on_error: bool = True) -> list[object]:
        if any(command[0][0] == "SADD" for command in self.command_stack):
            declared.append(self)
            if len(declared) == 2:
                raise Unreachable("the connection was lost")
        return execute(self, raise_on_error)

    monkeypatch.setattr(Pipeline, "execute", lossy)


def _agents(settings: Settings) -> tuple[object, ...]:
    return tuple(agent.model_copy(update={"model": settings.model}) for agent in council("DEV").agents)


def _watch_pushes(monkeypatch: pytest.MonkeyPatch, lost: int = 0) -> list[int]:
    """Note, for each pipeline that queues messages, how many commands push them; the first `lost` are lost."""
    pushes: list[int] = []
    execute = Pipeline.execute

    def watched(self: Pipeline, raise_on_error: bool = True) -> list[object]:
        keys = [str(command[0][1]) for command in self.command_stack if command[0][0] == "LPUSH"]
        if keys:
            pushes.append(sum(not key.endswith(".bell") for key in keys))
            if len(pushes) <= lost:
                raise Unreachable("the connection was lost")
        return execute(self, raise_on_error)

    monkeypatch.setattr(Pipeline, "execute", watched)
    return pushes
