"""Differences show every line that differs at its number, and leave out what is equal around them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.text.differences import AROUND, MOST_LINES, NumberedLine, difference

TEXTS = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=30).map("\n".join)


def test_equal_texts_do_not_differ() -> None:
    assert difference("a\nb", "a\nb\n").groups == ()


def test_a_changed_line_stands_beside_what_it_was_with_equal_lines_around() -> None:
    before = [f"line {n}" for n in range(1, 41)]
    after = [*before[:19], "another", *before[20:]]
    (group,) = difference("\n".join(before), "\n".join(after)).groups
    assert len(group) == 2 * AROUND + 1
    changed = group[AROUND]
    assert changed.left == NumberedLine(number=20, text="line 20")
    assert changed.right == NumberedLine(number=20, text="another")
    assert [pair.equal for pair in group].count(False) == 1


@given(left=TEXTS, right=TEXTS)
def test_what_is_left_out_is_equal(left: str, right: str) -> None:
    found = difference(left, right)
    pairs = [pair for group in found.groups for pair in group]
    told = (
        {pair.left.number for pair in pairs if pair.left},
        {pair.right.number for pair in pairs if pair.right},
    )
    rest = [
        [line for number, line in enumerate(text.removesuffix("\n").split("\n"), 1) if number not in numbers]
        for text, numbers in zip((left, right), told, strict=True)
    ]
    assert rest[0] == rest[1]


def test_long_texts_are_compared_so_far_and_no_further() -> None:
    found = difference("a\n" * MOST_LINES + "b", "a\n" * MOST_LINES + "c")
    assert found.cut
    assert found.groups == ()


def test_texts_that_repeat_themselves_are_compared_in_time() -> None:
    one = "\n".join(str(n % 80) for n in range(MOST_LINES))
    other = "\n".join(str(n % 79) for n in range(MOST_LINES))
    assert difference(one, other).groups
