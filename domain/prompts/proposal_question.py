"""An agent's proposal: the prompt of the first one, and what is recorded of any answer that is a proposal."""

from __future__ import annotations

from dataclasses import dataclass

from domain.chat import ChatAnswer, ChatFailure, ChatOutcome, FailureReason
from domain.council import Agent
from domain.deliberation import Deliberation
from domain.entry import AgentFailed, Proposed, call_facts
from domain.keys import proposal_key
from domain.policy import Policy
from domain.prompts.material import criterion_lines, section, task_text
from domain.prompts.model_question import ModelQuestion, text_request

PROPOSER = (
    "You are a member of a council. Each member writes one proposal for how to carry out the task below; "
    "the council then reviews all proposals without knowing who wrote which. "
    "Write the proposal itself: concrete steps in order, with what each produces and how it is verified. "
    "No preamble, no signature."
)


@dataclass(frozen=True, kw_only=True)
class ProposalQuestion(ModelQuestion):
    """Asks an agent for its proposal of a round: round 0 is the first version, later ones are revisions."""

    round: int = 0
    policy: Policy

    def entry(self, outcome: ChatOutcome, *, at: float) -> Proposed | AgentFailed:
        """Return the proposal, or the agent's failure where there is none or the policy refuses it."""
        facts = call_facts(self.agent, outcome, at=at, round_=self.round)
        if isinstance(outcome, ChatFailure):
            return AgentFailed(**facts, reason=outcome.reason, detail=outcome.detail)
        refusal = self._refusal(outcome)
        if refusal is not None:
            reason, detail = refusal
            return AgentFailed(**facts, reason=reason, detail=detail)
        return Proposed(**facts, text=outcome.text, cut_off=outcome.cut_off)

    def _refusal(self, answer: ChatAnswer) -> tuple[FailureReason, str] | None:
        if not answer.text.strip():
            return FailureReason.EMPTY, "the model's answer was empty"
        if answer.cut_off and self.policy.cut_off == "fail":
            return (
                FailureReason.CUT_OFF,
                f"the answer ended at {self.request.max_tokens} tokens; raise max_tokens",
            )
        length, longest = len(answer.text), self.policy.limits.proposal_chars
        if length > longest:
            detail = f"the proposal has {length} characters, {longest} are allowed; lower max_tokens"
            return FailureReason.REJECTED, detail
        return None


def proposal_question(
    deliberation: Deliberation, agent: Agent, policy: Policy, *, timeout_s: float
) -> ProposalQuestion:
    """Ask one agent for its first proposal. Shared text first, byte for byte; the persona last (prefix cache)."""
    request = text_request(
        agent,
        proposal_key(0, agent.agent_id),
        PROPOSER,
        task_text(deliberation),
        section("Your council will judge proposals by", criterion_lines(deliberation.rubric)),
        _voice(deliberation, agent),
        max_tokens=deliberation.max_tokens,
        timeout_s=timeout_s,
    )
    return ProposalQuestion(agent=agent, request=request, policy=policy)


def _voice(deliberation: Deliberation, agent: Agent) -> str:
    persona = f"\nYour way of thinking: {agent.persona}" if agent.persona else ""
    return f"You write for the role {deliberation.role}.{persona}\nYour proposal:"
