"""What docs/broker.md shows, runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[4] / "docs" / "broker.md"
SNIPPETS = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)


def test_there_is_something_to_run() -> None:
    assert len(SNIPPETS) == 2


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_snippet_runs(snippet: str) -> None:
    exec(compile(snippet, str(DOCUMENT), "exec"), {})


def test_every_remedy_that_can_be_left_out_is_in_the_table() -> None:
    application = (Path(__file__).parents[3] / "acceptance" / "broker" / "app.py").read_text()
    words = set(re.findall(r'"(\w+)" (?:not )?in WITHOUT', application))
    last_cells = re.findall(r"\| (`[^|]*`) \|$", DOCUMENT.read_text(), re.MULTILINE)
    assert words == set(re.findall(r"\w+", " ".join(last_cells)))
