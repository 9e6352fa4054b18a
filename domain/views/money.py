"""Money as people read it; the exact amounts are in events and in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from domain.prices import Cost


def money(amount: Decimal, currency: str) -> str:
    """Return an amount with its currency: two decimal places, below one unit three digits that count."""
    if not amount:
        return f"0 {currency}"
    if amount < 1:
        amount = amount.quantize(Decimal(1).scaleb(max(amount.adjusted() - 2, -9)))
        return f"{amount:f} {currency}"
    return f"{amount:,.2f} {currency}"


def cost_line(cost: Cost) -> str:
    """Return a deliberation's cost, and what it leaves out."""
    priced = money(cost.amount, cost.currency)
    return f"{priced}, without {cost.unpriced_tokens:,} tokens" if cost.unpriced_tokens else priced


def sums(amounts: Mapping[str, Decimal]) -> str:
    """Return what was spent, in every currency of its own; a dash for nothing."""
    return " + ".join(money(amount, currency) for currency, amount in amounts.items()) or "-"
