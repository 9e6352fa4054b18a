"""Sentences on a terminal: broken between words, with further lines deeper than the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from rich.console import ConsoleOptions, RenderResult

from workers.printer import PlainText


def indented(sentence: str, width: int, style: str = "") -> Iterator[PlainText]:
    """Draw a sentence, its further lines deeper than its first."""
    first, deeper = "  ", "    "
    for line in sentence.splitlines():
        parts = wrap(line, width, initial_indent=first, subsequent_indent=deeper, break_on_hyphens=False)
        yield from (PlainText(part, style) for part in parts)
        first = deeper


class Sentences:
    """A title, and sentences below it."""

    def __init__(self, title: str, sentences: Sequence[str], style: str = "") -> None:
        self._title, self._sentences, self._style = title, sentences, style

    def __rich_console__(self, console: object, options: ConsoleOptions) -> RenderResult:
        yield PlainText(f"\n{self._title}", "bold")
        for sentence in self._sentences:
            yield from indented(sentence, options.max_width, self._style)
