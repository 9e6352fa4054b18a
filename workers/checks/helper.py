"""A helper process as its worker sees it: started, asked, killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import EntryPoint

from domain.checks.bounds import CheckBounds
from domain.checks.check import CheckResult, PlanFacts
from workers.checks.frames import Frames
from workers.checks.helper_process import serve
from workers.processes.sessions import kill_group, python_call

STARTS_WITHIN_S = 60.0
"""Checks of others may load much."""
ENVIRONMENT = frozenset({"LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ"})
"""All that a helper gets of the worker's environment, which holds passwords and keys."""


class NoHelper(Exception):
    """No helper could be started; the message says why."""


class HelperLost(Exception):
    """The helper is of no more use; the message says why."""


class HelperBusy(HelperLost):
    """A check took more processor time than it was given."""


class Helper:
    """A process that runs the given checks, ready when it is made; one thread at a time may use it."""

    def __init__(self, points: Sequence[EntryPoint], bounds: CheckBounds, *, nice: int = 0) -> None:
        """Start it, as many steps nicer. Raises NoHelper if it can't start or can't load the checks."""
        self._points = points
        self._time_s = bounds.time_s
        self._spent = False
        try:
            ours, theirs = socket.socketpair()
            self._frames = Frames(ours)
            with theirs:
                self._process = _start(theirs)
        except OSError as error:
            raise NoHelper(f"no helper process could be started: {error.strerror}") from error
        order = {
            "path": sys.path,
            "checks": [(point.name, point.value) for point in points],
            "time_s": bounds.time_s,
            "memory_mb": bounds.memory_mb,
            "nice": nice,
        }
        try:
            self._frames.send(order, within_s=STARTS_WITHIN_S)
            unusable = self._frames.receive(within_s=STARTS_WITHIN_S)["unusable"]
        except (OSError, EOFError, ValueError) as error:
            raise NoHelper(f"its helper process did not start: {self.kill()}") from error
        if unusable:
            self.kill()
            raise NoHelper(unusable)

    @property
    def pid(self) -> int:
        """Process id, and the number of its process group."""
        return self._process.pid

    @property
    def usable(self) -> bool:
        """Whether it lives and may be asked again."""
        return not self._spent and self._process.poll() is None

    def results(self, text: str, facts: PlanFacts, *, first: int = 0, cpu_s: float = 0.0) -> Iterator[CheckResult]:
        """Yield the results of the checks from number `first` on, each as soon as it is there.

        `cpu_s` bounds the processor time of each, if it is not 0. Raises HelperBusy for one beyond that, and
        HelperLost where the next one does not come for another reason: the helper is dead by then.
        """
        self._spent = True  # until the last answer says otherwise
        try:
            request = {"text": text, "facts": facts.model_dump(), "first": first, "cpu_s": cpu_s}
            self._frames.send(request, within_s=self._time_s)
            for point in self._points[first:]:
                answer = self._frames.receive(within_s=self._time_s)
                result = CheckResult.model_validate(answer["result"])
                if result.name != point.name:
                    raise ValueError(f"a result of {result.name}")
                self._spent = answer["spent"]
                yield result
        except TimeoutError as error:
            self.kill()
            raise HelperLost(f"it took longer than {self._time_s:g} s") from error
        except (OSError, EOFError, ValueError) as error:
            how = self.kill()
            if cpu_s and how == signal.SIGPROF.name:
                raise HelperBusy(f"it took longer than {cpu_s:g} s of processor time") from error
            raise HelperLost(f"it ended its process: {how}") from error

    def kill(self) -> str:
        """End it and what its checks started; returns how it ended, before if it had."""
        # Once its exit code is read, its number may be another's.
        if self._process.returncode is None:
            kill_group(self.pid)
        code = self._process.wait()
        self._frames.close()
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def _start(channel: socket.socket) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        python_call(serve),
        stdin=channel.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in ENVIRONMENT & os.environ.keys()},
        # A group of its own, killed with what a check started; the worker's session, by which guards know it.
        process_group=0,
    )
