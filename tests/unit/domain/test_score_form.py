"""An answer in a form is read exactly or not at all."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.chat import ScoreForm

FORM = ScoreForm(rows=2, columns=3)
FORMS = st.builds(ScoreForm, rows=st.integers(1, 64), columns=st.integers(1, 8))


def test_groups_are_rows_in_order_and_digits_columns_in_order() -> None:
    assert FORM.read("786,554") == ((7, 8, 6), (5, 5, 4))


@pytest.mark.parametrize("text", [" 786,554", "786,554\n", "\r\n\t786,554 \n\n"])
def test_white_space_round_an_answer_does_not_matter(text: str) -> None:
    assert FORM.read(text) == FORM.read("786,554")


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
def test_anything_else_is_off_form(text: str) -> None:
    assert FORM.read(text) is None


@given(st.text())
@example("9" * 100_000)
@example("999," * 50_000)
def test_no_text_raises_and_only_the_exact_form_is_read(text: str) -> None:
    scores = FORM.read(text)

    assert (scores is not None) == (
        text.strip(" \t\r\n").isascii()
        and [len(group) for group in text.strip(" \t\r\n").split(",")] == [3, 3]
        and set(text.strip(" \t\r\n")) <= set("123456789,")
    )


@given(st.data(), st.builds(ScoreForm, rows=st.integers(1, 17), columns=st.integers(1, 8)))
def test_every_answer_in_form_is_read_back(data: st.DataObject, form: ScoreForm) -> None:
    row = st.tuples(*[st.integers(1, 9)] * form.columns)
    scores = tuple(data.draw(row) for _ in range(form.rows))
    text = ",".join("".join(map(str, row)) for row in scores)

    assert form.read(text) == scores
    assert len(text) == len(form.shape)


@given(FORMS)
def test_an_answer_costs_at_most_ten_tokens_a_row(form: ScoreForm) -> None:
    assert len(form.shape) + 1 <= form.max_tokens <= 10 * form.rows
