"""How many examples a property test tries: all of them in `make test`, a tenth in `make unit`."""

from __future__ import annotations

import os

FEW = os.environ.get("PROPERTY_EXAMPLES") == "few"


def examples(count: int) -> int:
    """Return the number of examples for a test that tries `count` of them where time is no matter."""
    return max(5, count // 10) if FEW else count
