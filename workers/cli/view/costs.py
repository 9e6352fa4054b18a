"""What a deliberation took, on a terminal: calls, tokens, time and money per agent."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from domain.chat import Usage
from domain.contract_rows import TotalUsage
from domain.prices import Cost
from domain.views.money import cost_line, money
from workers.cli.view.tables import titled_table


def costs(usage: TotalUsage, timings: Mapping[str, float]) -> Table:
    """Draw tokens, seconds and, where prices are set, money per agent, and the stages' wall times."""
    stages = [f"{name.removesuffix('_ms')} {value / 1000:.1f} s" for name, value in timings.items()]
    facts = " · ".join(stages + ([cost_line(usage.cost)] if usage.cost else []))
    titles = ["agent", "calls", "tokens in", "of them cached", "tokens out", "model time"]
    table = titled_table(f"Cost ({facts})" if facts else "Cost", *titles, *(["money"] if usage.cost else []))
    for agent_id, row in usage.agents.items():
        seconds = f"{row.duration_ms / 1000:.1f} s"
        table.add_row(agent_id, str(row.calls), *_tokens(row.usage), seconds, *_money(row.cost))
    calls = sum(row.calls for row in usage.agents.values())
    table.add_row("all", str(calls), *_tokens(usage), "", *_money(usage.cost), style="bold")
    return table


def _tokens(usage: Usage) -> tuple[str, str, str]:
    return str(usage.prompt_tokens), str(usage.cached_tokens), str(usage.completion_tokens)


def _money(cost: Cost | None) -> list[str]:
    return [money(cost.amount, cost.currency)] if cost else []
