"""The baseline: the same council, one call after another, as the system before this one worked.

Every agent proposes; then every agent criticises its neighbour's proposal and rewrites it: three calls an agent.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from openai import OpenAI

from domain.chat import ChatRequest, Message
from domain.deliberation import Deliberation
from domain.policy import Policy
from domain.prompts.critique_questions import critique_question, revision_question
from domain.prompts.material import Material, task_text
from domain.prompts.proposal_question import proposal_question
from domain.review.candidate import Candidate


@dataclass(frozen=True)
class Run:
    """Wall time and tokens of some calls."""

    seconds: float
    completion_tokens: int
    calls: int


def sequential(client: OpenAI, deliberation: Deliberation) -> Run:
    """Do the council's work one call after another; every answer is bounded by the deliberation's max_tokens."""
    bound = deliberation.max_tokens
    began = time.monotonic()
    spent: list[int] = []
    texts: dict[str, str] = {}
    for agent in deliberation.agents:
        proposal = proposal_question(deliberation, agent, Policy(), timeout_s=600)
        texts[agent.agent_id] = _say(client, proposal.request, spent)
    neighbours = [*deliberation.agents[1:], deliberation.agents[0]]
    for agent, neighbour in zip(deliberation.agents, neighbours, strict=True):
        material = _material(deliberation, neighbour.agent_id, texts[neighbour.agent_id])
        critique = critique_question(material, agent, "p", max_tokens=bound, timeout_s=600)
        critiques = [_say(client, critique.request, spent) or "Unclear."]
        revision = revision_question(material, agent, "p", critiques, Policy(), max_tokens=bound, timeout_s=600)
        texts[neighbour.agent_id] = _say(client, revision.request, spent)
    return Run(time.monotonic() - began, sum(spent), len(spent))


def _material(deliberation: Deliberation, author: str, text: str) -> Material:
    candidate = Candidate(proposal_id="p", author=author, text=text or "Nothing.")
    return Material(
        task=task_text(deliberation), rubric=deliberation.rubric, candidates=[candidate], seed=deliberation.seed
    )


def _say(client: OpenAI, request: ChatRequest, spent: list[int]) -> str:
    answer = client.chat.completions.create(**body(request))
    spent.append(answer.usage.completion_tokens if answer.usage else 0)
    return answer.choices[0].message.content or ""


def body(request: ChatRequest) -> dict[str, Any]:
    """Return the request as OpenAI's API takes it, without any form."""
    return {
        "model": request.model,
        "messages": [_turn(message) for message in request.messages],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
    }


def _turn(message: Message) -> dict[str, str]:
    return {"role": message.role, "content": message.content}
