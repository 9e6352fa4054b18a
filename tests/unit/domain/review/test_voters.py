"""Copies are not asked twice, every proposal is judged by every voice, and places stay balanced."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from domain.council import Agent, voice_of
from domain.review.presentation import Presentation, present
from domain.review.voters import number_of_voters, voters


def authors_of(voices: list[int]) -> list[Agent]:
    return [Agent(agent_id=f"a{number}", persona=f"Voice {voice}.") for number, voice in enumerate(voices)]


def judges_of(voices: list[int]) -> list[Agent]:
    return [Agent(agent_id=f"j{number}", persona=f"Voice {voice}.") for number, voice in enumerate(voices)]


def own_of(authors: list[Agent]) -> dict[str, str]:
    return {author.agent_id: f"p-{author.agent_id}" for author in authors}


def shown(authors: list[Agent], orders: int) -> Presentation:
    return present(own_of(authors).values(), seed="s", passes=1, orders=orders)


def names(authors: list[Agent], judges: list[Agent], orders: int = 5) -> list[str]:
    asked = voters([*authors, *judges], shown(authors, orders), own_of(authors))
    return [agent.agent_id for agent in asked]


def test_a_voice_is_a_model_and_a_persona() -> None:
    plain = Agent(agent_id="a", model="m", persona="Bold.  Fast.", temperature=0.2, seed=1)
    same = Agent(agent_id="b", model="m", persona=" bold.\nfast. ", temperature=1.5, seed=9, thinking="on")
    assert voice_of(plain) == voice_of(same)
    assert voice_of(plain) != voice_of(plain.model_copy(update={"model": "n"}))
    assert voice_of(plain) != voice_of(plain.model_copy(update={"persona": "Careful."}))
    assert voice_of(plain.model_copy(update={"model": None}), "m") == voice_of(plain)


def test_eight_agents_of_one_voice_are_asked_as_often_as_there_are_orders() -> None:
    asked = names(authors_of([0] * 8), [])
    assert len(asked) == 5
    assert len(names(authors_of([0] * 8), [], orders=1)) == 2


def test_agents_of_different_voices_are_all_asked() -> None:
    assert names(authors_of(list(range(8))), judges_of([8, 9])) == [*(f"a{n}" for n in range(8)), "j0", "j1"]


def test_a_judge_sees_all_so_that_its_voice_needs_no_author() -> None:
    assert names(authors_of([0, 0, 0, 0]), judges_of([0]), orders=1) == ["j0"]
    assert names(authors_of([0, 0, 1]), judges_of([1]), orders=1) == ["a0", "a1", "j0"]


voices = st.lists(st.integers(0, 4), min_size=2, max_size=16)


@given(voices, st.lists(st.integers(0, 6), max_size=4), st.integers(1, 16))
def test_every_voice_judges_every_proposal_that_it_can_and_the_number_is_foretold(
    of_authors: list[int], of_judges: list[int], orders: int
) -> None:
    authors, judges = authors_of(of_authors), judges_of(of_judges)
    own = own_of(authors)
    asked = voters([*authors, *judges], shown(authors, orders), own)

    for voice in {voice_of(agent) for agent in [*authors, *judges]}:
        members = [agent.agent_id for agent in [*authors, *judges] if voice_of(agent) == voice]
        chosen = [agent.agent_id for agent in asked if voice_of(agent) == voice]
        for proposal in own.values():
            able = [name for name in members if own.get(name) != proposal]
            assert not able or [name for name in chosen if own.get(name) != proposal]
    assert len(asked) == number_of_voters(authors, judges, orders=orders) <= len(authors) + len(judges)


@given(st.integers(2, 16), st.integers(1, 4), st.integers(1, 16))
def test_authors_of_few_voices_fill_all_orders_evenly(count: int, many: int, orders: int) -> None:
    authors = authors_of([number % many for number in range(count)])
    presentation = shown(authors, orders)
    own = own_of(authors)

    asked = voters(authors, presentation, own)

    used = Counter(presentation.order_of(own[agent.agent_id]) for agent in asked)
    assert len(used) >= min(len(presentation.passes[0]), len(asked)) - many
    assert max(used.values()) - min(used.values()) <= 1 + many
