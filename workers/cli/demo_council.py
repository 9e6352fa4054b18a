"""What a model of 135 million parameters needs to say something: short personas, one paragraph, no loops.

Everything here is a setting or a council that a user could write as well; tests/bench/demo measured it.
"""

from __future__ import annotations

import json

from domain.council import Agent, Council
from domain.deliberation import ReviewRules
from workers.councils.read import default_councils
from workers.variables import variable

ENDS = ("\n\n", "\n#", "\nYour ")
"""What ends an answer: its first paragraph's end, a heading, instructions that are repeated."""
BARRED = ("#", "##", "###", "####")
"""Tokens that no answer holds: below a heading the model writes others."""
SAMPLING = {
    "repeat_penalty": 1.1,
    "repeat_last_n": 128,
    "min_p": 0.1,
    "stop": [*ENDS],
    "logit_bias": [[token, False] for token in BARRED],
}
"""For `engine.extra_body`; without the first three the model goes round in circles."""
REVIEW = ReviewRules(second_look=True)
"""Ballots of so small a model hardly ever tell three proposals apart; asked about two at a time it does."""
VARIABLES = {
    variable("engine", "extra_body"): json.dumps(SAMPLING),
    variable("policy", "review", "second_look"): "true",
}
"""The same, for the processes of the demo's stack."""
SEEDS_APART = 1000
"""From one seed of the demo to the next, for every agent: more than agents of the shipped councils lie apart."""


def councils(seed: int) -> tuple[Council, ...]:
    """Return the shipped councils with each persona's first sentence; 0 is the seeds as shipped."""
    return tuple(
        council.model_copy(update={"agents": tuple(_agent(agent, seed) for agent in council.agents)})
        for council in default_councils()
    )


def _agent(agent: Agent, seed: int) -> Agent:
    first, stop, _ = agent.spoken_persona.partition(". ")
    return agent.model_copy(
        update={"persona": first + stop.strip(), "seed": (agent.seed or 0) + SEEDS_APART * seed}
    )
