"""The process that checks run in: reads proposals from its standard input, a socket, and answers there.

It ends when the other end closes. A check that takes too much ends it: the kernel keeps the bounds, since a parser
in C holds the interpreter.
"""

from __future__ import annotations

import math
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import EntryPoint
from typing import Any

import psutil

from domain.checks.check import Check, CheckResult, PlanFacts
from domain.checks.runner import outcome
from workers.checks.frames import Frames
from workers.checks.registry import GROUP, create
from workers.errors import Unavailable

MIB = 1024 * 1024
FIELDS = set(CheckResult.model_fields)
"""Of a result; a check of others may return more."""
GRACE_S = 2.0
"""A worker kills a helper that is late; this much later the helper ends by itself, its worker being gone."""
CPU_S = 60
"""Processor time after which a helper is replaced. The kernel's limit is higher; what checks start inherits it."""


def serve() -> int:
    """Load the checks that the first frame names, then answer each proposal with a frame per check."""
    frames = Frames(socket.socket(fileno=os.dup(0)))
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    with suppress(EOFError, OSError):
        order = frames.receive()
        sys.path[:] = order["path"]
        os.nice(order["nice"])
        try:
            checks = [create(EntryPoint(name, value, GROUP)) for name, value in order["checks"]]
        except Unavailable as error:
            frames.send({"unusable": str(error)})
            return 1
        memory, time_s = order["memory_mb"] * MIB, order["time_s"]
        at_rest = _limit(memory, len(checks) * (time_s + GRACE_S))
        frames.send({"unusable": ""})
        while True:
            request = frames.receive()
            for last, result in _results(checks[request["first"] :], request, time_s):
                spent = not last or _size() > at_rest + memory / 2 or sum(os.times()[:4]) > CPU_S
                frames.send({"result": result.model_dump(mode="json", include=FIELDS), "spent": spent})
    return 0


def _results(checks: list[Check], request: Any, time_s: float) -> Iterator[tuple[bool, CheckResult]]:
    """Yield each check's result, and whether it is the last."""
    facts = PlanFacts.model_validate(request["facts"])
    for left, check in zip(range(len(checks), 0, -1), checks, strict=True):
        signal.setitimer(signal.ITIMER_REAL, time_s + GRACE_S)
        signal.setitimer(signal.ITIMER_PROF, request["cpu_s"])
        result = outcome(check, request["text"], facts)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        yield left == 1, result


def _limit(memory: int, proposal_s: float) -> int:
    """Bound this process and what it starts; returns the bytes of address space that it has at rest.

    `proposal_s` is the time that one proposal may take, on every core if a check has threads.
    """
    at_rest = _size()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    cpu_s = CPU_S + math.ceil(proposal_s) * (os.cpu_count() or 1)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    if sys.platform == "linux":  # elsewhere the address space can't be bounded
        resource.setrlimit(resource.RLIMIT_AS, (at_rest + memory, at_rest + memory))
    return at_rest


def _size() -> int:
    return int(psutil.Process().memory_info().vms)
