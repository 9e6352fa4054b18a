"""`conclave up` and `conclave down`: the embedded stack in the foreground, and its end from elsewhere."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from workers.errors import StackError
from workers.printer import Printer
from workers.processes.command import ProcessCommand
from workers.processes.process_group import ProcessGroup, silent
from workers.processes.readiness import wait_until
from workers.processes.sessions import all_gone
from workers.processes.stop_signals import StopSignals
from workers.processes.supervised_process import Report
from workers.stack.folder import StackRecord, StateFolder
from workers.stack.greeting import Greeting
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


@contextlib.contextmanager
def embedded_stack(
    state: Path,
    options: StackOptions,
    *,
    processes: DescribeProcesses = services,
    report: Report = silent,
    prepare: Callable[[Addresses], None] = lambda where: None,
) -> Iterator[tuple[ProcessGroup, Addresses]]:
    """Run the embedded stack in a state folder while the block runs; data there survives, processes don't.

    Yields its processes, which are only starting (`wait_ready`), and its addresses. When all of them are ready
    `prepare` is called and stack.json appears, and again after a restart. Raises StackError for a taken port, a
    missing program, or a folder that can't be used.
    """
    folder = StateFolder(state)
    with folder.claimed():
        logins = folder.logins()
        where, ports = addresses(options, logins)
        commands = [*servers(folder, ports, options, logins), *processes(where, options, folder.path)]

        def write(pids: Mapping[str, int]) -> None:
            prepare(where)
            folder.write(_record(where, options, pids))

        with ProcessGroup(commands, logs=folder.part("logs"), report=report, pids_changed=write) as group:
            yield group, where


def run_stack(
    state: Path,
    options: StackOptions,
    *,
    processes: DescribeProcesses = services,
    console: Printer | None = None,
    logs: bool = False,
) -> int:
    """Run the stack in the foreground until SIGTERM, SIGINT or SIGHUP; a second signal kills at once.

    `logs` prints what its processes write as well. Returns 0 when stopped by a signal; raises StackError when it
    can't start or a process is given up. Call it from the main thread.
    """
    output = Output(console or Printer(soft_wrap=True))
    greeting = Greeting(state, options)
    running = embedded_stack(state, options, processes=processes, report=output.report, prepare=greeting.prepare)
    with StopSignals() as signals, running as (group, where):
        signals.kill = group.kill
        output.follow(group.logs, shown=logs)
        while not signals.received:
            output.show()
            output.say(greeting.due(where))
            group.check()
            time.sleep(TICK)
        output.report("stack", "stopping; once more to kill at once")
    output.show()
    output.report("stack", "stopped")
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
        if wait_until(partial(all_gone, pids), within=patience, every=0.05):
            return True
    raise StackError(f"the stack in {folder.path} (pid {supervisor}) can't be stopped: kill it by hand")


def _record(where: Addresses, options: StackOptions, pids: Mapping[str, int]) -> StackRecord:
    return StackRecord(
        nats_url=where.nats_url,
        redis_url=where.redis_url,
        engine_url=where.engine_url,
        engine_key=where.engine_key,
        flower_url=where.flower_url if "flower" in pids else None,
        flower_login=where.flower_login,
        web_url=where.web_url if "web" in pids else None,
        web_login=where.web_login,
        model=options.model,
        pids=dict(pids),
    )
