"""In which orders the candidates are shown: balanced, so that an effect of places cancels, whatever its shape.

Each distinct order is a prompt that the prefix cache does not know; docs/ballots.md counts what they cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from pydantic import Field

from domain.value import Name, Value

MAX_PASSES = 8


class ShownOrder(Value):
    """The order in which one reviewer sees the proposals in one pass."""

    pass_: int = Field(ge=0)
    order: int = Field(ge=0)
    """Which of the pass's distinct orders; reviewers with the same number get the same prompt."""
    items: tuple[Name, ...]
    """Proposal ids, the first shown first."""


class Presentation(Value):
    """All orders of one vote: `passes[p][k]` is the k-th order of pass p.

    Within a pass every candidate's places are spread evenly; with an order for every candidate it stands once at
    each. Pass 1 shows each order of pass 0 in reverse, pass 3 those of pass 2.
    """

    seed: str
    passes: tuple[tuple[tuple[Name, ...], ...], ...]

    def shown_to(self, pass_: int, *, own: str | None = None, number: int = 0) -> ShownOrder:
        """Return a reviewer's order: an author's by `own`, its proposal; a judge's by a running number.

        Authors are dealt to the orders so that their own proposal stands at the near end (first in even
        passes). With an order for every candidate it is always the very first, so each proposal is seen by
        the other authors exactly once at each of the places that are left.
        """
        orders = self.passes[pass_]
        known = own is not None and own in orders[0]
        order = self.order_of(own or "", pass_) if known else number % len(orders)
        return ShownOrder(pass_=pass_, order=order, items=orders[order])

    def order_of(self, own: str, pass_: int = 0) -> int:
        """Return which order the author of a proposal sees; raises ValueError for an unknown one."""
        forward = self.passes[pass_ - pass_ % 2]
        return min(range(len(forward)), key=lambda order: forward[order].index(own))


def present(proposal_ids: Iterable[str], *, seed: str | int, passes: int = 2, orders: int = 1) -> Presentation:
    """Draw the orders of one vote: a pure function of the set of ids, the seed and the two numbers.

    `orders` distinct orders a pass, at most one per candidate (more is taken as that). With an order for every
    candidate they are a Williams design (Williams, 1949): a Latin square (each candidate once at each place) in
    which a candidate follows as many others as can be: every other once where their number is even; where it is
    odd, half of them twice, and the others in the reverse pass. Fewer orders are rotations of one shuffled order,
    spread evenly: they leave neighbours together, and places balanced best.
    Raises ValueError for doubled ids, no ids, or numbers out of range.
    """
    ids = list(proposal_ids)
    if not ids or len(set(ids)) != len(ids):
        raise ValueError("a presentation needs proposal ids that differ")
    if not 1 <= passes <= MAX_PASSES or orders < 1:
        raise ValueError(f"a presentation has 1 to {MAX_PASSES} passes of at least one order")
    drawn: list[tuple[tuple[str, ...], ...]] = []
    for number in range(passes):
        if number % 2:
            drawn.append(tuple(tuple(reversed(order)) for order in drawn[-1]))
        else:
            items = _shuffled(ids, f"{seed}/{number}")
            drawn.append(_williams(items) if orders >= len(items) else _rotations(items, orders))
    return Presentation(seed=str(seed), passes=tuple(drawn))


def _shuffled(ids: Iterable[str], seed: str) -> tuple[str, ...]:
    """Sort by a digest keyed with the seed: a shuffle that needs no generator and no order of its input."""
    return tuple(sorted(ids, key=lambda name: (sha256(f"{seed}/{name}".encode()).digest(), name)))


def _rotations(items: tuple[str, ...], orders: int) -> tuple[tuple[str, ...], ...]:
    starts = [-(-number * len(items) // orders) for number in range(orders)]
    return tuple(items[start:] + items[:start] for start in starts)


def _williams(items: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Return the cyclic square over 0, 1, n-1, 2, n-2 …, whose neighbours differ by ever other steps."""
    count = len(items)
    steps = [(place + 1) // 2 if place % 2 else -(place // 2) for place in range(count)]
    return tuple(tuple(items[(row + step) % count] for step in steps) for row in range(count))
