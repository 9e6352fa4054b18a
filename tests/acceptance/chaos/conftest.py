"""One table over all scenarios, printed when the last of them is over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rich.console import Console

from tests.acceptance.chaos.report import Rows


@pytest.fixture(scope="session")
def rows() -> Iterator[Rows]:
    rows = Rows()
    yield rows
    if rows.rows:
        Console(width=160).print(rows.table())
