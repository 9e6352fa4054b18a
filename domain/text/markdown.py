"""Texts from outside within a Markdown document: they stay text there, whatever they hold."""

from __future__ import annotations

import re

from domain.text.visible import escaped, escaped_line

_PUNCTUATION = re.compile(r"(?P<at>@+)|[!-/:-@[-`{-~]")
_BACKTICKS = re.compile("`+")
LEAST_FENCE = 3


def inline(text: str) -> str:
    """Write a text within a line: one line of plain characters, hidden ones by their escapes.

    By CommonMark ASCII punctuation behind a backslash is that character and nothing more, so no emphasis, link,
    image, HTML or entity can begin. Programs that make links of mail addresses look for `@` later: it is code.
    """
    return _PUNCTUATION.sub(
        lambda found: f"`{found['at']}`" if found["at"] else f"\\{found[0]}", escaped_line(text)
    )


def fenced(text: str) -> str:
    """Write a text as a block of code, between fences longer than any run of backticks in it."""
    shown = escaped(text)
    longest = max((len(run) for run in _BACKTICKS.findall(shown)), default=0)
    fence = "`" * max(LEAST_FENCE, longest + 1)
    return f"{fence}\n{shown}\n{fence}"
