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
from workers.checks.helper import Helper, HelperLost, NoHelper
from workers.checks.registry import LINEAR, create

log = structlog.get_logger("conclave.checks")


class IsolatedChecks:
    """A CheckRunner with a few helper processes, which start at their first use and end with this process.

    Conclave's checks that only count and search stay here: their time is proportional to the text, and no trouble
    with processes can keep them, the one for secrets among them, from judging. All others go to a helper together.
    """

    def __init__(self, points: Sequence[EntryPoint], bounds: CheckBounds) -> None:
        """Take the checks in this order. Raises CheckUnavailable for one that can't be used."""
        self.bounds = bounds
        checks = [(point, create(point)) for point in points]
        self._linear = InProcess(check for point, check in checks if point in LINEAR)
        self._points = [point for point in points if point not in LINEAR]
        # The last that was put back is taken first: another helper starts only when all that run are in use.
        self._helpers: LifoQueue[Helper | None] = LifoQueue()
        for _ in range(bounds.processes):
            self._helpers.put(None)

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
        places = self._helpers.qsize()
        for _ in range(places):
            with suppress(Empty):
                if (helper := self._helpers.get_nowait()) is not None:
                    helper.kill()
        for _ in range(places):
            self._helpers.put(None)

    def _in_helpers(self, text: str, facts: PlanFacts) -> list[CheckResult]:
        if len(text.encode(errors="surrogatepass")) > self.bounds.input_bytes:
            return _not_judged(self._points, f"the proposal is longer than {self.bounds.input_bytes} bytes")
        results: list[CheckResult] = []
        while len(results) < len(self._points):
            try:
                with self._helper() as helper:
                    for result in helper.results(text, facts, first=len(results)):
                        results.append(result)
            except NoHelper as lost:
                results += _not_judged(self._points[len(results) :], str(lost))
            except HelperLost as lost:
                results += _not_judged(self._points[len(results) :][:1], str(lost))
        return results

    @contextmanager
    def _helper(self) -> Iterator[Helper]:
        """Wait for a place among the helpers and lend one that can be asked. Raises NoHelper if none can start."""
        helper = self._helpers.get()
        try:
            if helper is not None and not helper.usable:
                helper.kill()
                helper = None
            helper = helper or Helper(self._points, self.bounds)
            yield helper
        finally:
            self._helpers.put(helper)


def _not_judged(points: Sequence[EntryPoint], reason: str) -> list[CheckResult]:
    return [not_judged(point.name, reason) for point in points]
