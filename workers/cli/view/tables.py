"""The form of the tables below a decision."""

from __future__ import annotations

from rich.table import Table


def titled_table(title: str, *columns: str) -> Table:
    """Return an empty table: names to the left, figures to the right."""
    table = Table(title=f"\n{title}", title_justify="left", title_style="bold", box=None, header_style="dim")
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index < 1 or column == "proposal" else "right")
    return table
