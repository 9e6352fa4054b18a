"""What waits for the store to be compared with the streams goes on waiting, whatever the comparison meets."""

from __future__ import annotations

import threading
from dataclasses import replace

from domain.ports.continuity import Gap
from domain.services import Services
from tasks.step import Step
from tests.support.in_memory.continuity import MemoryContinuity
from tests.support.stage import Stage

WITHIN = 60.0


class Blocking(MemoryContinuity):
    """Answers when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.let_go = threading.Event(), threading.Event()
        self.looks = 0

    def gap(self) -> Gap | None:
        self.looks += 1
        self.entered.set()
        assert self.let_go.wait(WITHIN)
        return super().gap()


class Broken(MemoryContinuity):
    """Fails as no adapter says it may."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def gap(self) -> Gap | None:
        self.looks += 1
        raise RuntimeError("a defect")


def step_over(continuity: MemoryContinuity) -> Step:
    given = replace(Stage().services, continuity=continuity)

    class Waiting(Step):
        @property
        def services(self) -> Services:
            return given

    return Waiting()


def test_of_the_tasks_that_wait_one_compares() -> None:
    continuity = Blocking()
    step = step_over(continuity)
    first = threading.Thread(target=step.close_gap)
    first.start()
    assert continuity.entered.wait(WITHIN)
    step.close_gap()
    assert continuity.looks == 1
    continuity.let_go.set()
    first.join(WITHIN)
    step.close_gap()
    assert continuity.looks == 2


def test_a_comparison_that_fails_is_tried_again_and_ends_no_task() -> None:
    continuity = Broken()
    step = step_over(continuity)
    step.close_gap()
    step.close_gap()
    assert continuity.looks == 2
