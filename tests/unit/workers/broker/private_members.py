"""The private and undocumented members of Celery, kombu, redbeat, Flower and redis-py that our files rely on."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from kombu.utils.imports import symbol_by_name

from workers.broker import upstream_members as listing

ROOT = Path(__file__).parents[4]
LISTED = ROOT / "workers/broker/upstream_members.py"
FILES = [
    path
    for pattern in ("workers/broker/*.py", "workers/outage_retry.py", "workers/beat.py", "workers/flower/*.py")
    for path in sorted(ROOT.glob(pattern))
    if path != LISTED
]

# Owner, its member, and the parameters we rely on (`name=` has a default); None for what is no function.
USED: list[tuple[str, str, str | None]] = [
    ("kombu.transport", "TRANSPORT_ALIASES", None),
    ("kombu.transport", "_transport_cache", None),
    ("kombu:Connection", "_transport", None),
    ("kombu.asynchronous:Hub", "_pop_ready", "(self)"),
    ("kombu.transport.virtual:Transport", "_deliver", "(self, message, queue)"),
    ("kombu.transport.virtual:Transport", "channels", None),
    ("kombu.transport.virtual:Transport", "close_channel", "(self, channel)"),
    ("kombu.transport.virtual:Channel", "do_restore", None),
    ("kombu.transport.virtual:QoS", "append", "(self, message, delivery_tag)"),
    ("kombu.transport.redis", "Mutex", "(client, name, expire)"),
    ("kombu.transport.redis", "MutexHeld", None),
    ("kombu.transport.redis:PublishBatch", "add", "(self, name, *args)"),
    ("kombu.transport.redis:PublishBatch", "pipeline", None),
    ("kombu.transport.redis:QoS", "append", "(self, message, delivery_tag)"),
    ("kombu.transport.redis:QoS", "ack", "(self, delivery_tag)"),
    ("kombu.transport.redis:QoS", "restore_visible", "(self, start=, num=, interval=)"),
    ("kombu.transport.redis:QoS", "unacked_key", None),
    ("kombu.transport.redis:QoS", "unacked_index_key", None),
    ("kombu.transport.redis:QoS", "unacked_mutex_key", None),
    ("kombu.transport.redis:QoS", "unacked_mutex_expire", None),
    ("kombu.transport.redis:QoS", "visibility_timeout", None),
    ("kombu.transport.redis:Channel", "basic_consume", "(self, queue, *args, **kwargs)"),
    ("kombu.transport.redis:Channel", "_put", "(self, queue, message, **kwargs)"),
    ("kombu.transport.redis:Channel", "close", "(self)"),
    ("kombu.transport.redis:Channel", "conn_or_acquire", "(self, client=)"),
    ("kombu.transport.redis:Channel", "active_queues", None),
    ("kombu.transport.redis:Channel", "auto_delete_queues", None),
    ("kombu.transport.redis:Channel", "priority_steps", None),
    ("kombu.transport.redis:Channel", "brpop_timeout", None),
    ("kombu.transport.redis:Channel", "client", None),
    ("kombu.transport.redis:Channel", "pool", None),
    ("kombu.transport.redis:Channel", "qos", None),
    ("kombu.transport.virtual.base:Message", "__init__", "(self, payload, channel=, **kwargs)"),
    (
        "celery.backends.redis:RedisBackend",
        "on_chord_part_return",
        "(self, request, state, result, propagate=, **kwargs)",
    ),
    ("celery.backends.base:Backend", "thread_safe", None),
    ("celery.backends.base:Backend", "restore_group", "(self, group_id, cache=)"),
    ("celery.backends.redis:RedisBackend", "on_task_call", "(self, producer, task_id)"),
    ("celery.backends.redis:RedisBackend", "add_pending_result", "(self, result, weak=, start_drainer=)"),
    ("celery.backends.redis:RedisBackend", "remove_pending_result", "(self, result)"),
    ("celery.backends.redis:RedisBackend", "wait_for_pending", "(self, result, callback=, propagate=, **kwargs)"),
    ("celery.worker.consumer:Consumer", "ensure_connected", "(self, conn)"),
    ("celery.worker.consumer:Consumer", "on_connection_error_after_connected", "(self, exc)"),
    ("celery.worker.consumer:Consumer", "create_task_handler", "(self, promise=)"),
    ("celery.worker.consumer:Consumer", "on_decode_error", "(self, message, exc)"),
    ("celery.worker.consumer:Consumer", "on_invalid_task", "(self, body, message, exc)"),
    ("celery.worker.consumer:Consumer", "stop", "(self)"),
    ("celery.worker.consumer:Consumer", "blueprint", None),
    ("celery.worker.consumer:Consumer", "connection", None),
    ("celery.worker.consumer:Consumer", "pool", None),
    ("celery.worker.consumer:Consumer", "app", None),
    ("celery.app.amqp:AMQP", "_event_dispatcher", None),
    ("celery.events.dispatcher:EventDispatcher", "buffer_limit", None),
    (
        "celery.events.dispatcher:EventDispatcher",
        "publish",
        "(self, type, fields, producer, blind=, Event=, **kwargs)",
    ),
    ("celery.worker.consumer.tasks", "Tasks", "(c, **kwargs)"),
    ("celery.app.control:Control", "Mailbox", None),
    ("celery.worker.control:Panel", "data", None),
    ("kombu.pidbox:Mailbox", "node_cls", None),
    ("kombu.pidbox:Mailbox", "oid", None),
    ("kombu.pidbox:Mailbox", "get_reply_queue", "(self)"),
    ("kombu.pidbox:Node", "reply", "(self, data, exchange, routing_key, ticket, **kwargs)"),
    ("kombu.pidbox:Node", "handle_message", "(self, body, message=)"),
    ("kombu.pidbox:Node", "handle", "(self, method, arguments=)"),
    ("kombu.transport.redis:Channel", "typeof", "(self, exchange, default=)"),
    ("celery.bootsteps", "RUN", None),
    ("celery.bootsteps:Blueprint", "state", None),
    ("celery.worker.state", "reserved_requests", None),
    ("celery.worker.state", "active_requests", None),
    ("celery.worker.state", "scheduled_requests", None),
    (
        "celery.worker.state",
        "task_ready",
        "(request, successful=, remove_request=, discard_active_request=, discard_reserved_request=, "
        "discard_scheduled_request=)",
    ),
    ("celery.worker.request:Request", "id", None),
    ("celery.worker.request:Request", "name", None),
    ("celery.worker.request:Request", "message", None),
    ("celery.worker.request:Request", "acknowledged", None),
    ("redis.retry:Retry", "call_with_retry", "(self, do, fail, is_retryable=, with_failure_count=)"),
    ("redis.retry:AbstractRetry", "_supported_errors", None),
    ("redis.retry:AbstractRetry", "_backoff", None),
    ("redis.lock:Lock", "local", None),
    ("celery.beat:Scheduler", "apply_entry", "(self, entry, producer=)"),
    ("celery.beat:ScheduleEntry", "_next_instance", "(self, last_run_at=)"),
    ("redbeat.schedulers", "get_redis", "(app=)"),
    ("redbeat.schedulers:RedBeatScheduler", "setup_schedule", "(self)"),
    ("redbeat.schedulers:RedBeatScheduler", "tick", "(self, min=, **kwargs)"),
    ("redbeat.schedulers:RedBeatScheduler", "maybe_due", "(self, entry, **kwargs)"),
    ("redbeat.schedulers:RedBeatScheduler", "reserve", "(self, entry)"),
    ("redbeat.schedulers:RedBeatScheduler", "close", "(self)"),
    ("redbeat.schedulers:RedBeatScheduler", "lock_key", None),
    ("redbeat.schedulers:RedBeatScheduler", "lock_timeout", None),
    ("redbeat.schedulers:RedBeatScheduler", "max_interval", None),
    ("redbeat.schedulers:RedBeatSchedulerEntry", "key", None),
    ("redbeat.schedulers:RedBeatSchedulerEntry", "score", None),
    ("redbeat.schedulers:RedBeatSchedulerEntry", "is_due", "(self)"),
    ("redbeat.schedulers:RedBeatConfig", "lock_key", None),
    ("redbeat.schedulers:RedBeatConfig", "schedule_key", None),
    ("flower.app", "Events", None),
    ("flower.events:Events", "run", "(self)"),
    ("flower.events:Events", "on_event", "(self, event)"),
    ("flower.events:Events", "capp", None),
    ("flower.utils.broker", "RedisSentinel", "(broker_url, *args, **kwargs)"),
    ("flower.utils.broker:RedisSentinel", "_get_redis_client", "(self, broker_options, broker_use_ssl)"),
    ("flower.utils.broker:RedisSentinel", "vhost", None),
    ("celery.events:EventReceiver", "capture", "(self, limit=, timeout=, wakeup=)"),
]
LISTINGS = {
    listing.QoSMembers: "kombu.transport.redis:QoS",
    listing.ChannelMembers: "kombu.transport.redis:Channel",
    listing.BackendMembers: "celery.backends.redis:RedisBackend",
    listing.ConsumerMembers: "celery.worker.consumer:Consumer",
}


@dataclass(frozen=True)
class Member:
    """A member of an upstream class or module, with the parameters that we rely on."""

    owner: str
    name: str
    parameters: str | None

    def __str__(self) -> str:
        return f"{self.owner.replace(':', '.')}.{self.name}"

    @cached_property
    def users(self) -> list[str]:
        """Our files that name it."""
        word = re.compile(rf"\b{re.escape(self.name)}\b")
        return [str(path.relative_to(ROOT)) for path in FILES if word.search(path.read_text())]

    def is_there(self) -> bool:
        """Whether its owner has it, declares it, or sets it on `self` somewhere in its source."""
        owner = self._owner()
        if hasattr(owner, self.name) or not inspect.isclass(owner):
            return hasattr(owner, self.name)
        assignment = re.compile(rf"self\.{self.name}\b[^=()\n]*=[^=]")
        classes = [kind for kind in owner.__mro__ if kind is not object]
        declared = any(self.name in vars(kind).get("__annotations__", ()) for kind in classes)
        return declared or any(assignment.search(inspect.getsource(kind)) for kind in classes)

    def upstream_parameters(self) -> str:
        """Return what the installed release takes."""
        return parameters(getattr(self._owner(), self.name))

    def _owner(self) -> Any:
        try:
            return symbol_by_name(self.owner) if ":" in self.owner else import_module(self.owner)
        except (ImportError, AttributeError):
            return None


def parameters(function: Any) -> str:
    """Write down the parameters of a function: `name=` has a default, whatever it is."""
    shown = []
    for parameter in inspect.signature(function).parameters.values():
        stars = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(parameter.kind.name, "")
        default = "" if parameter.default is parameter.empty else "="
        shown.append(f"{stars}{parameter.name}{default}")
    return f"({', '.join(shown)})"


def members() -> Iterator[Member]:
    """Yield all of them: those in workers/broker/upstream_members.py, then the table above."""
    for kind, owner in LISTINGS.items():
        for name in [*kind.__annotations__, *(name for name in vars(kind) if not name.startswith("__"))]:
            member = vars(kind).get(name)
            yield Member(owner, name, parameters(member) if inspect.isfunction(member) else None)
    for owner, name, signature in USED:
        yield Member(owner, name, signature)
