"""`conclave up` and `conclave down`: the embedded stack in the foreground, and its end from elsewhere."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from rich.console import Console

from workers.errors import StackError
from workers.processes.command import ProcessCommand
from workers.processes.guard import alive
from workers.processes.process_group import ProcessGroup, unheard
from workers.processes.readiness import wait_until
from workers.processes.supervised_process import Announce
from workers.stack.folder import StackRecord, StateFolder
from workers.stack.layout import Addresses, StackOptions, addresses, servers, services
from workers.stack.output import Output

DescribeProcesses = Callable[[Addresses, StackOptions, Path], Sequence[ProcessCommand]]
"""Describes the processes that run beside the servers."""

TICK = 0.1
"""Seconds between two looks at the stack."""
STOP_WITHIN = 60.0
"""Seconds that `down` waits for a stack to stop before it kills it."""
KILL_WITHIN = 10.0
"""Seconds that `down` waits for a killed stack to be gone."""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextlib.contextmanager
def embedded_stack(
    state: Path,
    options: StackOptions,
    *,
    processes: DescribeProcesses = services,
    announce: Announce = unheard,
) -> Iterator[tuple[ProcessGroup, Addresses]]:
    """Run the embedded stack in a state folder while the block runs; data there survives, processes don't.

    Gives the stack, which is only starting (`wait_ready`), and its addresses. stack.json appears when all parts
    are ready. Raises StackError for a taken port, a missing program, or a folder that can't be used.
    """
    folder = StateFolder(state)
    with folder.claimed():
        where, ports = addresses(options)
        parts = [*servers(folder, ports, options), *processes(where, options, folder.path)]

        def write(pids: Mapping[str, int]) -> None:
            folder.write(_record(where, pids))

        with ProcessGroup(parts, logs=folder.part("logs"), announce=announce, pids_changed=write) as stack:
            yield stack, where


def run_stack(
    state: Path, options: StackOptions, *, processes: DescribeProcesses = services, console: Console | None = None
) -> int:
    """Run the stack in the foreground until SIGTERM, SIGINT or SIGHUP; a second signal kills at once.

    Returns 0 when stopped by a signal; raises StackError when it can't start or a part is given up. Call it from
    the main thread.
    """
    output = Output(console or Console(soft_wrap=True, highlight=False))
    running = embedded_stack(state, options, processes=processes, announce=output.say)
    with _signals() as stop, running as (stack, where):
        stop.second = stack.kill
        output.follow(stack.logs)
        output.say("stack", f"NATS {where.nats_url} · Valkey {where.redis_url} · engine {where.engine_url}")
        while not stop.asked:
            output.show()
            stack.check()
            time.sleep(TICK)
        output.say("stack", "stopping; once more to kill at once")
    output.show()
    output.say("stack", "stopped")
    return 0


def stop_stack(state: Path, *, within: float = STOP_WITHIN) -> bool:
    """Stop the stack that runs in a state folder and wait for its end; False when none runs there.

    A stack that does not end in time is killed, and its guard kills what belongs to it. Raises StackError when the
    folder can't be read or even that does not help.
    """
    folder = StateFolder(state)
    record = folder.record()
    supervisor = folder.holder()
    if supervisor is None:
        folder.forget()
        return False
    pids = {supervisor, *(record.pids.values() if record is not None else ())}
    for number, patience in ((signal.SIGTERM, within), (signal.SIGKILL, KILL_WITHIN)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(supervisor, number)
        if wait_until(lambda: not any(map(alive, pids)), within=patience, every=0.05):
            return True
    raise StackError(f"the stack in {folder.path} (pid {supervisor}) can't be stopped: kill it by hand")


def _record(where: Addresses, pids: Mapping[str, int]) -> StackRecord:
    return StackRecord(
        nats_url=where.nats_url,
        redis_url=where.redis_url,
        engine_url=where.engine_url,
        flower_url=where.flower_url if "flower" in pids else None,
        pids=dict(pids),
    )


class _Stop:
    """What a stop signal sets off."""

    def __init__(self) -> None:
        self.asked = False
        """A plain value: an Event's lock may be held by the very code that a signal interrupts."""
        self.second: Callable[[], None] = lambda: None

    def heard(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            self.second()
        self.asked = True


@contextlib.contextmanager
def _signals() -> Iterator[_Stop]:
    """Turn stop signals into a request while the block runs."""
    stop = _Stop()
    before = {number: signal.signal(number, stop.heard) for number in STOP_SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
