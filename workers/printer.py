"""The console for people: nothing that it prints can command the terminal, hide on it, or pass for markup."""

from __future__ import annotations

from typing import Any, Self

from rich.console import Console
from rich.text import Text

from domain.text.visible import escaped


class PlainText(Text):
    """Text of any origin with a style of ours; hidden characters are escaped before anything is measured."""

    def __init__(self, text: str = "", style: str = "", **options: Any) -> None:
        super().__init__(escaped(text), style, **options)

    @classmethod
    def assemble(cls, *parts: Text | str | tuple[str, Any], **options: Any) -> Self:
        """Make one of strings, texts, and strings with a style."""
        text = cls(**options)
        for part in parts:
            text.append(*part) if isinstance(part, tuple) else text.append(part)
        return text

    def append(self, text: Text | str, style: Any = None) -> Self:
        """Add more of it."""
        super().append(escaped(text) if isinstance(text, str) else text, style)
        return self


class Printer(Console):
    """A console that takes every string for plain text, without markup, emoji names or highlighting.

    Styled text comes as PlainText. A Panel's title must: of a string rich makes markup before it comes here.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Take a string for what it is."""
        return super().render_str(escaped(text), **options)
