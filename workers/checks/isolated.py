"""Runs checks so that no proposal hurts another's deliberation: what parses, or was added, in helper processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import EntryPoint
from queue import Empty, LifoQueue

import structlog

from domain.checks.bounds import CheckBounds
from domain.checks.check import CheckResult, PlanFacts
from domain.checks.runner import InProcess, not_judged
from domain.text.code_blocks import code_blocks
from domain.text.visible import visible
from workers.checks.helper import Helper, HelperBusy, HelperLost, NoHelper
from workers.checks.registry import LINEAR, PARSING, create

log = structlog.get_logger("conclave.checks")

QUICK_CPU_S = 0.5
"""Seconds of processor time for a check at its first try: checks take milliseconds, a cold parser some ten. Not by
the clock, since on a busy machine any check would be late by that."""
SLOW_NICE = 5
"""What a helper of slow proposals adds to its niceness: a third of the worker's share, and all of an idle core."""

# The last that was put back is taken first: another helper starts only when all that run are in use.
Places = LifoQueue[Helper | None]


class IsolatedChecks:
    """A CheckRunner with a few helper processes, which start at their first use and end with this process.

    Conclave's checks that only count and search stay here: their time is proportional to the text, and no trouble
    with processes can keep them, the one for secrets among them, from judging. Those that parse stay here where
    there is nothing to parse, since they only search then. All others go to a helper together. A proposal whose
    check takes more than QUICK_CPU_S goes on among its like, in helpers of their own, so that no number of them
    holds up the others.
    """

    def __init__(self, points: Sequence[EntryPoint], bounds: CheckBounds) -> None:
        """Take the checks in this order. Raises CheckUnavailable for one that can't be used."""
        self.points, self.bounds = tuple(points), bounds
        checks = [(point, create(point)) for point in points]
        self._linear = InProcess(check for point, check in checks if point in LINEAR)
        parsing = [(point, check) for point, check in checks if point in PARSING]
        self._parsing = InProcess(check for _, check in parsing)
        self._points = [point for point, _ in parsing]
        self._points += [point for point in points if point not in (*LINEAR, *PARSING)]
        self._quick, self._slow = _places(bounds.processes), _places(max(1, bounds.processes // 2))

    def run(self, text: str, facts: PlanFacts) -> tuple[CheckResult, ...]:
        """Return the results of those that run here, then of the others, each in the order of the points.

        Waits while all helpers are in use, each for no longer than its checks' bounds.
        """
        results = (*self._linear.run(text, facts), *self._in_helpers(text, facts))
        for result in results:
            if not result.judged:
                log.warning("check not judged", check=result.name, reason=result.reason)
        return results

    def close(self) -> None:
        """End the helpers that are idle; a later run starts new ones."""
        for places in (self._quick, self._slow):
            size = places.qsize()
            for _ in range(size):
                with suppress(Empty):
                    if (helper := places.get_nowait()) is not None:
                        helper.kill()
            for _ in range(size):
                places.put(None)

    def _in_helpers(self, text: str, facts: PlanFacts) -> list[CheckResult]:
        if len(text.encode(errors="surrogatepass")) > self.bounds.input_bytes:
            return _not_judged(self._points, f"the proposal is longer than {self.bounds.input_bytes} bytes")
        results = [] if _is_to_be_parsed(text, facts) else list(self._parsing.run(text, facts))
        while len(results) < len(self._points):
            try:
                self._try(text, facts, results, self._quick, cpu_s=QUICK_CPU_S)
            except HelperBusy as busy:
                self._try_long(text, facts, results, str(busy))
        return results

    def _try_long(self, text: str, facts: PlanFacts, results: list[CheckResult], why: str) -> None:
        """Put the rest of the checks among those that take long; at least one result is added."""
        try:
            self._try(text, facts, results, self._slow, cpu_s=0.0)
        except Empty:
            reason = f"{why}, and others that do were waited for {self.bounds.time_s:g} s"
            results.append(self._next_not_judged(results, reason))

    def _try(
        self, text: str, facts: PlanFacts, results: list[CheckResult], places: Places, *, cpu_s: float
    ) -> None:
        """Add further results. Raises HelperBusy where one takes more, and Empty if no place becomes free."""
        try:
            with self._helper(places) as helper:
                for result in helper.results(text, facts, first=len(results), cpu_s=cpu_s):
                    results.append(result)
        except NoHelper as lost:
            results += _not_judged(self._points[len(results) :], str(lost))
        except HelperBusy:
            raise
        except HelperLost as lost:
            results.append(self._next_not_judged(results, str(lost)))

    def _next_not_judged(self, results: list[CheckResult], reason: str) -> CheckResult:
        return not_judged(self._points[len(results)].name, reason)

    @contextmanager
    def _helper(self, places: Places) -> Iterator[Helper]:
        """Wait for a place and lend a helper that can be asked. Raises NoHelper if none can start.

        Proposals that take long are many only under attack: for a place among them the wait is bounded, else each
        would hold a thread of its worker. Raises Empty then.
        """
        helper = places.get(timeout=self.bounds.time_s if places is self._slow else None)
        try:
            if helper is not None and not helper.usable:
                helper.kill()
                helper = None
            helper = helper or Helper(self._points, self.bounds, nice=SLOW_NICE if places is self._slow else 0)
            yield helper
        finally:
            places.put(helper)


def _is_to_be_parsed(text: str, facts: PlanFacts) -> bool:
    return facts.output_schema is not None or bool(code_blocks(visible(text)))


def _places(count: int) -> Places:
    places: Places = LifoQueue()
    for _ in range(count):
        places.put(None)
    return places


def _not_judged(points: Sequence[EntryPoint], reason: str) -> list[CheckResult]:
    return [not_judged(point.name, reason) for point in points]
