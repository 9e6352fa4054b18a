"""A second look at a tie: who voted compares the tied proposals two by two, both ways round."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from domain.candidates import presentation_of, spared
from domain.council import Agent, voice_of
from domain.prompts.comparison_questions import Look, comparison_questions, pairs_among
from domain.prompts.material import Material
from domain.ranking import MOST_COMPARED, Ranking, RankingInputs
from domain.review.candidate import Candidate
from domain.steps.conclusion import Conclusion


def second_look(
    conclusion: Conclusion, candidates: Sequence[Candidate], inputs: RankingInputs, ranking: Ranking
) -> RankingInputs:
    """Have the tied proposals at the top compared where the rules say so; return the inputs by which that counts.

    `candidates` are those of the vote. An answer that fails is recorded as missing. Raises EngineAway while
    answers can't be had; those recorded by then are kept.
    """
    tied = tied_at_the_top(ranking)
    if not conclusion.deliberation.review.second_look or len(tied) < 2:
        return inputs
    material = Material.of(conclusion.deliberation, candidates, inputs.round)
    conclusion.ask(
        comparison_questions(
            material,
            _looks(conclusion, material, tied),
            timeout_s=conclusion.timeout_s(),
            thinking=conclusion.deliberation.review.thinking,
        )
    )
    return inputs.model_copy(update={"second_look": tied})


def tied_at_the_top(ranking: Ranking) -> tuple[str, ...]:
    """Return the best proposals that the ballots can't tell apart, as many as are compared, best first."""
    tied: list[str] = []
    for entry in ranking.entries[:MOST_COMPARED]:
        if not entry.tied:
            break
        tied.append(entry.proposal)
    return tuple(tied)


def _looks(conclusion: Conclusion, material: Material, tied: Sequence[str]) -> list[Look]:
    """Choose for every pair one reviewer of each voice that handed in a ballot and wrote neither of the two."""
    record = conclusion.record_so_far
    cast = [ballot for ballot in record.ballots(material.round) if not ballot.pass_ and ballot.missing is None]
    orders = {ballot.agent_id: ballot.order for ballot in cast}
    reviewers = _reviewers(conclusion, orders, material.round)
    pairs: dict[str, list[tuple[str, str]]] = {agent.agent_id: [] for agent in reviewers}
    for pair in pairs_among(tied):
        for reviewer in _one_of_each_voice(reviewers, pair, material):
            pairs[reviewer.agent_id].append(pair)
    candidates = list(material.candidates.values())
    shown = presentation_of(conclusion.deliberation, candidates, material.round).passes[0][0]
    return [
        Look(reviewer=agent, order=orders.get(agent.agent_id) or shown, pairs=pairs[agent.agent_id])
        for agent in reviewers
        if pairs[agent.agent_id]
    ]


def _reviewers(conclusion: Conclusion, voted: Collection[str], round_: int) -> list[Agent]:
    """Return who may compare: who voted, then the copies of these, who wrote other proposals."""
    agents = conclusion.deliberation.reviewers
    voices = {voice_of(agent) for agent in agents if agent.agent_id in voted}
    copies = spared(conclusion.record_so_far, round_)
    return [
        *(agent for agent in agents if agent.agent_id in voted),
        *(agent for agent in agents if agent.agent_id in copies and voice_of(agent) in voices),
    ]


def _one_of_each_voice(reviewers: Sequence[Agent], pair: tuple[str, str], material: Material) -> list[Agent]:
    chosen: dict[str, Agent] = {}
    for agent in reviewers:
        if not set(pair) & set(material.owned_by(agent.agent_id)):
            chosen.setdefault(voice_of(agent), agent)
    return list(chosen.values())
