"""The demo's council and settings: what its tiny model needs, and nothing that changes a ballot."""

from __future__ import annotations

import pytest

from domain.prompts.model_question import criteria_form, score_form
from domain.rubric import DEFAULT_RUBRIC
from workers.cli.demo_council import BARRED, ENDS, REVIEW, SAMPLING, VARIABLES, councils
from workers.councils.read import default_councils
from workers.settings import Settings


def test_agents_are_those_that_ship_with_the_first_sentence_of_their_personas() -> None:
    for council, shipped in zip(councils(0), default_councils(), strict=True):
        assert council.role == shipped.role
        for agent, whole in zip(council.agents, shipped.agents, strict=True):
            assert (agent.agent_id, agent.seed) == (whole.agent_id, whole.seed)
            assert whole.spoken_persona.startswith(agent.persona)
            assert agent.persona.count(".") == 1
            assert agent.persona.endswith(".")


def test_no_two_agents_share_a_seed_whatever_the_seed_of_the_demo() -> None:
    seeds = [agent.seed for number in range(10) for council in councils(number) for agent in council.agents]
    assert len(set(seeds)) == len(seeds)


def test_the_stacks_processes_read_what_the_bench_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.engine.extra_body == SAMPLING
    assert settings.policy.review == REVIEW


def test_nothing_that_is_barred_or_ends_an_answer_occurs_in_a_ballot() -> None:
    names = DEFAULT_RUBRIC.names
    shapes = (score_form(["A", "B", "C"], names).shape, criteria_form(names).shape)
    assert "\n" in shapes[0]
    for text in (*ENDS, *BARRED):
        assert not any(text in shape for shape in shapes)
