"""Texts from outside do nothing in a Markdown document, by a CommonMark parser's word."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.text.markdown import fenced, inline
from domain.text.visible import escaped, escaped_line
from tests.support.markdown import INERT, PARSER, tokens

PIECES = st.sampled_from(
    [
        *"`~*_[]()<>#!&|\\-+=:@$.\n\t \r\x00\u202e1a",
        "```",
        "````\n",
        "](javascript:alert(1))",
        "![x](http://evil.example)",
        "<script>",
        "<http://evil.example>",
        "&lt;",
        "# ",
        "    ",
        "\n---\n",
        "ada@evil.example",
        "[a]: /b\n",
    ]
)
TEXTS = st.one_of(st.lists(PIECES, max_size=40).map("".join), st.text(max_size=60))


@given(TEXTS)
@example("@`@@``@")
@example("\\")
def test_a_text_in_a_line_stays_the_text_of_that_line(text: str) -> None:
    document = f"# Head: {inline(text)} end\n\n- {inline(text)}\n- next\n"
    found = list(tokens(document))
    assert [token.tag for token in found if token.type == "heading_open"] == ["h1"]
    assert len([token for token in found if token.type == "list_item_open"]) == 2
    within = [child for token in PARSER.parse(document) for child in token.children or ()]
    assert {child.type for child in within} <= INERT
    first = next(token for token in PARSER.parse(document) if token.type == "inline")
    shown = "".join(child.content for child in first.children or ())
    assert shown == f"Head: {escaped_line(text)} end"


@given(TEXTS)
def test_a_text_as_a_block_is_one_block_of_code(text: str) -> None:
    parsed = PARSER.parse(f"before\n\n{fenced(text)}\n\nafter\n")
    paragraph = ["paragraph_open", "inline", "paragraph_close"]
    assert [token.type for token in parsed] == [*paragraph, "fence", *paragraph]
    block, after = parsed[3], parsed[5]
    assert (block.info, block.content) == ("", f"{escaped(text)}\n")
    assert after.content == "after"


@pytest.mark.parametrize("beginning", ["www.", "://", "<b>", "mailto:"])
def test_what_programs_make_links_of_without_being_told_is_not_there(beginning: str) -> None:
    assert beginning not in inline(f"see {beginning}evil.example/a")
