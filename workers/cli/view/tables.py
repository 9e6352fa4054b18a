"""Tables below a decision, drawn for the width that there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len
from rich.console import ConsoleOptions, RenderResult
from rich.table import Table

from workers.printer import PlainText

GAP = 2
"""Columns of a terminal between two of a table."""


@dataclass(frozen=True)
class Column:
    """A column with all its cells: a name is to the left, a figure to the right."""

    title: str
    cells: Sequence[str]
    is_name: bool = False
    short: str = ""
    """A title for where the whole one takes too much."""
    goes: int = 0
    """Its turn to be left out where there is no room; 0: never."""

    @property
    def width(self) -> int:
        """What it takes, with the gap behind it."""
        return max(map(cell_len, (self.title, *self.cells))) + GAP


class FittedTable:
    """Names and figures stay whole: where a terminal is too narrow, columns are left out, which the end says."""

    def __init__(self, title: str, columns: Iterable[Column], *, bold: int | None = None) -> None:
        """`bold`: the row that stands out."""
        self._title, self._columns, self._bold = title, list(columns), bold

    def __rich_console__(self, console: object, options: ConsoleOptions) -> RenderResult:
        columns, left_out = fitted(self._columns, options.max_width)
        yield PlainText(f"\n{self._title}", "bold")
        yield self._table(columns)
        if left_out:
            yield PlainText(f" not in this width: {', '.join(left_out)}", "dim")

    def _table(self, columns: Sequence[Column]) -> Table:
        table = Table(box=None, header_style="dim")
        for column in columns:
            table.add_column(column.title, justify="left" if column.is_name else "right", overflow="fold")
        for index, row in enumerate(zip(*(column.cells for column in columns), strict=True)):
            table.add_row(*row, style="bold" if index == self._bold else "")
        return table


def fitted(columns: Sequence[Column], width: int) -> tuple[list[Column], list[str]]:
    """Return what fits into a width, short titles before a column less, and the titles of what was left out."""
    shown, left_out = list(columns), []
    if _width(shown) > width:
        shown = [replace(column, title=column.short or column.title) for column in shown]
    for column in sorted(filter(lambda column: column.goes, shown), key=lambda column: column.goes):
        if _width(shown) <= width:
            break
        shown.remove(column)
        left_out.append(column.title)
    return shown, left_out


def _width(columns: Iterable[Column]) -> int:
    return sum(column.width for column in columns)
