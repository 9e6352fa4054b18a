"""Checks in real helper processes: Conclave's own, and hostile ones of another package."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from importlib.metadata import EntryPoint
from pathlib import Path

import psutil
import pytest

from domain.checks.bounds import CheckBounds
from domain.checks.check import CheckResult, PlanFacts
from workers.checks.isolated import IsolatedChecks
from workers.checks.registry import GROUP, check_points
from workers.processes.readiness import wait_until

WITHIN = 120.0
"""Seconds until what must happen is given up; it takes one or two."""
SOUND = "Send a link that expires after one hour; using it ends all sessions of the account. Test both."
FACTS = PlanFacts(title="Reset", acceptance_criteria=("links expire after one hour",), requirements=("mail",))
MODULE = "hostile_checks"
PLUGIN = """
import os, re, subprocess, sys, time

from domain.checks.check import CheckResult


class Named:
    hard = True

    def run(self, proposal_text, plan_facts):
        told = self.act(proposal_text) if self.name in proposal_text else "sound"
        return CheckResult(name=self.name, passed=True, score=1.0, reason=str(told))


class Sleeps(Named):
    name = "sleeps"

    def act(self, text):
        time.sleep(3600)


class Holds(Named):
    '''Holds the interpreter, as parsers in C do.'''

    name = "holds"

    def act(self, text):
        re.match("(a+)+$", "a" * 60 + "b")


class Grows(Named):
    name = "grows"

    def act(self, text):
        parts = []
        while True:
            parts.append(bytearray(1 << 20))


class Ends(Named):
    name = "ends"

    def act(self, text):
        os._exit(7)


class Starts(Named):
    name = "starts"

    def act(self, text):
        subprocess.run(["sleep", "3600"])


class Tells(Named):
    name = "tells"

    def act(self, text):
        print("to standard output", flush=True)
        return sorted(os.environ), sys.stdin.read()


class Hoards(Named):
    name = "hoards"
    kept = bytearray()

    def act(self, text):
        Hoards.kept = bytearray(40 << 20)
        return os.getpid()


class Raises(Named):
    name = "raises"

    def act(self, text):
        raise ValueError(text)
"""
CLASSES = ("Sleeps", "Holds", "Grows", "Ends", "Starts", "Tells", "Hoards", "Raises")

Isolate = Callable[..., IsolatedChecks]


def points_of(*classes: str) -> tuple[EntryPoint, ...]:
    return tuple(EntryPoint(name.lower(), f"{MODULE}:{name}", GROUP) for name in classes)


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the other package's checks are found by this process."""
    folder = tmp_path_factory.mktemp("package")
    (folder / f"{MODULE}.py").write_text(PLUGIN)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    sys.modules.pop(MODULE, None)


@pytest.fixture
def isolate(package: Path) -> Iterator[Isolate]:
    """Make a runner over Conclave's checks and some of the package's; its helpers end with the test."""
    made: list[IsolatedChecks] = []

    def make(*classes: str, **bounds: object) -> IsolatedChecks:
        points = check_points(added=points_of(*classes))
        made.append(IsolatedChecks(points, CheckBounds.model_validate(bounds)))
        return made[-1]

    yield make
    for runner in made:
        runner.close()


def helpers(of: int | None = None) -> list[psutil.Process]:
    """Return the helper processes of a process, this one by default."""
    return [child for child in psutil.Process(of).children() if is_helper(child)]


def is_helper(process: psutil.Process) -> bool:
    """Tell a helper process, zombies not counted."""
    try:
        return any("workers.checks.helper_process" in word for word in process.cmdline())
    except psutil.Error:
        return False


def fenced(language: str, code: str) -> str:
    return f"{SOUND}\n\n```{language}\n{code}\n```\n"


def of(results: tuple[CheckResult, ...], name: str) -> CheckResult:
    return next(result for result in results if result.name == name)


def not_judged(results: tuple[CheckResult, ...]) -> dict[str, str]:
    return {result.name: result.reason for result in results if not result.judged}


def kill_until(done: Future[tuple[CheckResult, ...]]) -> None:
    """Kill helpers until a run is over."""

    def over() -> bool:
        for helper in helpers():
            helper.kill()
        return done.done()

    assert wait_until(over, within=WITHIN, every=0.5)
