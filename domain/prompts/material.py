"""What prompts are about: the task, which all of them begin with, and a round's candidates, blinded for review."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from string import ascii_uppercase

from pydantic import JsonValue

from domain.deliberation import Deliberation
from domain.prompts.delimiters import delimited, derive_mark, explain_delimiters
from domain.review.blinding import Names, blind
from domain.review.candidate import Candidate
from domain.rubric import Rubric

MAX_CANDIDATES = 33
"""Sixteen leading versions, as many revisions of them, and one more: an earlier decision's winner."""


class Material:
    """The task, the rubric and the candidates of one round; every prompt of its review is cut from it.

    Prompts begin with what the most readers share, byte for byte, so that an engine's prefix cache serves it.
    """

    def __init__(
        self,
        *,
        task: str,
        rubric: Rubric,
        candidates: Sequence[Candidate],
        seed: str,
        round_: int = 0,
        agents: Sequence[str] = (),
        models: Sequence[str] = (),
    ) -> None:
        """Blind the candidates.

        Task and rubric are put in as they are; `domain.chat.Message` cleans the whole prompt. `seed` names
        deliberation and round; `agents` and `models` are names to take off beyond the candidates' own, such as
        those of agents that failed. Raises ValueError for doubled proposal ids or more than 33 candidates.
        """
        if not 1 <= len(candidates) <= MAX_CANDIDATES:
            raise ValueError(f"a review takes 1 to {MAX_CANDIDATES} candidates, not {len(candidates)}")
        self.task = task.strip()
        self.rubric = rubric
        self.seed = seed
        self.round = round_
        self.candidates = {candidate.proposal_id: candidate for candidate in candidates}
        if len(self.candidates) != len(candidates):
            raise ValueError("proposal ids must differ within a review")
        self.names = Names(
            agents=[*agents, *(candidate.author for candidate in candidates)],
            models=[*models, *(candidate.model for candidate in candidates)],
        )
        self.blinded = {candidate.proposal_id: blind(candidate.text, self.names) for candidate in candidates}

    @classmethod
    def of(cls, deliberation: Deliberation, candidates: Sequence[Candidate], round_: int) -> Material:
        """Prepare the review of these candidates in that round."""
        return cls(
            task=task_text(deliberation),
            rubric=deliberation.rubric,
            candidates=candidates,
            seed=f"{deliberation.seed}/{round_}",
            round_=round_,
            agents=[agent.agent_id for agent in deliberation.agents],
            models=[agent.model or "" for agent in deliberation.agents],
        )

    def owned_by(self, agent_id: str) -> tuple[str, ...]:
        """Return the ids of the proposals that the agent wrote; it may not score these."""
        candidates = self.candidates.values()
        return tuple(candidate.proposal_id for candidate in candidates if candidate.author == agent_id)

    def mark(self, purpose: str) -> str:
        """Return the mark in the delimiters of one kind of prompt; all readers of that prompt share it."""
        texts = [self.head(), *(self.blinded[proposal_id] for proposal_id in sorted(self.blinded))]
        return derive_mark(f"{self.seed}/{purpose}", texts)

    def head(self) -> str:
        """Return task and rubric: the longest prefix that all prompts of the review share."""
        criteria = "\n".join(criterion_lines(self.rubric))
        return f"{self.task}\n\n# Rubric\nEach criterion is scored from 1 (worst) to 9 (best).\n{criteria}"

    def sheet(self, order: Sequence[str], mark: str) -> str:
        """Return task, rubric and the candidates in this order, delimited, under the labels A, B, C …

        Raises LookupError for a proposal that is not part of the material.
        """
        proposals = [
            delimited(f"PROPOSAL {label(place)}", self.blinded[proposal_id], mark)
            for place, proposal_id in enumerate(order)
        ]
        return "\n\n".join([self.head(), f"# Proposals\n{explain_delimiters(mark)}", *proposals])

    def lone_sheet(self, proposal_id: str, mark: str, rules: str) -> str:
        """Return task, rubric, rules and one candidate, delimited: it is judged by itself.

        Raises LookupError for a proposal that is not part of the material.
        """
        proposal = delimited("PROPOSAL", self.blinded[proposal_id], mark)
        return "\n\n".join([self.head(), rules.strip(), f"# Proposal\n{explain_delimiters(mark)}", proposal])


def task_text(deliberation: Deliberation) -> str:
    """Render the plan as every member sees it: proposers and reviewers get the same bytes."""
    plan = deliberation.plan
    sections = [
        f"# Task for the {deliberation.role} council",
        plan.title or f"Plan {plan.plan_id}",
        section("Description", [plan.description] if plan.description else []),
        section("Acceptance criteria", [f"- {criterion}" for criterion in plan.acceptance_criteria]),
        section("Requirements", [f"- {requirement}" for requirement in plan.constraints.requirements]),
        *(section(heading, [f"- {text}" for text in texts]) for heading, texts in plan.noted.items()),
        section("Form of every proposal", form_lines(plan.constraints.output_schema)),
    ]
    return "\n\n".join(text for text in sections if text)


def form_lines(schema: Mapping[str, JsonValue] | None) -> list[str]:
    """Say what form the plan demands of proposals; no lines where it demands none."""
    if schema is None:
        return []
    rule = (
        "A proposal is one JSON value that satisfies the JSON Schema below (draft 2020-12); one that does not "
        "can't win. Write nothing but that JSON, or put it into a single ```json block."
    )
    return [rule, json.dumps(schema, ensure_ascii=False)]


def section(title: str, lines: Sequence[str]) -> str:
    """Return the lines under their title; no text for no lines."""
    return "\n".join([f"## {title}", *lines]) if lines else ""


def criterion_lines(rubric: Rubric) -> list[str]:
    """Return one line for each criterion, in declared order."""
    return [
        f"- {criterion.name}: {criterion.description}" if criterion.description else f"- {criterion.name}"
        for criterion in rubric.criteria
    ]


def label(place: int) -> str:
    """Name the candidate shown at that place (0 is the first): A to Z, then AA, AB …

    Labels follow places, not proposals: a liking for some letter is then a liking for some place, and the
    reverse pass cancels both.
    """
    tens, ones = divmod(place, len(ascii_uppercase))
    return (ascii_uppercase[tens - 1] if tens else "") + ascii_uppercase[ones]
