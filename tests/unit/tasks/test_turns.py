"""Blocks of a process run a few at a time, and none waits for ever."""

from __future__ import annotations

import threading

from tasks.turns import Turns

WITHIN = 120.0


def test_no_more_blocks_run_at_once_than_there_are_turns() -> None:
    turns, lock = Turns(2, patience_s=WITHIN), threading.Lock()
    running: list[int] = [0]
    most: list[int] = []
    two = threading.Barrier(2)

    def block() -> None:
        with turns.taken() as held:
            assert held
            with lock:
                running[0] += 1
                most.append(running[0])
            two.wait(WITHIN)  # so that always two are in it together
            with lock:
                running[0] -= 1

    threads = [threading.Thread(target=block) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WITHIN)
    assert (len(most), max(most), running) == (8, 2, [0])


def test_a_block_that_hangs_holds_up_no_other_for_long() -> None:
    turns = Turns(1, patience_s=0.0)
    with turns.taken() as first:
        with turns.taken() as second:
            assert (first, second) == (True, False)
        with turns.taken() as third:
            assert not third, "a block gave back a turn that it never had"
    with turns.taken() as fourth:
        assert fourth
