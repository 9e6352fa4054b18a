"""What counts as JSON: one object, in UTF-8, about which no two parsers disagree."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.rejection import MessageRejected
from bridge.strict_json import MAX_DEPTH, parse_object

plain_text = st.text(st.characters(codec="utf-8"))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | plain_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain_text, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(plain_text, values, max_size=5), st.booleans())
def test_what_json_can_say_comes_back_unchanged(value: dict[str, object], ascii_only: bool) -> None:
    assert parse_object(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "not JSON"),
        (b"approved!", "not JSON"),
        (b'{"a": 1,}', "not JSON"),
        (b'{"a": 1} {"b": 2}', "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 7"),
        (b"[1, 2]", "must be a JSON object, not a list"),
        (b'"text"', "not a string"),
        (b"null", "not null"),
        (b"true", "not true or false"),
        (b"3", "not a number"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": -1e999}', "too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "integer of 5000 digits"),
        (b'{"plan_id": "a", "plan_id": "b"}', "field plan_id occurs twice"),
        (b'{"a": [{"b": {"c": 1, "d": 2, "c": 3}}]}', "field c occurs twice"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"\\udfff": 1}', "surrogate"),
        (b'{"a": "\\uDC00\\uD800"}', "surrogate"),
    ],
)
def test_everything_else_is_refused_with_its_reason(data: bytes, complaint: str) -> None:
    with pytest.raises(MessageRejected, match=complaint.replace("[", r"\[")):
        parse_object(data)


def test_a_surrogate_pair_is_a_character() -> None:
    assert parse_object(b'{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}


def test_the_size_is_measured_in_bytes_and_the_limit_still_allowed() -> None:
    data = '{"a": "äöü"}'.encode()
    assert parse_object(data, max_bytes=len(data)) == {"a": "äöü"}
    with pytest.raises(MessageRejected, match=f"has {len(data)} bytes, {len(data) - 1} are allowed"):
        parse_object(data, max_bytes=len(data) - 1)


@pytest.mark.parametrize("around", [("[", "]"), ('{"a":', "}")])
def test_nesting_is_bounded(around: tuple[str, str]) -> None:
    opening, closing = around

    def nested(levels: int) -> bytes:
        return ('{"deep":' + opening * levels + "1" + closing * levels + "}").encode()

    assert "deep" in parse_object(nested(MAX_DEPTH - 1))
    for levels in (MAX_DEPTH, 900, 1100, 100_000):
        with pytest.raises(MessageRejected, match="nested deeper than 64 levels"):
            parse_object(nested(levels))


def test_a_bomb_that_never_closes_is_refused_too() -> None:
    for bomb in (b"[" * 1_000_000, b'{"a":' * 200_000, b'{"a":[' * 100_000):
        with pytest.raises(MessageRejected):
            parse_object(bomb)


def test_a_million_names_with_the_last_one_doubled_are_refused_in_reasonable_time() -> None:
    names = ",".join(f'"{number:x}":0' for number in range(100_000))
    with pytest.raises(MessageRejected, match="field 1869f occurs twice"):
        parse_object(f'{{{names},"1869f":1}}'.encode(), max_bytes=1 << 22)


def test_a_reason_neither_quotes_the_content_nor_grows_with_it() -> None:
    name = "secret" * 1000 + "\n\x07"
    with pytest.raises(MessageRejected) as rejected:
        parse_object(
            json.dumps({"x": 1})[:-1].encode() + f", {json.dumps(name)}: 1, {json.dumps(name)}: 2}}".encode()
        )
    assert len(str(rejected.value)) < 200
    assert str(rejected.value).isprintable()
