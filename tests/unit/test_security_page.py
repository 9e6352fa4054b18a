"""Every test that docs/security.md leans on is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
ROWS = [line for line in PAGE.partition("\n## ")[0].splitlines() if line.startswith("| ") and "---" not in line][
    1:
]
NAMED = re.compile(r"`((?:unit|contract|integration|acceptance)/\S+\.py)`")


def test_every_cannot_names_a_test_that_exists() -> None:
    assert len(ROWS) > 10
    for row in ROWS:
        named = NAMED.findall(row)
        assert named, row
        assert [name for name in named if not (ROOT / "tests" / name).is_file()] == []
