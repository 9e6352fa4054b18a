"""Celery's settings for work that must not be lost, each with its reason; and what settings can't express.

Takes plain values; reads no environment, opens no connection.
"""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import parse_qs, urlsplit

from celery import Celery
from kombu import transport
from redis.backoff import NoBackoff
from redis.retry import Retry

from workers.broker.remote_control import CONTROLS, RemoteControl
from workers.broker.visibility import Visibility

TRANSPORTS = {
    "redis": "workers.broker.transport:Transport",
    "rediss": "workers.broker.transport:Transport",
    "sentinel": "workers.broker.transport:SentinelTransport",
}
BACKENDS = {
    "redis": "workers.broker.backend:Backend",
    "rediss": "workers.broker.backend:Backend",
    "sentinel": "workers.broker.backend:SentinelBackend",
}

PUBLISH_EVERY_S = 0.5
CONNECT_S, ANSWER_S = 3.0, 5.0
"""Seconds to connect, and to be answered: far above what a living server needs, blocking pops last one second."""
SILENCE_S = 5
"""Between two looks at connections that wait for messages, where no time-out of a socket applies. One that went
silent (a route lost, a firewall that forgot it) is replaced within twice this; kombu's default leaves a worker
without work for up to 51 seconds."""


def celery_conf(
    *,
    broker_url: str,
    result_url: str,
    broker_prefix: str = "",
    results_prefix: str = "",
    visibility_timeout_s: float = 20.0,
    outage_s: float = 60.0,
    sentinel_master: str = "",
) -> dict[str, Any]:
    """Build the settings that the layer in this package needs; pass the application to `install` as well.

    `broker_url`, `result_url`: redis://, rediss:// or sentinel:// (several joined by semicolons), each with its
    database, both of one kind. `broker_prefix`, `results_prefix`: in front of every key and channel there, so
    that one database can hold both, and other things too; the same in every process. `visibility_timeout_s`: how
    soon a killed worker's task is run again; the same in every process on that broker, since the shortest one
    rules. Below 8 s, a chord whose worker dies while it publishes the callback is left to the sweep. `outage_s`:
    for how long, up to three times as long, publishing a task and counting a header wait for a server that is
    away; then publishing raises kombu's OperationalError, and the header task comes back to be counted.
    `sentinel_master`: the master's name, with sentinel:// only.

    TLS is verified unless the URL's query says otherwise (`?ssl_cert_reqs=…&ssl_ca_certs=…`).
    Raises ValueError for a scheme that is not among these, or without the master's name.
    """
    scheme = _scheme(broker_url, sentinel_master)
    return {
        **_broker(
            broker_url,
            prefix=broker_prefix,
            visibility_timeout_s=visibility_timeout_s,
            sentinel_master=sentinel_master,
        ),
        **_results(
            f"{BACKENDS[scheme]}+{result_url}",
            prefix=results_prefix,
            outage_s=outage_s,
            sentinel_master=sentinel_master,
        ),
        **_tls(broker_url),
        **_tasks(outage_s=outage_s),
        **_workers(),
    }


def install(app: Celery, *, remote_control: RemoteControl = "inspect") -> None:
    """Make an application's connections and workers survive their broker; call it before the first connection.

    `remote_control`: what its workers do for those who may send commands.

    Replaces kombu's Redis transports in this process: under their own names, because connections are switched,
    encrypted and shown (in Flower too) by the scheme of their URL. A second call changes nothing.
    """
    for scheme, path in TRANSPORTS.items():
        transport.TRANSPORT_ALIASES[scheme] = path
        transport._transport_cache.pop(scheme, None)  # type: ignore[attr-defined]  # not in the stubs
    app.steps["consumer"].add(Visibility)
    app.control_cls = CONTROLS[remote_control]  # type: ignore[assignment]  # the stubs only know a name


def _broker(url: str, *, prefix: str, visibility_timeout_s: float, sentinel_master: str) -> dict[str, Any]:
    options = {
        "global_keyprefix": prefix,
        # A killed worker's task is run again this long after its last heartbeat.
        "visibility_timeout": visibility_timeout_s,
        # Look for such tasks every second; kombu's default is every 100: https://github.com/celery/kombu/pull/2558
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
        # After an outage, let living workers reconnect and refresh theirs before anything is given to others.
        "unacked_restore_grace": visibility_timeout_s / 2,
        # A worker killed in mid-sweep keeps the others from sweeping for this long; kombu's default is 5 minutes.
        "unacked_mutex_expire": 10,
        # A server that vanished without closing its connections is noticed.
        **_patience(),
        # A publisher that finds its connection lost tries a new one at once, not after two seconds; how often it
        # does so is counted by task_publish_retry_policy.
        "interval_start": 0.1,
        "interval_step": 0.1,
        "interval_max": PUBLISH_EVERY_S,
        "connect_retries_timeout": PUBLISH_EVERY_S,
        # Retries inside redis-py would forbid batches of messages.
        "retry_on_timeout": None,
        **_sentinel(sentinel_master),
    }
    return {
        "broker_url": url,
        "broker_transport_options": options,
        # A worker started before its broker waits for it.
        "broker_connection_retry_on_startup": True,
        # However long an outage lasts, the worker is there when it ends; by default it gives up after 100 tries.
        "broker_connection_max_retries": None,
        # A refused command (out of memory, read-only replica) is an outage too; by default it ends the worker.
        "broker_channel_error_retry": True,
        # A connection per publish costs half as much again; ten serve the threads of a worker.
        "broker_pool_limit": 10,
        # A thread that finds all of them taken waits for a time, not for ever.
        "broker_pool_acquire_timeout": 30.0,
        "broker_connection_timeout": CONNECT_S,
    }


