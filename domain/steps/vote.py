"""The vote: authors and judges score the others' candidates, blind and in balanced orders; copies are spared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain.candidates import authors_of, ballots_of, presentation_of, voters_on
from domain.checklist import asked_about
from domain.prompts.ballot_question import BallotQuestion, ballot_questions
from domain.prompts.material import Material
from domain.ranking import RankingSettings, decided_early
from domain.review.candidate import Candidate
from domain.steps.conclusion import Conclusion


def vote(
    conclusion: Conclusion,
    candidates: Sequence[Candidate],
    round_: int,
    *,
    caps: Mapping[str, float] | None = None,
) -> None:
    """Collect the ballots of one round. An answer that stays off form after a reminder is recorded as missing.

    Where the rules ask for two passes, both run at once, unless the second is to be left out where it can't change
    the winner; `caps` are the highest scores that checks allow. A lone candidate needs no vote. Raises EngineAway
    while ballots can't be had; those recorded by then are kept.
    """
    if len(candidates) < 2:
        return
    passes = _passes(conclusion, candidates, round_)
    if not conclusion.deliberation.review.skip_decided:
        conclusion.ask([question for questions in passes for question in questions])
        return
    for number, questions in enumerate(passes):
        if number and _is_decided(conclusion, candidates, round_, caps or {}):
            return
        conclusion.ask(questions)


def _is_decided(
    conclusion: Conclusion, candidates: Sequence[Candidate], round_: int, caps: Mapping[str, float]
) -> bool:
    """Tell whether a second pass could not change the winner any more."""
    deliberation = conclusion.deliberation
    winner = decided_early(
        ballots_of(conclusion.record_so_far, candidates, round_, {}),
        waiting=[ballot.agent_id for ballot in conclusion.record_so_far.ballots(round_)],
        settings=RankingSettings(swing=deliberation.review.swing),
        rubric=deliberation.rubric,
        authors=authors_of(candidates),
        caps=caps,
    )
    return winner is not None


def _passes(
    conclusion: Conclusion, candidates: Sequence[Candidate], round_: int
) -> list[tuple[BallotQuestion, ...]]:
    """Return the questions of every pass."""
    deliberation = conclusion.deliberation
    material = Material.of(deliberation, candidates, round_)
    presentation = presentation_of(deliberation, candidates, round_)
    asked = voters_on(candidates, presentation, conclusion.record_so_far)
    checklist = deliberation.review.checklist == "report"
    return [
        ballot_questions(
            material,
            asked,
            presentation,
            pass_=pass_,
            timeout_s=conclusion.timeout_s(),
            thinking=deliberation.review.thinking,
            form=deliberation.review.ballot_form,
            checklist=asked_about(deliberation.plan.acceptance_criteria) if checklist else (),
        )
        for pass_ in range(len(presentation.passes))
    ]
