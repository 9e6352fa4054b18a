"""Who lends neutral judges, and how many."""

from __future__ import annotations

import pytest

from domain.opening import choose_judges
from domain.policy import Policy
from tests.support.factories import agent, council

QA, OPS = council("QA", size=2), council("OPS", size=2)
POLICY = Policy(model="tiny")


def members(count: int) -> list[str]:
    return [f"agent-{number}" for number in range(1, count + 1)]


@pytest.mark.parametrize(("proposers", "judges"), [(1, 0), (2, 2), (3, 2), (4, 2), (5, 0), (16, 0)])
def test_councils_of_four_or_fewer_get_two(proposers: int, judges: int) -> None:
    assert len(choose_judges("d-1", members(proposers), [QA, OPS], POLICY)) == judges


def test_where_nobody_else_is_there_are_none() -> None:
    assert choose_judges("d-1", members(3), [], POLICY) == ()


@pytest.mark.parametrize(("wanted", "judges"), [(0, 0), (1, 1), (3, 3), (9, 4)])
def test_a_setting_says_how_many_up_to_those_there_are(wanted: int, judges: int) -> None:
    asked = Policy(model="tiny", judges=wanted)
    assert len(choose_judges("d-1", members(5), [QA, OPS], asked)) == judges


def test_the_same_seed_draws_the_same_ones_in_whatever_order_councils_come() -> None:
    assert choose_judges("d-1", members(3), [QA, OPS], POLICY) == choose_judges(
        "d-1", members(3), [OPS, QA], POLICY
    )
    drawn = {choose_judges(f"d-{n}", members(3), [QA, OPS], POLICY) for n in range(20)}
    assert len(drawn) > 3


def test_a_judge_is_known_by_its_role_so_that_nobody_is_taken_for_a_proposer() -> None:
    assert all(
        one.agent_id.startswith(("QA/", "OPS/")) for one in choose_judges("d-1", members(3), [QA, OPS], POLICY)
    )


def test_a_judge_knows_its_own_council_and_its_id_there() -> None:
    homes = {judge.home for judge in choose_judges("d-1", members(3), [council("Q/A", size=1), OPS], POLICY)}
    assert homes <= {("Q/A", "agent-1"), ("OPS", "agent-1"), ("OPS", "agent-2")}


def test_a_judge_that_would_have_a_proposers_id_is_not_chosen() -> None:
    assert choose_judges("d-1", ["QA/agent-1", "QA/agent-2"], [QA], POLICY) == ()
    lonely = choose_judges("d-1", ["QA/agent-1", "dev-1"], [QA], POLICY)
    assert [judge.agent_id for judge in lonely] == ["QA/agent-2"]


def test_of_judges_whose_long_ids_would_be_one_only_one_is_chosen() -> None:
    twins = (agent("x" * 199 + "1"), agent("x" * 199 + "2"))
    assert len(choose_judges("d-1", members(3), [council("QA", agents=twins)], POLICY)) == 1
