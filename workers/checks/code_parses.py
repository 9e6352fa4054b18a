"""Does the code in a proposal parse, in the languages that the `languages` extra knows? Nothing of it is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from textwrap import dedent
from typing import TYPE_CHECKING

from domain.checks.fenced_code import FencedCode
from domain.text.code_blocks import Piece

if TYPE_CHECKING:
    from tree_sitter import Node

PARSER = "tree_sitter"
GRAMMARS = {
    "c": ("tree_sitter_c", "language", ("c", "h")),
    "go": ("tree_sitter_go", "language", ("go", "golang")),
    "java": ("tree_sitter_java", "language", ("java",)),
    "javascript": ("tree_sitter_javascript", "language", ("javascript", "js", "jsx", "mjs")),
    "rust": ("tree_sitter_rust", "language", ("rust", "rs")),
    "tsx": ("tree_sitter_typescript", "language_tsx", ("tsx",)),
    "typescript": ("tree_sitter_typescript", "language_typescript", ("typescript", "ts")),
}
"""Module, its function that gives the grammar, and the info strings of fences that mean it.

No SQL: the dialects differ so much that its one grammar would cap proposals for sound code.
"""
_ELIDED = re.compile(r"^([ \t]*)(?:\.\.\.|…)[ \t]*+(?:;[ \t]*+)?$", re.MULTILINE)
_ELIDED_BODY = re.compile(r"(?<=\{)([ \t]*)(?:\.\.\.|…)(?=[ \t]*+(?:;[ \t]*+)?\})")


def installed() -> bool:
    """Whether the extra is there, all of it; imports nothing."""
    return all(find_spec(module) for module in (PARSER, *(module for module, _, _ in GRAMMARS.values())))


class CodeParses(FencedCode):
    """Caps a proposal whose C, Go, Java, JavaScript, Rust or TypeScript does not parse, and says in which line."""

    name = "code"
    languages = frozenset(word for _, _, words in GRAMMARS.values() for word in words)

    def __init__(self) -> None:
        """Load the grammars; raises ImportError where the extra is not installed."""
        from tree_sitter import Language

        self._known: dict[str, Language] = {}
        for module, give, words in GRAMMARS.values():
            self._known |= dict.fromkeys(words, Language(getattr(import_module(module), give)()))

    def fault(self, block: Piece) -> int | None:
        """Return the first line with a syntax error; `...` is understood, as people leave out code in a sketch."""
        from tree_sitter import Parser

        code = _ELIDED_BODY.sub(r"\1", _ELIDED.sub(r"\1", dedent(block.body)))
        # A parser holds what it is at, so every call has one of its own; the grammars are only read.
        tree = Parser(self._known[block.language]).parse(code.encode(errors="replace"))
        lines = [node.start_point[0] for node in _broken(tree.root_node)]
        return block.line + 1 + min(lines) if lines else None


def _broken(root: Node) -> Iterator[Node]:
    """Yield what the parser skipped and what it missed, without recursion: hostile code is nested deeply."""
    waiting = [root] if root.has_error else []
    while waiting:
        node = waiting.pop()
        inside = [child for child in node.children if child.has_error]
        if node.is_error or node.is_missing or not inside:
            yield node
        else:
            waiting += inside
