"""The ceiling: the same requests in a plain concurrent loop, with nothing between them and the engine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from openai import AsyncOpenAI

from domain.chat import ChatRequest
from domain.deliberation import Deliberation
from domain.engine import Guidance
from domain.policy import Policy
from domain.prompts.ballot_question import ballot_questions
from domain.prompts.material import Material, task_text
from domain.prompts.proposal_question import proposal_question
from domain.review.candidate import Candidate
from domain.review.presentation import present
from domain.review.voters import voters
from tests.bench.vllm.sequential import Run, body
from workers.engines.guided_decoding import GUIDED_DECODINGS

REGEX = GUIDED_DECODINGS[Guidance.REGEX]


def plain(url: str, deliberation: Deliberation) -> Run:
    """Ask for all proposals at once, then for all ballots at once."""
    return asyncio.run(_plain(url, deliberation))


async def _plain(url: str, deliberation: Deliberation) -> Run:
    async with AsyncOpenAI(base_url=url, api_key="none", max_retries=0, timeout=600) as client:
        began = time.monotonic()
        requests = [
            proposal_question(deliberation, agent, Policy(), timeout_s=600).request
            for agent in deliberation.agents
        ]
        proposals = await _all(client, requests)
        ballots = await _all(client, _ballots(deliberation, [text for text, _ in proposals]))
        seconds = time.monotonic() - began
    answers = [*proposals, *ballots]
    return Run(seconds, sum(tokens for _, tokens in answers), len(answers))


def _ballots(deliberation: Deliberation, texts: Sequence[str]) -> list[ChatRequest]:
    material = Material(
        task=task_text(deliberation),
        rubric=deliberation.rubric,
        candidates=[
            Candidate(proposal_id=agent.agent_id, author=agent.agent_id, text=text or "Nothing.")
            for agent, text in zip(deliberation.agents, texts, strict=True)
        ],
        seed=deliberation.seed,
    )
    rules = deliberation.review
    shown = present(material.candidates, seed=deliberation.seed, passes=rules.passes, orders=rules.distinct_orders)
    asked = voters(deliberation.agents, shown, {agent.agent_id: agent.agent_id for agent in deliberation.agents})
    return [
        question.request
        for pass_ in range(rules.passes)
        for question in ballot_questions(
            material, asked, shown, pass_=pass_, timeout_s=600, form=rules.ballot_form
        )
    ]


async def _all(client: AsyncOpenAI, requests: Sequence[ChatRequest]) -> list[tuple[str, int]]:
    return list(await asyncio.gather(*(_say(client, request) for request in requests)))


async def _say(client: AsyncOpenAI, request: ChatRequest) -> tuple[str, int]:
    guided = {} if request.form is None else REGEX.request_fields(request.form)
    answer = await client.chat.completions.create(**body(request), extra_body=guided)
    return answer.choices[0].message.content or "", answer.usage.completion_tokens if answer.usage else 0
