"""What tokens cost, as exact decimals: a sum of money in binary fractions would depend on its order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import Field, PlainSerializer

from domain.chat import Usage
from domain.value import Name, OpenValue, Value

PLACES = 9
"""Decimal places of a deliberation's cost: a token at a thousandth of a unit per million shows."""
PER = 1_000_000
"""Prices are per so many tokens, as model providers tell them."""

Money = Annotated[Decimal, PlainSerializer(lambda amount: f"{amount:f}", return_type=str, when_used="json")]
"""An amount; in JSON a string with a decimal point and no exponent, which a reader's binary float can't bend."""
Rate = Annotated[Decimal, Field(ge=0, le=1_000_000)]


class Price(Value):
    """What one model's tokens cost, per million of them."""

    input: Rate
    output: Rate
    """Of an answer's tokens, thoughts among them."""
    cached: Rate | None = None
    """Of those prompt tokens that a prefix cache served; not set: as `input`."""

    def of(self, usage: Usage) -> Decimal:
        """Return what these tokens cost, unrounded."""
        cached = min(usage.cached_tokens, usage.prompt_tokens)
        fresh = usage.prompt_tokens - cached
        rate = self.input if self.cached is None else self.cached
        return (fresh * self.input + cached * rate + usage.completion_tokens * self.output) / PER


class Cost(OpenValue):
    """What tokens cost by the prices that held when their deliberation ended."""

    amount: Money
    currency: str
    """Its code by ISO 4217."""
    unpriced_tokens: int = 0
    """Tokens of models without a price: they are not in the amount, which is then the least that it cost."""

    @property
    def billionths(self) -> int:
        """The amount in billionths of a unit, as it is counted."""
        return int(self.amount.scaleb(PLACES))

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            amount=self.amount + other.amount,
            currency=self.currency,
            unpriced_tokens=self.unpriced_tokens + other.unpriced_tokens,
        )


class PriceList(Value):
    """The operator's prices, by model."""

    prices: Mapping[Name, Price] = {}
    currency: str = "USD"

    def cost(self, calls: Iterable[tuple[str, Usage]]) -> Cost | None:
        """Return what calls cost, each given by its model and its tokens; None where no prices are set."""
        if not self.prices:
            return None
        priced, unpriced = Decimal(0), 0
        for model, usage in calls:
            price = self.prices.get(model)
            if price is None:
                unpriced += usage.prompt_tokens + usage.completion_tokens
            else:
                priced += price.of(usage)
        return Cost(amount=round(priced, PLACES), currency=self.currency, unpriced_tokens=unpriced)


def money_of(billionths: int) -> Decimal:
    """Return a counted amount as money."""
    return Decimal(billionths).scaleb(-PLACES)