def _results(url: str, *, prefix: str, outage_s: float, sentinel_master: str) -> dict[str, Any]:
    options = {
        "global_keyprefix": prefix,
        # Our backend retries every command for so long.
        "outage_s": outage_s,
        # Celery's own retries around that would multiply the time.
        "retry_policy": {"max_retries": 0},
        **_sentinel(sentinel_master),
    }
    return {
        "result_backend": url,
        "result_backend_transport_options": options,
        # What Celery stores itself (a failure that is not ignored) is tried again as well, but not without end.
        "result_backend_always_retry": True,
        "result_backend_max_retries": 3,
        # As for the broker: notice a server that vanished.
        "redis_socket_timeout": ANSWER_S,
        "redis_socket_connect_timeout": CONNECT_S,
        "redis_socket_keepalive": True,
        "redis_backend_health_check_interval": 25,
    }


def _sentinel(master: str) -> dict[str, Any]:
    if not master:
        return {}
    # A Sentinel that doesn't answer is passed over at once; redis-py would try it four times, for seconds.
    return {"master_name": master, "sentinel_kwargs": {**_patience(), "retry": Retry(NoBackoff(), 0)}}


def _patience() -> dict[str, Any]:
    return {
        "socket_timeout": ANSWER_S,
        "socket_connect_timeout": CONNECT_S,
        "socket_keepalive": True,
        "health_check_interval": SILENCE_S,
    }


def _tasks(*, outage_s: float) -> dict[str, Any]:
    return {
        # A task is done when it has run, not when it was taken.
        "task_acks_late": True,
        # Outcomes are in the store; a chord's counter gets its values directly, and a fifth of the work is saved.
        "task_ignore_result": True,
        # Flower shows what runs.
        "task_track_started": True,
        # A chord whose callback can't be published has failed for good: try for as long as an outage may last.
        "task_publish_retry": True,
        "task_publish_retry_policy": {
            "max_retries": round(outage_s / PUBLISH_EVERY_S),
            "interval_start": 0,
            "interval_step": 0.2,
            "interval_max": PUBLISH_EVERY_S,
        },
        # With a term, kombu notes in the broker who listens, and a login that only listens may not write.
        "control_queue_expires": None,
        "event_queue_expires": None,
        # Pickle would run whatever can reach the broker.
        "accept_content": ["json"],
        "result_accept_content": ["json"],
        "task_serializer": "json",
        "result_serializer": "json",
        "event_serializer": "json",
    }


def _workers() -> dict[str, Any]:
    return {
        "worker_consumer": "workers.broker.worker_consumer:WorkerConsumer",
        # One task per thread and none in reserve: a killed worker's reserve waits for the visibility timeout.
        "worker_prefetch_multiplier": 1,
        # Count what is held, not what was received since connecting: https://github.com/celery/celery/pull/9863
        "worker_disable_prefetch": True,
        # So there is nothing to be reduced after a reconnection.
        "worker_enable_prefetch_count_reduction": False,
        # Running tasks go on while the broker is away, and are acknowledged when it is back.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # It would hang a chord whose header dies between storing its result and counting it.
        "worker_deduplicate_successful_tasks": False,
        # With prefork, a killed child fails its task at once; requeued, it would travel without being counted.
        "task_reject_on_worker_lost": False,
    }


def _tls(broker_url: str) -> dict[str, Any]:
    first = urlsplit(broker_url.split(";")[0])
    if first.scheme != "rediss" or "ssl_cert_reqs" in parse_qs(first.query):
        return {}
    # Without a word about it in the URL, kombu verifies nothing and Celery's backend refuses to start.
    return {
        "broker_use_ssl": {"ssl_cert_reqs": ssl.CERT_REQUIRED},
        "redis_backend_use_ssl": {"ssl_cert_reqs": ssl.CERT_REQUIRED},
    }


def _scheme(url: str, sentinel_master: str) -> str:
    scheme = urlsplit(url.split(";")[0]).scheme
    if scheme not in TRANSPORTS:
        raise ValueError(f"a broker is at {'://, '.join(sorted(TRANSPORTS))}://, not at {scheme or 'nothing'}://")
    if scheme == "sentinel" and not sentinel_master:
        raise ValueError("a sentinel:// broker needs the name of its master")
    return scheme
