"""In which orders the candidates are shown. Few orders keep the prefix cache; their reverses cancel bias."""

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

    Pass 1 shows each order of pass 0 in reverse, pass 3 those of pass 2. Over such a pair every candidate's
    mean place is the middle, whatever the number of orders.
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
        base = self.passes[pass_ - pass_ % 2][0]
        place = base.index(own) * len(orders) // len(base) if own in base else number % len(orders)
        return ShownOrder(pass_=pass_, order=place, items=orders[place])


def present(proposal_ids: Iterable[str], *, seed: str | int, passes: int = 2, orders: int = 1) -> Presentation:
    """Draw the orders of one vote: a pure function of the set of ids, the seed and the two numbers.

    `orders` distinct orders a pass, at most one per candidate (more is taken as that): rotations of one
    shuffled order, spread evenly. One shared order lets the prefix cache serve nearly all of every prompt;
    an order for every candidate is a Latin square (each candidate once at each place).
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
            drawn.append(_rotations(_shuffled(ids, f"{seed}/{number}"), orders))
    return Presentation(seed=str(seed), passes=tuple(drawn))


def _shuffled(ids: Iterable[str], seed: str) -> tuple[str, ...]:
    """Sort by a digest keyed with the seed: a shuffle that needs no generator and no order of its input."""
    return tuple(sorted(ids, key=lambda name: (sha256(f"{seed}/{name}".encode()).digest(), name)))


def _rotations(items: tuple[str, ...], orders: int) -> tuple[tuple[str, ...], ...]:
    count = min(orders, len(items))
    starts = [-(-number * len(items) // count) for number in range(count)]
    return tuple(items[start:] + items[:start] for start in starts)
