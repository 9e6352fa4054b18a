"""Every mistake in data from outside is one sentence: place, what is wrong, remedy."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from domain.plan import Plan
from domain.validation.validate import MAX_LISTED, InvalidInput, validate
from domain.value import Value


class Wheel(Value):
    """A part with a name and a size."""

    wheel_id: str
    size: int = Field(default=1, ge=1)


class Cart(BaseModel):
    """Something with everything that a model can have in it."""

    model_config = ConfigDict(extra="allow")

    cart_id: str
    wheels: tuple[Wheel, ...] = Field(min_length=2)
    spares: dict[str, Wheel] = {}
    load: str | int | None = None
    part: Wheel | list[int] = []
    corners: tuple[int, str] = (0, "")
    plate: str = Field(default="AA", min_length=2, max_length=3, pattern="^[A-Z ]*$")


GOOD: dict[str, Any] = {"cart_id": "c", "wheels": [{"wheel_id": "a"}, {"wheel_id": "b"}]}


def sentences(data: object, **options: Any) -> list[str]:
    with pytest.raises(InvalidInput) as error:
        validate(Cart, data, **options)
    return [mistake.sentence for mistake in error.value.mistakes]


def test_data_that_fits_is_returned_as_its_model() -> None:
    assert validate(Cart, GOOD).wheels[1].wheel_id == "b"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"cart_id": None}, ["field cart_id must be a string, not null; correct it"]),
        ({"wheels": {}}, ["field wheels must be a list, not an object; correct it"]),
        ({"wheels": []}, ["field wheels is empty; add an entry"]),
        ({"wheels": [{"wheel_id": "a"}]}, ["field wheels has fewer than 2 entries; add some"]),
        ({"load": [1]}, ["field load must be a string or an integer, not a list; correct it"]),
        ({"part": {"wheel_id": 1}}, ["field part.wheel_id must be a string, not a number; correct it"]),
        ({"plate": " "}, ["field plate is empty; give it a value"]),
        ({"plate": "A"}, ["field plate is shorter than 2 characters; lengthen it"]),
        ({"plate": "AAAA"}, ["field plate is longer than 3 characters; shorten it"]),
        ({"plate": "a1"}, ["field plate must match ^[A-Z ]*$; correct it"]),
        ({"corners": ["x", "y"]}, ["field corners[0] must be an integer, not a string; correct it"]),
        (
            {"spares": {"left": {"wheel_id": "a", "size": 0}}},
            ["field spares.left.size must be greater than or equal to 1; correct it"],
        ),
    ],
)
def test_a_mistake_is_told_once_with_its_place(changes: dict[str, Any], expected: list[str]) -> None:
    assert sentences(GOOD | changes) == expected


def test_mistakes_come_in_the_order_of_the_fields() -> None:
    assert sentences({"wheels": [{"wheel_id": 1}, 5], "load": {}}) == [
        "field cart_id is missing; add it",
        "field wheels[0].wheel_id must be a string, not a number; correct it",
        "field wheels[1] must be an object, not a number; correct it",
        "field load must be a string or an integer, not an object; correct it",
    ]


def test_places_are_told_from_the_outside_in() -> None:
    assert sentences(GOOD | {"cart_id": 1}, within=("carts", 3)) == [
        "field carts[3].cart_id must be a string, not a number; correct it"
    ]
    assert sentences(5) == ["must be an object, not a number; correct it"]
    assert sentences(5, within=("carts", 3)) == ["field carts[3] must be an object, not a number; correct it"]


@pytest.mark.parametrize("written", ["id", "wheelId", "wheel-id", "WHEEL_ID", "weel_id", "wheelid", "wheel"])
def test_a_missing_field_under_another_name_is_one_mistake(written: str) -> None:
    expected = [f"wheels[0]: field {written} is not known here; write wheel_id"]
    assert sentences(GOOD | {"wheels": [{written: "a"}, {"wheel_id": "b"}]}) == expected


def test_where_unknown_fields_are_kept_one_that_is_meant_for_a_missing_one_is_recognised() -> None:
    assert sentences({"cartId": "c", "colour": "red", "wheels": GOOD["wheels"]}) == [
        "field cartId is not known here; write cart_id"
    ]


@pytest.mark.parametrize(("written", "remedy"), [("siez", "write size"), ("colour", "leave it out")])
def test_an_unknown_field_is_told_with_the_nearest_known_one(written: str, remedy: str) -> None:
    wheels = [{"wheel_id": "a", written: 1}, {"wheel_id": "b"}]
    assert sentences(GOOD | {"wheels": wheels}) == [f"wheels[0]: field {written} is not known here; {remedy}"]


def test_a_name_that_may_mean_two_missing_fields_is_taken_for_neither() -> None:
    with pytest.raises(InvalidInput) as error:
        validate(Plan, {"id": "x", "approved_by": "po", "timestamp": "2026-01-31", "roles": []})
    assert [mistake.sentence for mistake in error.value.mistakes] == [
        "field story_id is missing; add it",
        "field plan_id is missing; add it",
    ]


def test_mistakes_within_a_rubric_have_their_place_in_the_plan() -> None:
    rubric = {"criteria": [{"nam": "fit"}, {"name": 5, "weight": 0}]}
    plan = {"story_id": "s", "plan_id": "p", "approved_by": "po", "timestamp": "2026-01-31", "roles": []}
    with pytest.raises(InvalidInput) as error:
        validate(Plan, plan | {"constraints": {"rubric": rubric}})
    assert [mistake.sentence for mistake in error.value.mistakes] == [
        "constraints.rubric.criteria[0]: field nam is not known here; write name",
        "field constraints.rubric.criteria[1].name must be a string, not a number; correct it",
        "field constraints.rubric.criteria[1].weight must be greater than 0; correct it",
    ]


def test_a_validator_of_ours_speaks_for_itself() -> None:
    plan = {"story_id": "s", "plan_id": "p", "approved_by": "po", "timestamp": "soon", "roles": []}
    with pytest.raises(InvalidInput) as error:
        validate(Plan, plan | {"constraints": {"rubric": ["fit", "fit"]}})
    assert [mistake.sentence for mistake in error.value.mistakes] == [
        "field timestamp must be ISO 8601, like 2026-01-31T12:00:00Z; correct it",
        "constraints.rubric.criteria: criterion names must differ; rename one",
    ]


def test_more_mistakes_than_a_reader_wants_are_counted() -> None:
    with pytest.raises(InvalidInput) as error:
        validate(Cart, GOOD | {"wheels": [1] * 1000})
    assert len(error.value.mistakes) == MAX_LISTED
    assert error.value.unlisted == 900


def test_a_foreign_name_is_printed_bounded_and_in_one_line() -> None:
    wheels = [{"wheel_id": "a", "x\n" * 500: 1}, {"wheel_id": "b"}]
    (sentence,) = sentences(GOOD | {"wheels": wheels})
    assert len(sentence) < 200
    assert sentence.isprintable()


names = st.sampled_from(
    ["cart_id", "cart", "wheels", "wheel_id", "id", "size", "spares", "load", "part", "corners"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(names, values))
def test_whatever_the_data_each_mistake_has_a_sentence_and_a_place_of_its_own(data: dict[str, Any]) -> None:
    try:
        validate(Cart, data)
    except InvalidInput as error:
        told = [mistake.sentence for mistake in error.mistakes]
        assert told
        assert len(set(told)) == len(told)
        assert all(sentence.isprintable() and ";" in sentence for sentence in told)
