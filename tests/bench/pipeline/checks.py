"""What a proposal's checks cost in a helper process, against the same checks in the worker's own."""

from __future__ import annotations

import statistics
import time

from domain.checks.bounds import CheckBounds
from domain.checks.check import PlanFacts
from domain.checks.runner import CheckRunner, InProcess
from workers.checks.isolated import IsolatedChecks
from workers.checks.registry import check_points, create

STEP = "1. Write the migration.\n\n```python\ndef up(): ...\n```\n\n2. Test it.\n\n```java\nclass A {}\n```\n"
TEXT = STEP * 10
ROUNDS = 200


def check_costs() -> tuple[float, float, float]:
    """Return milliseconds: the first proposal in a helper, a later one, and one in process; medians."""
    points = check_points()
    isolated = IsolatedChecks(points, CheckBounds())
    in_process = InProcess(create(point) for point in points)
    first = _ms(isolated)
    pairs = [(_ms(isolated), _ms(in_process)) for _ in range(ROUNDS)]
    isolated.close()
    return first, statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def _ms(checks: CheckRunner) -> float:
    began = time.perf_counter()
    checks.run(TEXT, PlanFacts())
    return (time.perf_counter() - began) * 1000
