"""Where the code is: fenced blocks of Markdown, as models write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(r"[ \t]*(?P<mark>`{3,}|~{3,})(?P<info>.*)", re.DOTALL)
_MARKS = ("```", "~~~")
_PROSE = frozenset({"markdown", "md"})


@dataclass(frozen=True)
class Piece:
    """A run of whole lines. The pieces of a text, joined, are the text."""

    text: str
    code: bool = False
    """True for a fenced block, its two fence lines included."""
    language: str = ""
    """First word of the fence's info string, in lower case."""
    line: int = 1
    """Number of its first line in the text."""

    @property
    def body(self) -> str:
        """The lines between the fences, with newlines for CRLF."""
        lines = self.text.split("\n")
        return "".join(f"{line.removesuffix(chr(13))}\n" for line in lines[1 : _last_fence(lines)])


@dataclass(frozen=True)
class _Fence:
    mark: str
    info: str

    @property
    def opens(self) -> bool:
        return not (self.mark[0] == "`" and "`" in self.info) and not self.wraps_prose

    @property
    def wraps_prose(self) -> bool:
        # Models like to fence a whole answer as Markdown; what is fenced inside that is the code.
        return self.language in _PROSE

    @property
    def bare(self) -> bool:
        return not self.info.strip()

    @property
    def language(self) -> str:
        return re.split(r"[\s,:{}]", self.info.strip(" \t\r{.").lower(), maxsplit=1)[0]

    def closed_by(self, later: _Fence) -> bool:
        return later.mark.startswith(self.mark) and later.bare


def pieces(text: str) -> tuple[Piece, ...]:
    """Cut a text into prose and code. Time grows with the text's length.

    A fence may be indented by any depth (models indent code inside lists). A fence that is never closed opens
    nothing: otherwise it would turn all that follows into code.
    """
    return tuple(_cut(text))


def code_blocks(text: str) -> tuple[Piece, ...]:
    """Return the fenced blocks only."""
    return tuple(piece for piece in pieces(text) if piece.code)


def _cut(text: str) -> Iterator[Piece]:
    if not any(mark in text for mark in _MARKS):
        yield from [Piece(text)] if text else []
        return
    lines = text.split("\n")
    start = 0
    for first, end, language in _blocks([_fence(line) for line in lines]):
        if start < first:
            yield Piece(_join(lines, start, first), line=start + 1)
        yield Piece(_join(lines, first, end), code=True, language=language, line=first + 1)
        start = end
    rest = _join(lines, start, len(lines))
    if rest:
        yield Piece(rest, line=start + 1)


def _blocks(fences: list[_Fence | None]) -> Iterator[tuple[int, int, str]]:
    """Yield each block's first line, the line after its last, and its language."""
    closable = _closable(fences)
    wrapped = line = 0
    while line < len(fences):
        fence = fences[line]
        after = line + 1
        if fence is not None and fence.wraps_prose:
            wrapped += 1
        elif fence is not None and fence.bare and wrapped:
            wrapped -= 1
        elif fence is not None and closable[line]:
            after = _closing(fences, line)
            yield line, after, fence.language
        line = after


def _fence(line: str) -> _Fence | None:
    match = _FENCE.match(line)
    return _Fence(match["mark"], match["info"]) if match else None


def _closable(fences: list[_Fence | None]) -> list[bool]:
    """Tell for each line whether it opens a block that is closed further down, in one pass from the end."""
    longest = {"`": 0, "~": 0}
    result = [False] * len(fences)
    for line in range(len(fences) - 1, -1, -1):
        fence = fences[line]
        if fence is None:
            continue
        kind, length = fence.mark[0], len(fence.mark)
        result[line] = fence.opens and longest[kind] >= length
        if fence.bare:
            longest[kind] = max(longest[kind], length)
    return result


def _closing(fences: list[_Fence | None], opening: int) -> int:
    """Return the line after the one that closes the block; there is one."""
    first = fences[opening]
    assert first is not None
    return next(
        line + 1
        for line in range(opening + 1, len(fences))
        if (fence := fences[line]) is not None and first.closed_by(fence)
    )


def _join(lines: list[str], start: int, end: int) -> str:
    return "\n".join(lines[start:end]) + ("\n" if end < len(lines) else "")


def _last_fence(lines: list[str]) -> int:
    return max(number for number, line in enumerate(lines) if line.strip())
