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
from domain.prompts import proposal_request, task_text
from domain.review.candidate import Candidate
from domain.review.critique import critique_request, revision_request
from domain.review.prompt import Material


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
        texts[agent.agent_id] = _say(client, proposal_request(deliberation, agent, timeout_s=600), spent)
    neighbours = [*deliberation.agents[1:], deliberation.agents[0]]
    for agent, neighbour in zip(deliberation.agents, neighbours, strict=True):
        material = _material(deliberation, neighbour.agent_id, texts[neighbour.agent_id])
        critique = critique_request(material, agent, "p", max_tokens=bound, timeout_s=600)
        said = _say(client, critique, spent)
        revision = revision_request(material, agent, "p", [said or "Unclear."], max_tokens=bound, timeout_s=600)
        texts[neighbour.agent_id] = _say(client, revision, spent)
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
