"""A ballot is read exactly or not at all."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.review.ballot_form import MAX_TOKENS_A_PROPOSAL, ballot_form, max_tokens, parse_ballot, shape

CRITERIA = ("fit", "feasibility", "clarity")


def parse(text: str, labels: str = "BC") -> dict[str, dict[str, int]] | None:
    return parse_ballot(text, labels=tuple(labels), criteria=CRITERIA)


def test_groups_are_labels_in_order_and_digits_criteria_in_order() -> None:
    assert parse("786,554") == {
        "B": {"fit": 7, "feasibility": 8, "clarity": 6},
        "C": {"fit": 5, "feasibility": 5, "clarity": 4},
    }


@pytest.mark.parametrize("text", [" 786,554", "786,554\n", "\r\n\t786,554 \n\n"])
def test_white_space_round_a_ballot_does_not_matter(text: str) -> None:
    assert parse(text) == parse("786,554")


@pytest.mark.parametrize(
    "text",
    [
        "", " ", ",", "786", "786,", ",786,554", "786,554,", "786,554,333", "78,554", "7865,54", "780,554",
        "786, 554", "7 8 6,5 5 4", "786;554", "786\n554", "786,554.", "A786,554", "B:786,C:554", "-86,554",
        "\u0667\u0668\u0666,\u0665\u0665\u0664", "\uff17\uff18\uff16,554", "\u00b2\u00b2\u00b2,554",
        "786,55\u0bea", "\u200b786,554",
        '{"B":[7,8,6],"C":[5,5,4]}', "Here is my ballot: 786,554", "786,554 because B is good", "999,999\n786,554",
        "786,554\x00", "786\u060c554",
    ],
)  # fmt: skip
def test_anything_else_is_no_ballot(text: str) -> None:
    assert parse(text) is None


@given(st.text())
@example("9" * 100_000)
@example("999," * 50_000)
def test_no_text_raises_and_only_the_exact_form_is_read(text: str) -> None:
    scores = parse(text)

    assert (scores is not None) == (
        text.strip(" \t\r\n").isascii()
        and [len(group) for group in text.strip(" \t\r\n").split(",")] == [3, 3]
        and set(text.strip(" \t\r\n")) <= set("123456789,")
    )


@given(st.data(), st.integers(1, 17), st.integers(1, 8))
def test_every_ballot_in_form_is_read_back(data: st.DataObject, rows: int, columns: int) -> None:
    labels = tuple("ABCDEFGHIJKLMNOPQ"[:rows])
    criteria = tuple(f"c{number}" for number in range(columns))
    scores = {label: {criterion: data.draw(st.integers(1, 9)) for criterion in criteria} for label in labels}
    text = ",".join("".join(str(digit) for digit in scores[label].values()) for label in labels)

    assert parse_ballot(text, labels=labels, criteria=criteria) == scores
    assert len(text) == len(shape(ballot_form(labels, criteria)))


@given(st.integers(1, 64), st.integers(1, 8))
def test_a_ballot_costs_at_most_ten_tokens_a_proposal(rows: int, columns: int) -> None:
    form = ballot_form(range(rows), range(columns))  # type: ignore[arg-type]

    assert len(shape(form)) + 1 <= max_tokens(form) <= MAX_TOKENS_A_PROPOSAL * rows
