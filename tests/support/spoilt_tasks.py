"""Messages of a task queue as no publisher of ours sends them, the same for the same seed."""

from __future__ import annotations

import base64
import copy
import json
import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any

Payload = dict[str, Any]
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    10**30,
    "",
    "x",
    "\u202e\x00",
    [],
    [1],
    [[]],
    {},
    {"a": 1},
    {"task": "x"},
    [{}] * 3,
)
TASK = "deliberation.sweep"


def task_message(task: str = TASK, *, args: Any = (), kwargs: Any = None, queue: str = "control") -> Payload:
    """Return a message as Celery sends it."""
    embed = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    return {
        "body": base64.b64encode(json.dumps([list(args), kwargs or {}, embed]).encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py",
            "task": task,
            "id": str(uuid.uuid4()),
            "shadow": None,
            "eta": None,
            "expires": None,
            "group": None,
            "group_index": None,
            "retries": 0,
            "timelimit": [None, None],
            "root_id": None,
            "parent_id": None,
            "argsrepr": "()",
            "kwargsrepr": "{}",
            "origin": "test",
            "ignore_result": True,
            "stamped_headers": None,
            "stamps": {},
        },
        "properties": {
            "correlation_id": str(uuid.uuid4()),
            "reply_to": str(uuid.uuid4()),
            "delivery_mode": 2,
            "delivery_info": {"exchange": "conclave", "routing_key": queue},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
        },
    }


def with_body(body: Any) -> Payload:
    """Return a well-formed message that carries this JSON document in place of `[args, kwargs, embed]`."""
    message = task_message()
    message["body"] = base64.b64encode(json.dumps(body).encode()).decode()
    return message


def bodies() -> Iterator[Payload]:
    """Every body of another form, and every odd value in each part of it."""
    yield from (with_body(odd) for odd in ODD)
    for place in range(3):
        for odd in ODD:
            whole: list[Any] = [[], {}, {}]
            whole[place] = odd
            yield with_body(whole)
    for key in ("callbacks", "errbacks", "chain", "chord"):
        yield from (with_body([[], {}, {key: odd}]) for odd in ODD if odd)
    yield from (with_body([[], {}, {}] + [[]] * more) for more in (1, 5))


def headers() -> Iterator[Payload]:
    """Every header missing, and with every odd value."""
    for name in task_message()["headers"]:
        for odd in (*ODD, ...):
            message = task_message()
            if odd is ...:
                del message["headers"][name]
            else:
                message["headers"][name] = odd
            yield message


def wrappings() -> Iterator[Payload]:
    """Every part around headers and body missing, and with every odd value; contents that can't be read."""
    for part in (None, "properties"):
        for name in task_message()[part] if part else task_message():
            for odd in (*ODD, ...):
                message = task_message()
                target = message[part] if part else message
                if odd is ...:
                    del target[name]
                else:
                    target[name] = odd
                yield message
    for name, value in (
        ("content-type", "application/x-python-serialize"),
        ("content-type", "application/x-yaml"),
        ("content-encoding", "utf-99"),
        ("content-encoding", "binary"),
        ("body", "no base64!"),
        ("body", base64.b64encode(b"\xff\xfe{").decode()),
        ("body", base64.b64encode(b"[" * 100_000).decode()),
        ("body", base64.b64encode(b"NaN").decode()),
    ):
        yield task_message() | {name: value}
    for compression in ("application/x-gzip", "zlib", 5):
        message = task_message()
        message["headers"]["compression"] = compression
        yield message


def others(task: str) -> Iterator[Payload]:
    """Tasks with arguments that they do not take, and tasks that do not exist."""
    yield from (task_message(task, args=args) for args in ([1, 2, 3], ["x"] * 9))
    yield task_message(task, kwargs={"surprise": 1})
    yield task_message("no.such.task")
    yield task_message("celery.backend_cleanup", args=[1])


def spoilt_tasks(rng: random.Random, extra: int) -> list[Payload]:
    """Return every kind once, and so many messages that are spoilt in several ways."""
    whole = [
        *bodies(),
        *headers(),
        *wrappings(),
        *others(TASK),
        *others("plan.dispatch"),
        *others("proposal.generate"),
    ]
    return whole + [_spoilt_twice(rng.choice(whole), rng) for _ in range(extra)]


def _spoilt_twice(message: Payload, rng: random.Random) -> Payload:
    spoilt = copy.deepcopy(message)
    change: Callable[[Payload], None] = rng.choice((_odd_header, _odd_part))(rng)
    change(spoilt)
    return spoilt


def _odd_header(rng: random.Random) -> Callable[[Payload], None]:
    def change(message: Payload) -> None:
        if isinstance(message.get("headers"), dict):
            message["headers"][rng.choice(("id", "task", "eta", "expires", "losses", "retries"))] = rng.choice(ODD)

    return change


def _odd_part(rng: random.Random) -> Callable[[Payload], None]:
    def change(message: Payload) -> None:
        message[rng.choice(tuple(task_message()))] = rng.choice(ODD)

    return change
