"""What the checks of fenced code share: find the blocks, try each, cap what holds a broken one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from textwrap import dedent
from typing import ClassVar

from domain.checks.check import CheckResult, NotJudged, PlanFacts
from domain.text.code_blocks import Piece, code_blocks
from domain.text.visible import visible

CAP = 0.5
"""Code that does not parse can't be carried out as written: no better than the middle of the scale."""
LONGEST = 20_000
"""Characters that are tried, all blocks of a language together: some parsers get slow and deep on more."""
MOST = 50
"""Blocks of one language that are tried."""


class FencedCode(ABC):
    """Tries every fenced block of some languages; subclasses say where a block is broken."""

    name: ClassVar[str]
    languages: ClassVar[frozenset[str]]
    """Info strings of the fences, in lower case."""
    hard: ClassVar[bool] = True

    def run(self, proposal_text: str, plan_facts: PlanFacts) -> CheckResult:
        """Cap the proposal at the middle if a block doesn't parse; the score is the share that does.

        Raises NotJudged where no block is known to be broken and some could not be tried.
        """
        blocks = [block for block in code_blocks(visible(proposal_text)) if block.language in self.languages]
        if not blocks:
            return CheckResult(name=self.name, passed=True, score=1.0, reason="nothing to try")
        tried = _within_bounds(blocks)
        broken, doubts = self._faults(tried)
        if len(tried) < len(blocks):
            doubts.append(f"of {len(blocks)} blocks only {LONGEST} characters and {MOST} blocks are tried")
        if not broken and doubts:
            raise NotJudged(doubts[0])
        if not broken:
            return CheckResult(name=self.name, passed=True, score=1.0)
        return CheckResult(
            name=self.name,
            passed=False,
            hard=True,
            score=round(1 - len(broken) / len(tried), 4),
            reason=f"{len(broken)} of {len(tried)} blocks broken, the first in line {broken[0]}; capped at {CAP}",
            cap=CAP,
        )

    def _faults(self, tried: Iterable[Piece]) -> tuple[list[int], list[str]]:
        """Return the lines of what is broken, and why some blocks can't be told."""
        broken, doubts = list[int](), list[str]()
        for block in tried:
            try:
                line = self.fault(block)
            except NotJudged as reason:
                doubts.append(str(reason))
            else:
                broken += [] if line is None else [line]
        return broken, doubts

    @abstractmethod
    def fault(self, block: Piece) -> int | None:
        """Return the proposal's line where the block is first broken; None if it is complete and well formed.

        Raises NotJudged where that can't be told.
        """


class WholeBlocks(FencedCode):
    """For parsers that say yes or no: a broken block is reported with the line of its fence."""

    def fault(self, block: Piece) -> int | None:
        """Return the fence's line unless the block parses."""
        try:
            return None if self.parses(dedent(block.body)) else block.line
        except (RecursionError, MemoryError) as error:
            raise NotJudged("a block is nested too deeply to be read") from error

    @abstractmethod
    def parses(self, code: str) -> bool:
        """Tell whether the code, indentation common to all lines removed, is complete and well formed.

        Raises RecursionError or MemoryError where the parser's own depth does not suffice.
        """


def _within_bounds(blocks: Iterable[Piece]) -> list[Piece]:
    tried: list[Piece] = []
    left = LONGEST
    for block in blocks:
        if len(block.text) <= left and len(tried) < MOST:
            tried.append(block)
            left -= len(block.text)
    return tried
