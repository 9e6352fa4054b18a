"""Critiques where they are used: before a revision, or to explain the top of a decision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from domain.keys import PRIOR
from domain.prompts.critique_questions import CritiqueQuestion, critique_question, revision_question
from domain.prompts.material import Material
from domain.prompts.proposal_question import ProposalQuestion
from domain.ranking import Ranking
from domain.review.candidate import Candidate
from domain.steps.conclusion import Conclusion

CRITIQUE_TOKENS = 160
"""Three faults with their remedies; prose costs a hundred tokens each."""


def revise(conclusion: Conclusion, candidates: Sequence[Candidate], round_: int) -> None:
    """Have every candidate criticised by the other authors, then revised by its own from all critiques of it.

    An author whose critiques all failed, or whose revision fails, keeps its earlier version. Raises EngineAway.
    """
    material = Material.of(conclusion.deliberation, candidates, round_)
    conclusion.ask(_critiques(conclusion, material, [candidate.proposal_id for candidate in candidates]))
    conclusion.ask(list(_revisions(conclusion, material)))
    conclusion.publish_progress("round", str(round_))


def explain(conclusion: Conclusion, candidates: Sequence[Candidate], ranking: Ranking) -> None:
    """Have the other authors criticise the top proposals, for people to read; nothing depends on it."""
    deliberation = conclusion.deliberation
    top = [entry.proposal for entry in ranking.entries[: deliberation.review.explain_top]]
    if not top:
        return
    material = Material.of(deliberation, candidates, deliberation.rounds + 1)
    conclusion.ask(_critiques(conclusion, material, top))


def _critiques(conclusion: Conclusion, material: Material, proposal_ids: Sequence[str]) -> list[CritiqueQuestion]:
    """Return a question on each proposal to every author of another one."""
    authors = [agent for agent in conclusion.deliberation.agents if material.owned_by(agent.agent_id)]
    return [
        critique_question(
            material, reviewer, proposal_id, max_tokens=CRITIQUE_TOKENS, timeout_s=conclusion.timeout_s()
        )
        for proposal_id in proposal_ids
        for reviewer in authors
        if proposal_id not in material.owned_by(reviewer.agent_id)
    ]


def _revisions(conclusion: Conclusion, material: Material) -> Iterator[ProposalQuestion]:
    """Yield a question to every author whose own proposal got a critique in this round."""
    for author in conclusion.deliberation.agents:
        for own in material.owned_by(author.agent_id):
            critiques = conclusion.record_so_far.critiques(own)
            texts = [critique.text for critique in critiques if critique.round == material.round and critique.text]
            if own == PRIOR or not texts:
                continue
            yield revision_question(
                material,
                author,
                own,
                texts,
                conclusion.services.policy,
                max_tokens=conclusion.deliberation.max_tokens,
                timeout_s=conclusion.timeout_s(),
            )
