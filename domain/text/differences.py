"""What differs between two texts, line beside line."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import zip_longest

from domain.value import Value

MOST_LINES = 600
"""Lines of each text that are compared: the time grows with their product, and texts are from outside."""
AROUND = 3
"""Equal lines that stand around a difference."""


class NumberedLine(Value):
    """A line of a text, and which one; the first is 1."""

    number: int
    text: str


class LinePair(Value):
    """What stands at one height; None where a text has nothing there."""

    left: NumberedLine | None
    right: NumberedLine | None

    @property
    def equal(self) -> bool:
        return self.left is not None and self.right is not None and self.left.text == self.right.text


class TextDifference(Value):
    """Where two texts differ."""

    groups: tuple[tuple[LinePair, ...], ...]
    """Runs of lines, top down, with equal lines left out between them; none where the texts are equal."""
    cut: bool
    """A text is longer than what was compared."""


def difference(left: str, right: str) -> TextDifference:
    """Compare two texts by lines."""
    lefts, rights = left.removesuffix("\n").split("\n"), right.removesuffix("\n").split("\n")
    cut = len(lefts) > MOST_LINES or len(rights) > MOST_LINES
    lefts, rights = lefts[:MOST_LINES], rights[:MOST_LINES]
    groups = SequenceMatcher(None, lefts, rights).get_grouped_opcodes(AROUND)
    return TextDifference(
        groups=tuple(
            tuple(
                pair
                for _, *(begin, end, from_, to) in group
                for pair in _pairs(_numbered(lefts, begin, end), _numbered(rights, from_, to))
            )
            for group in groups
        ),
        cut=cut,
    )


def _numbered(lines: list[str], begin: int, end: int) -> list[NumberedLine]:
    return [NumberedLine(number=number + 1, text=lines[number]) for number in range(begin, end)]


def _pairs(lefts: list[NumberedLine], rights: list[NumberedLine]) -> Iterator[LinePair]:
    for left, right in zip_longest(lefts, rights):
        yield LinePair(left=left, right=right)
