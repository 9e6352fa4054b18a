"""What readers of Markdown make of a document."""

from __future__ import annotations

from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
INERT = {"text", "code_inline", "softbreak", "fence"}


def tokens(document: str) -> Iterator[Token]:
    """Yield all tokens of a document, those within lines too."""
    for token in PARSER.parse(document):
        yield token
        yield from token.children or ()


def lines_of(document: str) -> list[str]:
    """Return the text of each inline block, as a reader sees it."""
    return ["".join(child.content for child in token.children or ()) for token in PARSER.parse(document)]
