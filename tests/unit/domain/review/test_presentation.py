"""Orders are few, balanced and seeded: what is drawn can be drawn again."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.review.presentation import Presentation, present

COUNTS = st.integers(2, 17)
SEEDS = st.one_of(st.integers(), st.text(max_size=20))


def ids(count: int) -> list[str]:
    return [f"p{number}" for number in range(count)]


@given(COUNTS, SEEDS, st.integers(1, 20), st.integers(1, 4))
def test_every_order_shows_every_candidate_once(count: int, seed: str | int, orders: int, passes: int) -> None:
    presentation = present(ids(count), seed=seed, passes=passes, orders=orders)

    assert len(presentation.passes) == passes
    for one_pass in presentation.passes:
        assert len(set(one_pass)) == len(one_pass) == min(orders, count)
        assert all(sorted(order) == sorted(ids(count)) for order in one_pass)


@given(COUNTS, SEEDS, st.integers(1, 17))
def test_the_second_pass_shows_every_order_in_reverse(count: int, seed: str | int, orders: int) -> None:
    there, back = present(ids(count), seed=seed, passes=2, orders=orders).passes

    assert [order[::-1] for order in there] == list(back)


@given(COUNTS, SEEDS, st.integers(1, 17))
def test_over_both_passes_every_candidate_stands_in_the_middle_on_average(
    count: int, seed: str | int, orders: int
) -> None:
    presentation = present(ids(count), seed=seed, orders=orders)
    sequences = [order for each_pass in presentation.passes for order in each_pass]

    places = {name: sum(order.index(name) for order in sequences) for name in ids(count)}

    assert set(places.values()) == {len(sequences) * (count - 1) / 2}


@given(COUNTS, SEEDS)
def test_an_order_for_every_candidate_is_a_latin_square(count: int, seed: str | int) -> None:
    for each_pass in present(ids(count), seed=seed, orders=count).passes:
        for place in range(count):
            assert {order[place] for order in each_pass} == set(ids(count))


@given(COUNTS, SEEDS, st.integers(1, 17))
def test_places_of_a_candidate_in_one_pass_are_spread_evenly(count: int, seed: str | int, orders: int) -> None:
    first = present(ids(count), seed=seed, orders=orders).passes[0]

    for name in ids(count):
        places = sorted(order.index(name) for order in first)
        gaps = [(after - before) % count for before, after in zip(places, places[1:] + places[:1], strict=True)]
        assert len(places) == 1 or max(gaps) - min(gaps) <= 1


@given(COUNTS, SEEDS)
def test_other_authors_see_a_proposal_at_every_place_but_one(count: int, seed: str | int) -> None:
    presentation = present(ids(count), seed=seed, orders=count)

    for name in ids(count):
        places = Counter(
            presentation.shown_to(0, own=author).items.index(name) for author in ids(count) if author != name
        )
        assert places == Counter(range(1, count))


@given(COUNTS, SEEDS, st.integers(1, 17))
def test_an_author_finds_its_own_proposal_near_the_beginning_and_in_the_second_pass_near_the_end(
    count: int, seed: str | int, orders: int
) -> None:
    presentation = present(ids(count), seed=seed, orders=orders)
    near = -(-count // min(orders, count))

    for own in ids(count):
        assert presentation.shown_to(0, own=own).items.index(own) < near
        assert presentation.shown_to(1, own=own).items[::-1].index(own) < near


@given(COUNTS, SEEDS, st.integers(1, 17))
def test_authors_and_judges_are_dealt_to_the_orders_evenly(count: int, seed: str | int, orders: int) -> None:
    presentation = present(ids(count), seed=seed, orders=orders)

    by_authors = Counter(presentation.shown_to(0, own=author).order for author in ids(count))
    by_judges = Counter(presentation.shown_to(1, number=number).order for number in range(count))

    for dealt in (by_authors, by_judges):
        assert len(dealt) == min(orders, count)
        assert max(dealt.values()) - min(dealt.values()) <= 1


@given(COUNTS, SEEDS, st.randoms(use_true_random=False))
def test_the_draw_depends_on_seed_and_ids_and_not_on_their_order(count: int, seed: str | int, chance) -> None:  # type: ignore[no-untyped-def]
    shuffled = ids(count)
    chance.shuffle(shuffled)

    assert present(shuffled, seed=seed, orders=3) == present(ids(count), seed=seed, orders=3)


def test_other_seeds_draw_other_orders_and_favour_nobody() -> None:
    firsts = Counter(present(ids(4), seed=seed).passes[0][0][0] for seed in range(4000))

    assert all(900 < times < 1100 for times in firsts.values())


def test_a_third_pass_draws_anew() -> None:
    presentation = present(ids(12), seed="s", passes=4)

    assert presentation.passes[2] != presentation.passes[0]
    assert presentation.passes[3][0] == presentation.passes[2][0][::-1]


def test_what_was_shown_is_recorded_with_its_seed() -> None:
    presentation = present(ids(5), seed="d-1/0", orders=2)
    stored = Presentation.model_validate_json(presentation.model_dump_json())

    assert stored == presentation
    assert stored.seed == "d-1/0"
    assert stored.shown_to(1, own="p3") == presentation.shown_to(1, own="p3")


@pytest.mark.parametrize(
    ("proposal_ids", "passes", "orders"),
    [([], 2, 1), (["a", "a"], 2, 1), (["a"], 0, 1), (["a"], 9, 1), (["a"], 2, 0)],
)
def test_senseless_numbers_are_refused(proposal_ids: list[str], passes: int, orders: int) -> None:
    with pytest.raises(ValueError, match="presentation"):
        present(proposal_ids, seed=1, passes=passes, orders=orders)


@pytest.mark.parametrize("count", [2, 4, 6, 8, 16])
def test_with_an_even_number_every_candidate_follows_every_other_once(count: int) -> None:
    (square,) = present(ids(count), seed="s", passes=1, orders=count).passes

    pairs = Counter(pair for order in square for pair in pairwise(order))

    assert set(pairs.values()) == {1}
    assert len(pairs) == count * (count - 1)


@pytest.mark.parametrize("count", [3, 5, 7, 15])
def test_with_an_odd_number_both_passes_together_let_every_candidate_follow_every_other_twice(count: int) -> None:
    passes = present(ids(count), seed="s", passes=2, orders=count).passes

    pairs = Counter(pair for each in passes for order in each for pair in pairwise(order))

    assert set(pairs.values()) == {2}
    assert len(pairs) == count * (count - 1)
