"""The gate draws the same conclusions whatever a check does, and no check can take it down."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.checks.acceptance_criteria import AcceptanceCriteria
from domain.checks.check import Check, CheckResult, NotJudged, PlanFacts
from domain.checks.echo import Echo
from domain.checks.gate import GateReport, report, run_gate
from domain.checks.json_parses import JsonParses
from domain.checks.length import Length
from domain.checks.not_empty import NotEmpty
from domain.checks.python_parses import PythonParses
from domain.checks.repetition import Repetition
from domain.checks.runner import InProcess
from domain.checks.secrets import Secrets
from domain.checks.toml_parses import TomlParses
from domain.completed import checks_body

ALL: tuple[Check, ...] = (
    NotEmpty(),
    Length(),
    Repetition(),
    Echo(),
    Secrets(),
    AcceptanceCriteria(),
    PythonParses(),
    JsonParses(),
    TomlParses(),
)
FACTS = PlanFacts(title="Reset", acceptance_criteria=("links expire after one hour", "sessions end"))
SOUND = "Send a link that expires after one hour; using it ends all sessions of the account. Test both."

RESULTS = st.lists(
    st.builds(
        CheckResult,
        name=st.sampled_from("abcdefg"),
        passed=st.booleans(),
        hard=st.booleans(),
        score=st.floats(0, 1),
        cap=st.one_of(st.none(), st.floats(0, 1)),
        judged=st.booleans(),
    ),
    max_size=7,
)


@dataclass(frozen=True)
class Fixed:
    """A check that answers, or raises, as told."""

    name: str = "fixed"
    hard: bool = False
    answer: object = None

    def run(self, proposal_text: str, plan_facts: PlanFacts) -> CheckResult:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[return-value]


def result(**facts: object) -> CheckResult:
    return CheckResult.model_validate({"name": "fixed", "passed": False, "score": 0.0, **facts})


def test_a_sound_proposal_passes_every_check() -> None:
    gate = run_gate(InProcess(ALL), SOUND, FACTS)

    assert (gate.overall_score, gate.excluded, gate.cap) == (1.0, False, None)
    assert all(outcome.passed for outcome in gate.results)


def test_a_hard_failure_removes_a_capped_one_caps_and_a_soft_one_only_lowers() -> None:
    passed = CheckResult(name="other", passed=True, score=1.0)

    removed = report([passed, result(hard=True)])
    capped = report([passed, result(hard=True, cap=0.3)])
    lowered = report([passed, result(score=0.2)])

    assert (removed.excluded, removed.overall_score) == (True, 0.0)
    assert (capped.excluded, capped.cap, capped.overall_score) == (False, 0.3, 0.3)
    assert (lowered.excluded, lowered.cap, lowered.overall_score) == (False, None, 0.6)
    assert [outcome.name for outcome in removed.failures] == ["fixed"]


def test_the_cap_is_a_part_of_the_way_from_worst_to_best() -> None:
    capped = report([result(hard=True, cap=0.5), result(hard=True, cap=0.25)])

    assert capped.capped(8.2) == 3.0
    assert capped.capped(2.0) == 2.0
    assert capped.capped(0.9, worst=0.0, best=1.0) == 0.25
    assert report([]).capped(8.2) == 8.2


@pytest.mark.parametrize("error", [ValueError("text of the proposal"), RecursionError(), OSError(), KeyError("x")])
def test_a_check_that_raises_fails_alone_and_tells_only_what_kind_of_error_it_was(error: Exception) -> None:
    gate = run_gate(InProcess([NotEmpty(), Fixed(answer=error, hard=True), Length()]), SOUND, FACTS)

    failed = gate.results[1]
    assert [outcome.passed for outcome in gate.results] == [True, False, True]
    assert failed.reason == f"the check itself failed with {type(error).__name__}"
    assert not gate.excluded
    assert gate.overall_score < 1


@pytest.mark.parametrize("error", [NotJudged("the dictionary is out"), MemoryError()])
def test_what_was_not_judged_counts_neither_for_nor_against_the_proposal(error: Exception) -> None:
    gate = run_gate(
        InProcess([Fixed(answer=error, hard=True), Fixed("half", answer=result(name="half", score=0.5))]),
        SOUND,
        FACTS,
    )

    assert [outcome.judged for outcome in gate.results] == [False, True]
    assert gate.results[0].reason in ("not judged: the dictionary is out", "not judged: it ran out of memory")
    assert (gate.overall_score, gate.excluded, gate.failures) == (0.5, False, ())
    assert report([gate.results[0]]).overall_score == 1.0


def test_a_hard_result_that_was_not_judged_neither_removes_nor_caps() -> None:
    gate = report([result(hard=True, judged=False), result(hard=True, judged=False, cap=0.1)])

    assert (gate.excluded, gate.cap, gate.overall_score) == (False, None, 1.0)


@pytest.mark.parametrize("answer", [None, "fine", result(name="another")])
def test_an_answer_that_is_no_result_of_that_check_is_its_failure(answer: object) -> None:
    gate = run_gate(InProcess([Fixed(answer=answer, hard=True)]), SOUND, FACTS)

    assert gate.results[0].name == "fixed"
    assert not gate.results[0].passed
    assert not gate.excluded


def test_a_check_that_says_it_is_not_hard_can_neither_remove_nor_cap() -> None:
    gate = run_gate(
        InProcess([Fixed(answer=result(hard=True)), Fixed(answer=result(hard=True, cap=0.1))]), SOUND, FACTS
    )

    assert (gate.excluded, gate.cap) == (False, None)


def test_the_event_holds_the_overall_score_and_one_object_a_check() -> None:
    event = checks_body(report([result(score=0.5, reason="half of it")])).model_dump(mode="json")

    assert event == {
        "overall_score": 0.5,
        "fixed": {"passed": False, "score": 0.5, "reason": "half of it", "judged": True},
    }


@given(RESULTS)
def test_a_report_survives_json_and_keeps_its_bounds(results: list[CheckResult]) -> None:
    gate = report(results)

    assert GateReport.model_validate_json(gate.model_dump_json()) == gate
    assert 0 <= gate.overall_score <= (1 if gate.cap is None else gate.cap)
    assert gate.excluded == any(failed.cap is None for failed in gate.failures)
    assert gate.failures == tuple(one for one in results if one.judged and one.hard and not one.passed)
    assert gate.overall_score == 0 or not gate.excluded


@given(RESULTS, st.randoms(use_true_random=False))
def test_the_order_of_checks_does_not_matter(results: list[CheckResult], chance) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(results)
    chance.shuffle(shuffled)

    ordered, reordered = report(results), report(shuffled)

    assert (ordered.excluded, ordered.cap) == (reordered.excluded, reordered.cap)
    assert ordered.overall_score == pytest.approx(reordered.overall_score, abs=1e-3)


@given(st.text(), st.lists(st.text(max_size=30), max_size=4))
def test_no_text_makes_a_check_raise_and_the_same_text_gets_the_same_report(
    text: str, criteria: list[str]
) -> None:
    facts = PlanFacts(acceptance_criteria=tuple(criteria))

    gate = run_gate(InProcess(ALL), text, facts)

    assert not [outcome for outcome in gate.results if "itself failed" in outcome.reason]
    assert run_gate(InProcess(ALL), text, facts) == gate


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000, "a " * 50_000, "\u200b" * 100_000, "eyJ" * 30_000, "AKIA" * 25_000, "sk-" * 30_000,
        "postgres://" + "a" * 100_000, "a://b:" * 20_000, "-----BEGIN " * 9_000, "a://" * 25_000,
        "https://" + "x:" * 50_000, "```python\n" * 10_000, "```json\n[" + "[" * 19_000 + "\n```",
        "```\n" * 25_000, "-----BEGIN PRIVATE KEY-----\n" * 3_000, "\ud800" * 50_000, "\n" * 100_000,
        "```python\n" + "(" * 19_000 + "\n```", "```python\n" + "-" * 19_000 + "1\n```", "xox" * 30_000,
        "```toml\n" + "a." * 9_000 + "b = 1\n```", "```toml\na = " + "[" * 19_000 + "\n```", "eyJ" + "a" * 99_000,
        "```python\nx" + ".a" * 9_000 + "\n```", "\x00" * 100_000, "aws_secret_access_key=" * 4_000,
    ],
    ids=range(26),
)  # fmt: skip
def test_long_hostile_texts_are_worked_through_without_an_error_of_a_check(text: str) -> None:
    gate = run_gate(InProcess(ALL), text, FACTS)

    assert not [outcome for outcome in gate.results if "itself failed" in outcome.reason]
