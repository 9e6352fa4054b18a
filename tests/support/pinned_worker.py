"""A Celery worker pinned to an engine and nothing else: one task that asks the engine, for tests of the pinning.

Run as a process: `python -m tests.support.pinned_worker REDIS_URL SPEC_JSON PREFIX`. What its task found is kept
in the list `PREFIX + "answers"`.
"""

from __future__ import annotations

import sys
from typing import Any

from celery import Celery
from kombu import Queue
from redis import Redis

from domain.chat import ChatFailure, ChatRequest, Message
from workers.adapters.clock import SystemClock
from workers.adapters.openai.chat_model import OpenAIChatModel
from workers.adapters.openai.ready_check import OpenAIReadyCheck
from workers.adapters.redis.engine_directory import RedisEngineDirectory
from workers.engines.bootstep import install
from workers.engines.pinned import PinnedEngine
from workers.engines.spec import EngineSpec
from workers.portal import Portal

TASK = "probe.ask"


def queue_of(spec: EngineSpec, prefix: str) -> str:
    """Fresh per test, as the prefix is."""
    return f"{prefix}llm.{spec.model}"


def make_app(redis_url: str) -> Celery:
    """An app that can send the task, and a worker's beginning."""
    app = Celery("pinned", broker=f"{redis_url}/0")
    app.conf.update(
        task_ignore_result=True,
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"visibility_timeout": 5, "unacked_restore_interval": 1},
        worker_cancel_long_running_tasks_on_connection_loss=False,
    )
    return app


def ready_check_of(spec: EngineSpec) -> OpenAIReadyCheck:
    """The ready check of a worker with that engine."""
    return OpenAIReadyCheck(api_key=spec.key.get_secret_value(), switch_chosen=False)


def serve(redis_url: str, spec: EngineSpec, prefix: str) -> None:
    """Run the worker until it is told to leave; exits as Celery does."""
    app, store = make_app(redis_url), Redis.from_url(redis_url)
    queue = queue_of(spec, prefix)
    app.conf.task_queues = [Queue(f"{prefix}other"), Queue(queue)]
    directory = RedisEngineDirectory(store, prefix=prefix)
    pinned = PinnedEngine(spec, lambda: directory, ready_check=ready_check_of(spec), clock=SystemClock())
    install(app, pinned, queue=queue)
    model = OpenAIChatModel(directory, Portal(), own=pinned.record, observe=pinned.observe)

    def ask(task: Any, key: str) -> None:
        message = Message(role="user", content=f"what about {key}?")
        request = ChatRequest(key=key, model=spec.model, messages=(message,), max_tokens=16, timeout_s=30)
        (outcome,) = model.ask([request])
        if isinstance(outcome, ChatFailure) and outcome.reason.passing:
            raise task.retry(countdown=0.2, max_retries=None)
        store.rpush(f"{prefix}answers", outcome.model_dump_json())

    app.task(name=TASK, bind=True)(ask)
    worker = app.Worker(
        pool="threads",
        concurrency=4,
        loglevel="INFO",
        hostname=f"{prefix.strip(':')}@test",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    sys.exit(worker.exitcode)


if __name__ == "__main__":
    serve(sys.argv[1], EngineSpec.model_validate_json(sys.argv[2]), sys.argv[3])
