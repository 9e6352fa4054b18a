"""What a started process holds is no garbage to look for."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from celery import signals

from workers.app import make_app
from workers.garbage import YOUNG, pass_over_what_is_there
from workers.settings import Settings


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


def test_later_searches_pass_over_what_is_there() -> None:
    held: list[list[int]] = [[] for _ in range(1000)]
    pass_over_what_is_there()
    assert gc.get_freeze_count() > len(held)
    assert gc.get_threshold()[0] == YOUNG
    assert not any(one is held for one in gc.get_objects())


def test_a_worker_that_is_ready_does_so() -> None:
    make_app(Settings.model_validate({"model": "tiny"}))
    signals.worker_ready.send(sender=None)
    assert gc.get_freeze_count() > 0
