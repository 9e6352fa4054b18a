"""One loop per process, whatever forks."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import weakref
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from workers.portal import Portal


async def loop_thread() -> int:
    return threading.get_ident()


def test_every_thread_of_a_process_runs_on_the_same_loop() -> None:
    portal, seen = Portal(), set[int]()
    threads = [threading.Thread(target=lambda: seen.add(portal.call(loop_thread))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(seen) == 1
    assert threading.get_ident() not in seen
    portal.close()


def test_what_a_coroutine_raises_reaches_the_caller() -> None:
    async def fail() -> None:
        raise LookupError("nothing there")

    portal = Portal()
    with pytest.raises(LookupError, match="nothing there"):
        portal.call(fail)
    portal.close()


def test_a_child_process_gets_a_loop_of_its_own(tmp_path: Path) -> None:
    portal = Portal()
    portal.call(asyncio.sleep, 0)
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        try:
            portal.call(asyncio.sleep, 0)
            (tmp_path / "answer").write_text("the child's loop answered")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert (tmp_path / "answer").read_text() == "the child's loop answered"
    assert portal.call(loop_thread)
    portal.close()


def test_cancelling_the_future_cancels_what_runs() -> None:
    started, ended = threading.Event(), threading.Event()

    async def forever() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    portal = Portal()
    future = portal.start(forever)
    assert started.wait(5)
    future.cancel()
    with pytest.raises(CancelledError):
        future.result(5)
    assert ended.wait(5)
    portal.close()


def test_what_runs_when_it_is_closed_is_cancelled() -> None:
    portal = Portal()
    future = portal.start(asyncio.sleep, 3600)
    portal.close()
    with pytest.raises(CancelledError):
        future.result(5)


def test_what_no_caller_holds_still_ends() -> None:
    ended = threading.Event()

    async def wait_for_one_that_only_it_holds() -> None:
        lone = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.01, gc.collect)
        kept.append(weakref.ref(lone))
        try:
            await lone
        finally:
            ended.set()

    portal, kept = Portal(), list[weakref.ref[asyncio.Future[None]]]()
    portal.start(wait_for_one_that_only_it_holds)
    portal.call(asyncio.sleep, 0.05)
    alive = kept[0]()
    assert alive is not None, "what runs was collected with the future that the caller dropped"
    del alive
    portal.close()
    assert ended.wait(5)


def test_a_closed_portal_starts_anew_when_it_is_used_again() -> None:
    portal = Portal()
    portal.call(loop_thread)
    portal.close()
    portal.close()
    assert portal.call(loop_thread)
    portal.close()


def test_what_lives_on_a_loop_is_closed_there_before_it_ends() -> None:
    closed: list[int] = []

    async def fail() -> None:
        raise OSError("was gone already")

    async def close() -> None:
        closed.append(threading.get_ident())

    portal = Portal()
    portal.before_close(fail)
    portal.before_close(close)
    thread = portal.call(loop_thread)
    portal.close()
    assert closed == [thread]


LEAVES_IT_OPEN = """
import asyncio, os, sys
from workers.portal import Portal

kept = Portal()
kept.call(asyncio.sleep, 0)
kept.start(asyncio.sleep, 3600)
if os.fork():
    assert os.wait()[1] == 0
    print("left")
"""


def test_a_process_that_never_closes_it_and_its_fork_still_leave() -> None:
    script = [sys.executable, "-c", LEAVES_IT_OPEN]
    left = subprocess.run(script, capture_output=True, text=True, timeout=30, check=False)
    assert (left.stdout, left.stderr, left.returncode) == ("left\n", "", 0)
