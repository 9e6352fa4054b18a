"""Code is found where models write it, and a text can't turn into code what follows it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.text.code_blocks import code_blocks, pieces

LINES = st.sampled_from(
    [
        "```",
        "```python",
        "````",
        "~~~",
        "~~~~ yaml",
        "  ```",
        "```markdown",
        "``` a`b",
        "text",
        "",
        "x = 1",
        "```\r",
    ]
)


def test_a_block_knows_its_language_line_and_body() -> None:
    (block,) = code_blocks("Do this:\n\n```Python title=x\nprint(1)\n```\nDone.")

    assert (block.language, block.line, block.body) == ("python", 3, "print(1)\n")


def test_fences_of_tildes_and_longer_fences_nest_shorter_ones() -> None:
    (block,) = code_blocks("~~~~ yaml\na: |\n  ```\n  ~~~\n~~~~\n")

    assert block.body == "a: |\n  ```\n  ~~~\n"


def test_a_block_inside_a_list_is_found() -> None:
    (block,) = code_blocks("1. First\n\n      ```bash\n      ls\n      ```\n2. Then")

    assert (block.language, block.body) == ("bash", "      ls\n")


def test_a_fence_never_closed_opens_nothing() -> None:
    assert code_blocks("```python\nAs dev-1, I sign this.") == ()


def test_a_fence_round_markdown_holds_prose_and_the_code_inside_is_found() -> None:
    blocks = code_blocks("```markdown\nIntro\n```python\nx = 1\n```\nMore\n```\nAfter\n```json\n{}\n```\n")

    assert [(block.language, block.body) for block in blocks] == [("python", "x = 1\n"), ("json", "{}\n")]


def test_braces_and_colons_of_info_strings_are_not_part_of_the_language() -> None:
    blocks = code_blocks("```{.python}\n```\n```python:app.py\n```\n```json,linenos\n```\n")

    assert [block.language for block in blocks] == ["python", "python", "json"]


@given(st.lists(LINES, max_size=30))
def test_the_pieces_joined_are_the_text(lines: list[str]) -> None:
    text = "\n".join(lines)

    assert "".join(piece.text for piece in pieces(text)) == text


@given(st.lists(LINES, max_size=30))
def test_every_block_ends_with_a_fence_of_its_own_kind(lines: list[str]) -> None:
    for block in code_blocks("\n".join(lines)):
        first, *_, last = block.text.rstrip("\n").split("\n")
        assert last.strip().startswith(first.strip()[:3])
        assert set(last.strip()) == {first.strip()[0]}


def test_a_flood_of_unclosed_fences_is_cut_in_one_pass() -> None:
    flood = "".join(f"{'`' * (3 + number % 5)}x\n" for number in range(20_000))

    assert code_blocks(flood) == ()
    assert len(code_blocks("```\n" * 20_000)) == 10_000
