"""Why a proposal is as it is, in a few sentences: what its own text says first about that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from domain.text.code_blocks import pieces
from domain.text.visible import visible

LONGEST = 400
"""Characters of a rationale."""
SENTENCES = 3
LONGEST_LABEL = 60
_MARKS = re.compile(r"[\s#>*_+\u2022-]*(?:\d{1,3}[.)]\s*)?[\s*_]*")
_WHY = re.compile(r"(?:why|rationale|reason(?:s|ing)?|justification)\b", re.IGNORECASE)
_LABEL_END = re.compile(r"[:?]")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[\u3002\uff01\uff1f])")


def rationale_of(text: str) -> str:
    """Return the first sentences below the proposal's heading or label "Why" (or "Rationale", "Reason").

    A proposal without one is told by its first paragraph. At most SENTENCES sentences and LONGEST characters, on
    one line, without code; empty where there is no prose. Time grows with the text's length.
    """
    lines = [line for piece in pieces(visible(text)) if not piece.code for line in piece.text.splitlines()]
    return _first_sentences(_below_label(lines) or _paragraph(lines))


def _below_label(lines: Sequence[str]) -> str:
    for number, line in enumerate(lines):
        beginning = _after_label(line)
        if beginning:
            return f"{beginning} {_paragraph(lines[number + 1 :], goes_on=True)}"
        if beginning is not None and (below := _paragraph(lines[number + 1 :])):
            return below
    return ""


def _after_label(line: str) -> str | None:
    """Return what stands behind a label on its line, empty for a heading; None where the line is neither."""
    plain = _plain(line)
    if not _WHY.match(plain):
        return None
    end = _LABEL_END.search(plain, 0, LONGEST_LABEL)
    if end is not None:
        return plain[end.end() :].strip()
    return "" if line.lstrip().startswith(("#", "**")) or _WHY.fullmatch(plain) else None


def _paragraph(lines: Sequence[str], *, goes_on: bool = False) -> str:
    return " ".join(_paragraph_lines(lines, goes_on=goes_on))


def _paragraph_lines(lines: Sequence[str], *, goes_on: bool) -> Iterator[str]:
    """Yield the lines of the first paragraph; one that goes on begins with the first line, or is empty."""
    begun, length = goes_on, 0
    for line in lines:
        plain = "" if line.lstrip().startswith("#") else _plain(line)
        if plain:
            begun = True
            length += len(plain)
            yield plain
        if (begun and not plain) or length > LONGEST:
            return


def _plain(line: str) -> str:
    marks = _MARKS.match(line)
    return line[marks.end() if marks else 0 :].replace("**", "").strip()


def _first_sentences(paragraph: str) -> str:
    text = ""
    for sentence in _SENTENCE_END.split(" ".join(paragraph.split()))[:SENTENCES]:
        longer = f"{text} {sentence}".strip()
        if len(longer) > LONGEST:
            return text or f"{sentence[: LONGEST - 1].rstrip()}\u2026"
        text = longer
    return text
