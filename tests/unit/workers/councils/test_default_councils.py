"""The councils that ship: complete, and truly different members."""

from __future__ import annotations

from itertools import combinations

import pytest

from domain.council import Agent, Council
from domain.review.blinding import Names, blind
from workers.councils.read import default_councils

COUNCILS = default_councils()
AGENTS = [agent for council in COUNCILS for agent in council.agents]


def words(agent: Agent) -> set[str]:
    return set(agent.persona.lower().replace(",", " ").replace(".", " ").split())


def test_the_five_roles_have_three_agents_each() -> None:
    assert {council.role: len(council.agents) for council in COUNCILS} == {
        "DEV": 3,
        "QA": 3,
        "ARCHITECT": 3,
        "DEVOPS": 3,
        "DATA": 3,
    }


def test_no_agent_names_a_model_so_that_settings_decide() -> None:
    assert {agent.model for agent in AGENTS} == {None}


def test_ids_and_seeds_are_unique_over_all_councils() -> None:
    assert len({agent.agent_id for agent in AGENTS}) == len(AGENTS)
    assert len({agent.seed for agent in AGENTS}) == len(AGENTS)


@pytest.mark.parametrize("council", COUNCILS, ids=lambda council: council.role)
def test_temperatures_within_a_council_differ(council: Council) -> None:
    assert len({agent.temperature for agent in council.agents}) == 3


@pytest.mark.parametrize(("one", "other"), list(combinations(AGENTS, 2)), ids=lambda agent: agent.agent_id)
def test_personas_share_less_than_a_quarter_of_their_words(one: Agent, other: Agent) -> None:
    assert len(words(one) & words(other)) < 0.25 * len(words(one) | words(other))


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.agent_id)
def test_blinding_takes_every_agents_id_off_a_text(agent: Agent) -> None:
    assert agent.agent_id not in blind(f"As {agent.agent_id} I would begin.", Names(agents=[agent.agent_id]))
