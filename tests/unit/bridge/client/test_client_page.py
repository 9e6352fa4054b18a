"""docs/client.md and README's sample, held against the client."""

from __future__ import annotations

import re
from pathlib import Path

from bridge import client

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")


def test_the_readmes_sample_has_eight_lines() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert len([line for line in program.splitlines() if line.strip()]) <= 8


def test_the_page_names_every_exception() -> None:
    named = {name for name in client.__all__ if isinstance(getattr(client, name), type)}
    assert [name for name in named if f"`{name}`" not in PAGE] == []
