"""A deliberation: one role's council on one plan, fixed at its opening so that it can be replayed."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from domain.council import Agent
from domain.plan import Plan
from domain.rubric import Rubric
from domain.thinking import Thinking, room_for
from domain.value import Name, Value
from domain.verdict import VerdictRules

BallotForm = Literal["pointwise", "listwise"]
"""How a reviewer's ballot is asked for: `ReviewRules.ballots`."""


class ReviewRules(Value):
    """How the council reviews itself; part of the record, so that a replay uses the same."""

    ballots: BallotForm = "pointwise"
    """How a reviewer is asked: `pointwise`, a call for each proposal, shown alone, or `listwise`, one call that
    shows all. Reviewers that think get one call."""
    orders: int = Field(default=8, ge=1, le=16)
    """Listwise: distinct orders in which proposals are shown in a pass, at most one per proposal. An effect of
    places cancels with as many orders as proposals; each is a prompt that engines read anew."""
    checklist: Literal["off", "report"] = "off"
    """Whether reviewers also say of each acceptance criterion of the plan, twelve at most, if a proposal meets it,
    yes or no: `report` tells it beside the ranking and counts it for nothing; about seven tokens an answer."""
    both_passes: bool = False
    """Listwise: ask every reviewer again, its order reversed: twice the ballots, and each one's consistency is
    known."""
    skip_decided: bool = False
    """Wait for the first pass and leave the second out where it can't change the winner any more. Off: both
    passes run at once, which costs tokens and saves a whole model step."""
    swing: float | None = Field(default=3.0, ge=0, le=8)
    """With `skip_decided`: how far one score may still move between passes; 8: the whole scale."""
    second_look: bool = False
    """Where the top is tied, ask who voted which of two is better, for every pair of the best three that are tied,
    both ways round: up to six short calls a voice behind the ballot's prompt."""
    explain_top: int = Field(default=0, ge=0, le=16)
    """Ask for critiques of this many top proposals after the vote, for people to read."""
    synthesis: bool = False
    """Have the council's architect write one more proposal out of the best; it stands beside the decision."""
    use_reliability: bool = False
    """Weigh reviewers by their record over earlier deliberations."""
    deadline_share: float = Field(default=0.25, ge=0, lt=1)
    """The review's share of the time from opening to deadline: proposing ends before it, so that an engine that is
    away costs its agent's proposal and not the council's vote."""
    thinking: Thinking = "off"
    """Whether models think before they score: off, on, or a number of tokens. A ballot takes four tokens a
    score, thoughts before it take hundreds."""

    @property
    def ballot_form(self) -> BallotForm:
        """How reviewers are asked: in one call where they think, since every call would think anew."""
        return "listwise" if room_for(self.thinking) else self.ballots

    @property
    def distinct_orders(self) -> int:
        """In how many orders a pass shows the proposals, at most; one where each is shown alone."""
        return self.orders if self.ballot_form == "listwise" else 1

    @property
    def passes(self) -> int:
        """How often reviewers are asked; once where each proposal is shown alone: nothing could be reversed."""
        return 2 if self.both_passes and self.ballot_form == "listwise" else 1


class Judge(Agent):
    """A neutral reviewer, lent by another role's council under an id that names both: `QA/qa-1`."""

    council: str = ""
    """The role of the council that lends it; empty in deliberations that version 0.1 opened."""
    member_id: str = ""
    """Its agent id there; empty likewise."""

    @property
    def home(self) -> tuple[str, str]:
        """The role and the agent id that it has in its own council; of version 0.1 as far as its id says."""
        if self.council:
            return self.council, self.member_id
        role, _, member_id = self.agent_id.partition("/")
        return role, member_id


class Deliberation(Value):
    """Everything decided before the first model call."""

    deliberation_id: str
    request_id: str
    plan: Plan
    role: Name
    revision: str
    repeat: int = Field(default=0, ge=0)
    """0 for the approval itself, n for its n-th re-deliberation."""
    supersedes: str | None = None
    """The deliberation that this one replaces."""
    prior_winner: str | None = Field(default=None, max_length=200_000)
    """Text of the superseded winner where it runs again as an anonymous candidate."""
    prior_author: str = ""
    """The agent that wrote `prior_winner`; it does not score it. Empty if no agent of this council did."""
    refusal: str = ""
    """Why no council is asked: the role has none, or the dispatch was given up. Empty where one is."""
    agents: tuple[Agent, ...] = Field(max_length=16)
    """Proposers in the council's order, models filled in; none where there is a refusal."""
    judges: tuple[Judge, ...] = Field(default=(), max_length=16)
    """Neutral reviewers from other councils; they propose nothing, and no proposer has the id of one."""
    architect: Agent | None = None
    rubric: Rubric
    rounds: int = Field(default=0, ge=0, le=5)
    """Critique-and-revise rounds before the final vote."""
    quorum: int = Field(ge=1)
    """Fewest proposals that make a decision."""
    max_tokens: int = Field(ge=1)
    """Bound on one proposal, in tokens."""
    token_budget: int = Field(ge=1)
    """Bound on all answers of the deliberation together, in tokens."""
    call_timeout_s: float = Field(gt=0)
    review: ReviewRules = ReviewRules()
    verdict: VerdictRules = VerdictRules()
    opened_at: float
    """Epoch seconds."""
    deadline_at: float
    """Epoch seconds; afterwards no model is called any more."""
    correlation_id: str = ""
    causation_id: str = ""
    traceparent: str = ""
    lost: tuple[Literal["council", "plan"], ...] = ()
    """What is unknown since a store had lost it: its agents' personas and settings, its plan's texts."""

    @model_validator(mode="after")
    def _refused_or_asked(self) -> Self:
        if bool(self.agents) == bool(self.refusal):
            raise ValueError("a deliberation has either agents or a refusal")
        return self

    @property
    def seed(self) -> str:
        """What every random choice of this deliberation is derived from."""
        return self.deliberation_id

    def agent(self, agent_id: str) -> Agent:
        """Return the proposer of that id; raises LookupError if the council has none."""
        for agent in self.agents:
            if agent.agent_id == agent_id:
                return agent
        raise LookupError(f"{self.deliberation_id} has no agent {agent_id}")

    def home_of(self, reviewer: str) -> tuple[str, str]:
        """Return the role and the agent id that a reviewer of this deliberation has in its own council."""
        lent = {judge.agent_id: judge.home for judge in self.judges}
        members = {agent.agent_id: (self.role, agent.agent_id) for agent in self.agents}
        return (lent | members).get(reviewer, (self.role, reviewer))

    def affords(self, agent_id: str) -> bool:
        """Whether the token budget holds this agent's proposal beside those of all agents before it.

        Every proposal's share is set aside at the opening, so that agents who spend at the same moment on
        different workers can't overdraw the budget together. Raises LookupError if the council has no such agent.
        """
        place = self.agents.index(self.agent(agent_id)) + 1
        thoughts = sum(room_for(agent.thinking) for agent in self.agents[:place])
        return place * self.max_tokens + thoughts <= self.token_budget

    @property
    def proposals_due_at(self) -> float:
        """Epoch seconds; an agent without a proposal by then has failed. One agent alone is not reviewed."""
        share = self.review.deadline_share if len(self.agents) > 1 else 0.0
        return self.deadline_at - share * (self.deadline_at - self.opened_at)

    @property
    def reviewers(self) -> tuple[Agent, ...]:
        """Proposers, then neutral judges."""
        return self.agents + self.judges


def quorum_of(agents: int) -> int:
    """Return the default quorum: more than half of the council."""
    return agents // 2 + 1
