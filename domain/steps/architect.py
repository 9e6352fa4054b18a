"""The architect: asked where the vote left the top open, or for a synthesis. The ballots stay as they are."""

from __future__ import annotations

from collections.abc import Sequence

from domain.checks.gate import CheckGate
from domain.prompts.architect_questions import choice_question, synthesis_question
from domain.prompts.material import Material
from domain.ranking import Ranking
from domain.review.candidate import Candidate
from domain.steps.conclusion import Conclusion

BEST = 3
"""Proposals that a synthesis is made of; more make it a summary."""


def consult_architect(conclusion: Conclusion, candidates: Sequence[Candidate], ranking: Ranking) -> None:
    """Have the council's architect choose among the proposals that the vote could not tell apart."""
    deliberation = conclusion.deliberation
    tied = set(ranking.tied_with_winner)
    if ranking.contested and ranking.condorcet and ranking.winner:
        tied |= {ranking.condorcet, ranking.winner}
    if deliberation.architect is None or len(tied) < 2:
        return
    material = Material.of(deliberation, candidates, deliberation.rounds)
    question = choice_question(material, deliberation.architect, sorted(tied), timeout_s=conclusion.timeout_s())
    if question is not None:
        conclusion.ask([question])


def synthesise(
    conclusion: Conclusion, candidates: Sequence[Candidate], ranking: Ranking, gate: CheckGate
) -> str | None:
    """Have the architect write one proposal out of the best, where the rules say so; nothing depends on it.

    Returns its text, empty where it has none or the gate does not admit it; None where nobody asks for one.
    """
    deliberation = conclusion.deliberation
    if deliberation.architect is None or not deliberation.review.synthesis:
        return None
    material = Material.of(deliberation, candidates, deliberation.rounds)
    question = synthesis_question(
        material,
        deliberation.architect,
        [entry.proposal for entry in ranking.entries[:BEST]],
        max_tokens=deliberation.max_tokens,
        timeout_s=conclusion.timeout_s(),
    )
    conclusion.ask([question])
    answered = conclusion.record_so_far.synthesis
    return answered.synthesis if answered is not None and gate.admits(answered.synthesis) else ""
