"""An answer in a form is read exactly or not at all."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.chat import ScoreForm

FORM = ScoreForm(lines=("A fit", "A clarity", "B fit"))
WRITTEN = "A fit: 7\nA clarity: 8\nB fit: 6"
NAMES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9 _-]{0,20}\Z")
FORMS = st.builds(ScoreForm, lines=st.lists(NAMES, min_size=1, max_size=20).map(tuple))


CHECKED = ScoreForm(lines=("A", "B"), checks=("A meets 1", "B meets 1"))
ANSWERED = "A: 7\nB: 8\nA meets 1: yes\nB meets 1: no"


def test_scores_come_in_the_order_of_lines() -> None:
    assert FORM.read(WRITTEN) == (7, 8, 6)


@pytest.mark.parametrize("text", [f" {WRITTEN}", f"{WRITTEN}\n", f"\r\n\t{WRITTEN} \n\n"])
def test_white_space_round_an_answer_does_not_matter(text: str) -> None:
    assert FORM.read(text) == (7, 8, 6)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "\n\n", "786", "7,8,6", "A fit: 7", "A fit: 7\nA clarity: 8", f"{WRITTEN}\nB clarity: 5",
        f"{WRITTEN}5", f"Here is my ballot:\n{WRITTEN}", f"{WRITTEN}\n\nB is good", WRITTEN.replace("\n", ", "),
        WRITTEN.replace("7", "0"), WRITTEN.replace("7", "10"), WRITTEN.replace("7", "-7"),
        WRITTEN.replace("7", "x"), WRITTEN.replace("7", "7."), WRITTEN.replace(": ", ":"),
        WRITTEN.replace(": ", " : "),
        WRITTEN.replace("A fit", "a fit"), WRITTEN.replace("A fit", "B fit"), WRITTEN.replace("\n", "\n\n"),
        WRITTEN.replace("\n", "\r\n"), WRITTEN.replace("\n", "\u2028"), WRITTEN.replace("7", "\u0667"),
        WRITTEN.replace("7", "\uff17"), WRITTEN.replace("7", "\u00b2"), WRITTEN.replace("7", "7\u200b"),
        WRITTEN.replace(" ", "\u00a0"), '{"A fit": 7, "A clarity": 8, "B fit": 6}', f"{WRITTEN}\x00",
        "B fit: 6\nA fit: 7\nA clarity: 8",
    ],
)  # fmt: skip
def test_anything_else_is_off_form(text: str) -> None:
    assert FORM.read(text) is None


def test_checks_follow_the_scores_and_are_worth_one_or_nothing() -> None:
    assert CHECKED.read(ANSWERED) == (7, 8, 1, 0)
    assert CHECKED.shape == "A: x\nB: x\nA meets 1: y\nB meets 1: y"
    assert len(ANSWERED.replace("no", "yes")) < CHECKED.max_tokens


@pytest.mark.parametrize("word", ["Yes", "y", "1", "yes.", "", "no way", "yesno", "no\u200b"])
def test_a_check_is_answered_with_nothing_but_yes_or_no(word: str) -> None:
    assert CHECKED.read(ANSWERED.replace("yes", word)) is None


@given(st.text())
@example("9" * 100_000)
@example("A fit: 7\n" * 50_000)
@example("\n" * 100_000)
def test_no_text_raises(text: str) -> None:
    assert FORM.read(text) is None


@given(st.data(), FORMS)
def test_every_answer_in_form_is_read_back_within_the_bound(data: st.DataObject, form: ScoreForm) -> None:
    scores = tuple(data.draw(st.lists(st.integers(1, 9), min_size=len(form.lines), max_size=len(form.lines))))
    text = "\n".join(f"{name}: {score}" for name, score in zip(form.lines, scores, strict=True))

    assert form.read(text) == scores
    assert len(text) == len(form.shape) < form.max_tokens


@pytest.mark.parametrize("name", ["", " A", "A:", 'A "x"', "A\n", "A\nB", "[1-9]", "Ä", "x" * 65, "A\\d"])
def test_a_line_is_called_nothing_that_means_something_to_a_grammar(name: str) -> None:
    with pytest.raises(ValidationError):
        ScoreForm(lines=(name,))
