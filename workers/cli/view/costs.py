"""What a deliberation took, on a terminal: calls, tokens, time and money per agent."""

from __future__ import annotations

from collections.abc import Mapping

from domain.contract_rows import TotalUsage
from domain.prices import Cost
from domain.views.money import cost_line, money
from workers.cli.view.tables import Column, FittedTable


def costs(usage: TotalUsage, timings: Mapping[str, float]) -> FittedTable:
    """Draw tokens, seconds and, where prices are set, money per agent, and the stages' wall times."""
    stages = [f"{name.removesuffix('_ms')} {value / 1000:.1f} s" for name, value in timings.items()]
    facts = " · ".join(stages + ([cost_line(usage.cost)] if usage.cost else []))
    agents = usage.agents.values()
    tokens = [*(row.usage for row in agents), usage]
    columns = [
        Column("agent", [*usage.agents, "all"], is_name=True),
        Column("calls", [*(str(row.calls) for row in agents), str(sum(row.calls for row in agents))], goes=2),
        Column("tokens in", [str(row.prompt_tokens) for row in tokens]),
        Column("of them cached", [str(row.cached_tokens) for row in tokens], goes=1),
        Column("tokens out", [str(row.completion_tokens) for row in tokens]),
        Column("model time", [*(f"{row.duration_ms / 1000:.1f} s" for row in agents), ""], goes=3),
    ]
    if usage.cost:
        columns.append(Column("money", [*(_money(row.cost) for row in agents), _money(usage.cost)]))
    return FittedTable(f"Cost ({facts})" if facts else "Cost", columns, bold=len(usage.agents))


def _money(cost: Cost | None) -> str:
    return money(cost.amount, cost.currency) if cost else ""
