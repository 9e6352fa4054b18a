"""Python's search for cyclic garbage, in processes that live for weeks."""

from __future__ import annotations

import gc

YOUNG = 10_000
"""New objects between two searches among them; Python's own 700 are what one plan's dispatch makes."""


def pass_over_what_is_there() -> None:
    """Leave all objects of this moment out of later searches: call it when a process has started.

    A started worker holds some 200,000 that live as long as it does. A search through them stops every thread for
    tenths of a second, and a deliberation's own objects bring the next one soon.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
