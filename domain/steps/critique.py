"""Critiques where they are used: before a revision, or to explain the top of a decision."""

from __future__ import annotations

from collections.abc import Sequence

from domain.candidates import PRIOR
from domain.chat import ChatFailure, ChatOutcome
from domain.council import Agent
from domain.entry import Critiqued, Entry, call_facts, critique_key, proposal_key
from domain.ranking import Ranking
from domain.review.candidate import Candidate
from domain.review.critique import critique_request, revision_request
from domain.review.prompt import Material
from domain.steps.conclusion import Conclusion, Question
from domain.steps.generate import proposal_of
from domain.steps.vote import material_of

CRITIQUE_TOKENS = 160
"""Three faults with their remedies; prose costs a hundred tokens each."""


def revise(sitting: Conclusion, candidates: Sequence[Candidate], round_: int) -> None:
    """Have every candidate criticised by the other authors, then revised by its own from all critiques of it.

    An author whose critiques all failed, or whose revision fails, keeps its earlier version. Raises EngineAway.
    """
    material = material_of(sitting, candidates, round_)
    authors = [agent for agent in sitting.deliberation.agents if material.owned_by(agent.agent_id)]
    sitting.ask(
        [
            _critique(sitting, material, reviewer, one.proposal_id, round_)
            for one in candidates
            for reviewer in authors
            if reviewer.agent_id != one.author
        ]
    )
    sitting.ask(
        [
            question
            for author in authors
            for own in material.owned_by(author.agent_id)
            if own != PRIOR and (question := _revision(sitting, material, author, own, round_)) is not None
        ]
    )
    sitting.tell("round", str(round_))


def explain(sitting: Conclusion, candidates: Sequence[Candidate], ranking: Ranking) -> None:
    """Ask the other authors what they think of the top proposals, for people to read; nothing depends on it."""
    round_ = sitting.deliberation.rounds + 1
    top = [entry.proposal for entry in ranking.entries[: sitting.deliberation.review.explain_top]]
    if not top:
        return
    material = material_of(sitting, candidates, round_)
    authors = [agent for agent in sitting.deliberation.agents if material.owned_by(agent.agent_id)]
    sitting.ask(
        [
            _critique(sitting, material, reviewer, one, round_)
            for one in top
            for reviewer in authors
            if one not in material.owned_by(reviewer.agent_id)
        ]
    )


def _critique(sitting: Conclusion, material: Material, reviewer: Agent, one: str, round_: int) -> Question:
    request = critique_request(material, reviewer, one, max_tokens=CRITIQUE_TOKENS, timeout_s=sitting.timeout_s())

    def settle(outcome: ChatOutcome) -> Entry:
        missing = outcome.reason if isinstance(outcome, ChatFailure) else None
        text = "" if isinstance(outcome, ChatFailure) else outcome.text.strip()
        facts = call_facts(reviewer.agent_id, reviewer.model or "", outcome, at=sitting.now(), round_=round_)
        return Critiqued(**facts, proposal_id=one, text=text, missing=missing)

    return Question(critique_key(round_, reviewer.agent_id, one), request, settle)


def _revision(sitting: Conclusion, material: Material, author: Agent, own: str, round_: int) -> Question | None:
    critiques = [one.text for one in sitting.record.critiques(own) if one.round == round_ and one.text]
    if not critiques:
        return None
    request = revision_request(
        material,
        author,
        own,
        critiques,
        max_tokens=sitting.deliberation.max_tokens,
        timeout_s=sitting.timeout_s(),
    )

    def settle(outcome: ChatOutcome) -> Entry:
        policy = sitting.services.policy
        return proposal_of(outcome, sitting.deliberation, author, now=sitting.now(), policy=policy, round_=round_)

    return Question(proposal_key(round_, author.agent_id), request, settle)
