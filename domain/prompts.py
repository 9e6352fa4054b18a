"""What an agent is told when it proposes. Shared text first, byte for byte; the persona last (prefix cache)."""

from __future__ import annotations

from domain.chat import ChatRequest, Message
from domain.council import Agent
from domain.deliberation import Deliberation

PROPOSER = (
    "You are a member of a council. Each member writes one proposal for how to carry out the task below; "
    "the council then reviews all proposals without knowing who wrote which. "
    "Write the proposal itself: concrete steps in order, with what each produces and how it is verified. "
    "No preamble, no signature."
)


def task_text(deliberation: Deliberation) -> str:
    """Render the plan as every member sees it: proposers and reviewers get the same bytes."""
    plan = deliberation.plan
    sections = [
        f"# Task for the {deliberation.role} council",
        plan.title or f"Plan {plan.plan_id}",
        _section("Description", [plan.description] if plan.description else []),
        _section("Acceptance criteria", [f"- {one}" for one in plan.acceptance_criteria]),
        _section("Requirements", [f"- {one}" for one in plan.constraints.requirements]),
    ]
    return "\n\n".join(section for section in sections if section)


def proposal_request(deliberation: Deliberation, agent: Agent, *, timeout_s: float) -> ChatRequest:
    """Ask one agent for its first proposal."""
    rubric = [_criterion(one.name, one.description) for one in deliberation.rubric.criteria]
    sections = [
        task_text(deliberation),
        _section("Your council will judge proposals by", rubric),
        _voice(deliberation, agent),
    ]
    return ChatRequest(
        key=agent.agent_id,
        model=agent.model or "",
        messages=(
            Message(role="system", content=PROPOSER),
            Message(role="user", content="\n\n".join(sections)),
        ),
        max_tokens=deliberation.max_tokens,
        temperature=agent.temperature,
        seed=agent.seed,
        timeout_s=timeout_s,
    )


def _voice(deliberation: Deliberation, agent: Agent) -> str:
    persona = f"\nYour way of thinking: {agent.persona}" if agent.persona else ""
    return f"You write for the role {deliberation.role}.{persona}\nYour proposal:"


def _section(title: str, lines: list[str]) -> str:
    return "\n".join([f"## {title}", *lines]) if lines else ""


def _criterion(name: str, description: str) -> str:
    return f"- {name}: {description}" if description else f"- {name}"
