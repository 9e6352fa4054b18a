"""How many tasks wait in a queue: those that Celery put there and no worker has taken."""

from __future__ import annotations

from tests.support.factories import council, deliberation, fresh
from tests.support.servers import ValkeyServer
from workers.app import make_app
from workers.composition import Composition
from workers.settings import Settings
from workers.store_ports import StorePorts


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
