"""Emptiness, length, loops and acceptance criteria: what ordinary proposals pass and poor ones do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.checks.acceptance_criteria import AcceptanceCriteria
from domain.checks.check import CheckResult, PlanFacts
from domain.checks.length import Length
from domain.checks.not_empty import NotEmpty
from domain.checks.repetition import Repetition, repeated_share

NOTHING = PlanFacts()
WORDS = ["login", "logout", "profile", "orders", "cart", "invoice", "search", "upload", "audit", "billing"]
ORDINARY = {
    "numbered list": "\n".join(
        f"{n}. Write a unit test for the {word} endpoint and verify that it returns status 200."
        for n, word in enumerate(WORDS, start=1)
    ),
    "table": "| Step | Owner | Test | Docs |\n|---|---|---|---|\n"
    + "\n".join(f"| {word} | backend | yes | no |" for word in WORDS),
    "scenarios": "\n".join(
        f"Scenario: {word}\n  Given a registered user\n  When the user opens the {word} page\n"
        f"  Then the page shows the {word}\n  And the response status is 200\n"
        for word in WORDS
    ),
    "tests": "\n".join(
        f"    def test_{word}(self):\n        response = self.client.get('/{word}')\n"
        f"        self.assertEqual(response.status_code, 200)\n"
        for word in WORDS
    ),
    "checklist": "\n".join(f"- [ ] {word} is done, tested and documented" for word in WORDS),
    "rule": "-" * 500 + "\n" + " ".join(f"{word}{n}" for n in "abcdef" for word in WORDS),
}
LOOPS = {
    "a sentence": "The system should be able to handle the load. " * 30,
    "numbered steps": "\n".join(f"Step {n}: Implement the feature and test it." for n in range(40)),
    "headings": "### Request\n\nAccepted\n\n" * 60,
    "one letter": "a" * 3000,
    "chinese": "我们将实施登录功能并进行测试。" * 20,
    "table rows": "| x | y | z |\n" * 60,
}


def loops(text: str) -> CheckResult:
    return Repetition().run(text, NOTHING)


def criteria(text: str, *stated: str) -> CheckResult:
    return AcceptanceCriteria().run(text, PlanFacts(acceptance_criteria=stated))


@pytest.mark.parametrize(
    "text", ["", " \n\t", "\u200b\u2060\ufeff", "...", "- - -\n***", "a", "12", "\U000e0041" * 50, "`` ` ``"]
)
def test_a_text_without_three_visible_letters_is_removed(text: str) -> None:
    result = NotEmpty().run(text, NOTHING)

    assert (result.passed, result.hard, result.cap) == (False, True, None)


@pytest.mark.parametrize("text", ["Do it", "a-b-c", "测试它", "x = 10;"])
def test_anything_to_read_is_not_empty(text: str) -> None:
    assert NotEmpty().run(text, NOTHING).passed


def test_length_falls_in_proportion_outside_its_bounds_and_is_never_hard() -> None:
    short, fine, long = (Length().run("x" * length, NOTHING) for length in (20, 4000, 40_000))

    assert (short.passed, short.score, short.hard) == (False, 0.5, False)
    assert fine.passed
    assert (long.passed, long.score, long.hard) == (False, 0.5, False)


def test_hidden_characters_and_blanks_make_nothing_longer() -> None:
    assert Length().run("\u200b \n" * 5000 + "x" * 39, NOTHING).reason == "39 characters; 40 are the least"


@pytest.mark.parametrize("kind", ORDINARY)
def test_ordinary_lists_and_tables_are_no_repetition(kind: str) -> None:
    assert loops(ORDINARY[kind]).passed


@pytest.mark.parametrize("kind", LOOPS)
def test_a_pure_loop_is_removed(kind: str) -> None:
    result = loops(LOOPS[kind])

    assert (result.passed, result.hard, result.cap) == (False, True, None)
    assert result.score < 0.2


def test_a_plan_that_ends_in_a_loop_is_lowered_and_stays() -> None:
    result = loops(ORDINARY["checklist"] + "\n" + "and then we test it again " * 40)

    assert (result.passed, result.hard) == (False, False)
    assert 0.2 < result.score < 0.65


def test_saying_it_twice_is_lowered_and_saying_it_once_is_not() -> None:
    pairs = " ".join(f"{first} {second}" for first in WORDS for second in WORDS)

    assert loops(pairs).passed
    assert loops(f"{pairs}. {pairs}").score == pytest.approx(0.5, abs=0.01)


def test_a_short_text_is_not_judged() -> None:
    assert loops("yes " * 50).passed


@given(st.lists(st.sampled_from("abc"), max_size=60), st.integers(1, 8))
def test_the_share_is_what_counting_every_place_by_hand_gives(tokens: list[str], window: int) -> None:
    runs = [tuple(tokens[at : at + window]) for at in range(len(tokens) - window + 1)]
    covered = {place for at, run in enumerate(runs) if run in runs[:at] for place in range(at, at + window)}

    assert repeated_share(tokens, window=window) == pytest.approx(len(covered) / max(1, len(tokens)))


def test_criteria_are_found_in_other_words_of_the_same_stem() -> None:
    text = "Tokens are validated, they expire hourly (60 minutes) and every reset is logged."

    assert criteria(text, "token validation", "expiry after 60 minutes", "resets are logged").passed


def test_missing_criteria_are_counted_and_named_by_number() -> None:
    result = criteria(
        "We log every reset.", "resets are logged", "two-factor login", "export as CSV", "log resets"
    )

    assert (result.passed, result.score, result.hard) == (False, 0.5, False)
    assert result.reason == "says nothing of 2 of 4 acceptance criteria: number 2, 3"


def test_criteria_in_scripts_without_blanks_are_compared_by_pairs_of_characters() -> None:
    assert criteria("我们发送链接, 链接在一小时后过期。", "链接一小时后过期").passed
    assert not criteria("我们写文档。", "链接一小时后过期").passed


def test_a_plan_without_criteria_or_with_empty_ones_asks_for_nothing() -> None:
    assert criteria("anything").passed
    assert criteria("anything", "", "it is so").passed


def test_words_hidden_from_people_address_nothing() -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "export as CSV")

    assert not criteria(f"Write it.{hidden}", "export as CSV").passed


@given(st.text(), st.text())
def test_a_criterion_quoted_in_full_counts_as_addressed(criterion: str, text: str) -> None:
    assert criteria(f"{text}\n{criterion}\n", criterion).passed
