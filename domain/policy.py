"""What holds where a plan or council says nothing; the operator's word, handed in by settings."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from domain.deliberation import ReviewRules
from domain.limits import Limits
from domain.thinking import Thinking
from domain.value import Name, Value
from domain.verdict import VerdictRules


class Policy(Value):
    """Defaults and limits of every deliberation that is opened from now on."""

    model: Name = "smollm2-135m-instruct"
    """For agents that name none."""
    rounds: int = Field(default=0, ge=0, le=5)
    """Critique-and-revise rounds; each costs about as much as the whole deliberation without it."""
    max_tokens: int = Field(default=512, ge=1, le=32_768)
    """Bound on one proposal; a plan of a page."""
    thinking: Thinking = "off"
    """Whether agents' models think before they write: off, on, or a number of tokens on top of `max_tokens`.
    Thoughts cost more tokens than the proposal, and the council's review is a second thought already."""
    token_budget: int = Field(default=200_000, ge=1)
    """Bound on all answers of one deliberation together."""
    deadline_s: float = Field(default=600.0, gt=0)
    """From opening to decision, queue waiting included."""
    call_timeout_s: float = Field(default=120.0, gt=0)
    """Bound on one model call; below the deadline, so that one slow call can't eat it all."""
    quorum: int | None = Field(default=None, ge=1)
    """Fewest proposals that make a decision; not set: more than half of the council."""
    judges: int | None = Field(default=None, ge=0, le=16)
    """Neutral reviewers from other councils; not set: two for councils of four or fewer, else none."""
    model_wait_s: float = Field(default=60.0, ge=0)
    """How long a deliberation waits for an engine of an agent's model."""
    sweep_after_s: float = Field(default=15.0, gt=0)
    """A deliberation without progress for this long is looked after by the sweep."""
    park_after_losses: int = Field(default=5, ge=1)
    """A task that loses so many workers, one after another and without progress in between, is parked as their
    killer. Where several tasks shared a worker, each bears a part of its loss: a quarter at least."""
    cut_off: Literal["keep", "fail"] = "keep"
    """A proposal that ends at `max_tokens`: keep it, marked, or record it as the agent's failure."""
    review: ReviewRules = ReviewRules()
    """How a council reviews its proposals."""
    verdict: VerdictRules = VerdictRules()
    """Whether decisions wait for a person."""
    limits: Limits = Limits()
    """What a plan, a council and a proposal may ask for at most."""


SMALL_COUNCIL = 4
"""Up to this size neutral judges are asked by default: they are the largest single gain at three agents."""
DEFAULT_JUDGES = 2
