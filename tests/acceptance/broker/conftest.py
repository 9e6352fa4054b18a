"""A fleet on servers of its own, so that tests may kill them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.broker.fleet import Fleet
from tests.acceptance.broker.left_out import leave_out_overrides
from tests.support.servers import ValkeyServer
from workers.processes.guard import Guard

MakeFleet = Callable[..., Fleet]

# The client and the single operations run in this process, the workers in theirs.
leave_out_overrides()


@pytest.fixture
def fleet_of(tmp_path: Path, guard: Guard) -> Iterator[MakeFleet]:
    """Make fleets; broker and results are one server unless `apart`."""
    with ExitStack() as stack:

        def make(*, apart: bool = False, **options: Any) -> Fleet:
            folder = tmp_path / f"fleet{len(list(tmp_path.iterdir()))}"
            broker = stack.enter_context(ValkeyServer(folder / "broker", guard=guard))
            results = stack.enter_context(ValkeyServer(folder / "results", guard=guard)) if apart else broker
            return stack.enter_context(
                Fleet(folder=folder, guard=guard, broker=broker, results=results, **options)
            )

        yield make


@pytest.fixture
def own_server(tmp_path: Path, guard: Guard) -> Iterator[ValkeyServer]:
    with ValkeyServer(tmp_path / "valkey", guard=guard) as server:
        yield server
