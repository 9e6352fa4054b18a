"""How many plans a bridge may take in: plans that wait for their publisher keep no other from coming in."""

from __future__ import annotations

from typing import Any

from tests.support.factories import plan_request
from tests.support.in_memory.clock import MemoryClock
from tests.support.stores import memory_stores
from workers.bridge_process import MOST_WAITING, capacity_of
from workers.settings import Settings


def test_plans_that_wait_count_only_when_they_are_very_many() -> None:
    ports: Any = memory_stores(MemoryClock(), places=1)
    capacity = capacity_of(Settings(max_open=3), ports)
    running = plan_request()
    ports.plans.save([running])
    ports.places.take(running)
    assert capacity() == 2
    ports.plans.mark_dispatched(running.request_id)
    for waiting in range(1, 3 * MOST_WAITING + 1):
        request = plan_request()
        ports.plans.save([request])
        ports.places.take(request)
        assert capacity() == min(3, 3 * MOST_WAITING - waiting)
    assert capacity() == 0
