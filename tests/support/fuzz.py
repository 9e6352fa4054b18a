"""Messages nobody would send, the same in every run: made by hand, drawn by hypothesis, spoilt by dice."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bridge.subjects import INBOUND
from tests.support.spoilt_messages import (
    CLOUD_FIELDS,
    CONSTRAINT_FIELDS,
    ENVELOPE_FIELDS,
    FIELDS,
    GOOD,
    in_cloud_event,
    in_envelope,
    nested,
    odd_headers,
    spoilt,
)

WEIGHT = 8192
"""Bytes that white space brings a message to, so that a reader that keeps messages is seen to grow."""

WRONG: tuple[Any, ...] = (
    *(None, True, 0, -1.5, 10**4000, float("nan"), float("-inf")),
    *("", "x", "\ud800", [], [None], [[1], {}], {}, {"x": None}, nested(80)),
)
"""Every type that JSON has, and some values that it has not."""

WHOLE = json.dumps(GOOD).encode()
NOT_JSON = (
    *(b"", b" ", b"\x00", b"\r\n", b"approve it!", b"{", b'{"a":', b'{"a": 1,}', b"{'a': 1}", b'{"a": "\\u12"}'),
    *(b"\xef\xbb\xbf" + WHOLE, WHOLE.decode().encode("utf-16"), WHOLE[:-1], WHOLE + WHOLE, WHOLE + b"\xff"),
)
NO_OBJECT = (b"null", b"true", b"3", b'"text"', b"[]", b"{}")
DISPUTED = (
    *(b'{"a": 1e999}', b'{"a": Infinity}', b'{"a": %s}' % (b"9" * 100_000)),
    *(b'{"\\udfff": 1}', b'{"a": "\\uDC00\\uD800"}', b'{"a": [{"b": {"c": 1, "d": 2, "c": 3}}]}'),
)
BOMBS = (
    *(b"[" * 100_000 + b"]" * 100_000, b"[" * 500_000, b'{"a":' * 100_000, b'{"a":[' * 50_000),
    WHOLE[:-1] + b"," + b",".join(b'"%x": 0' % number for number in range(50_000)) + b"}",
    WHOLE[:-1] + b', "description": "' + b"x" * 300_000 + b'"}',
    WHOLE + b" " * (1 << 20),
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=15,
)
json_objects = st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=6)


@dataclass(frozen=True)
class Fuzzed:
    """A message to publish."""

    subject: str
    data: bytes
    headers: dict[str, str] = field(default_factory=dict)


def fuzzed(count: int, *, drawn: int = 400) -> list[Fuzzed]:
    """Return messages in random order: those made by hand, those of `drawn` objects, the rest spoilt by dice.

    Where a message says which plan and story it is about, it has these for itself.
    """
    dice = random.Random(count)
    made = list(_by_hand())
    for body, wrap in product(_drawn(drawn), (dict, in_envelope, in_cloud_event)):
        made.append(Fuzzed(dice.choice(INBOUND), _json(wrap(body)), odd_headers(dice)))
    assert len(made) < count, "more was made by hand than is wanted"
    while len(made) < count:
        made.append(Fuzzed(dice.choice(INBOUND), _weighed(spoilt(dice)), odd_headers(dice)))
    dice.shuffle(made)
    return [Fuzzed(one.subject, _own(one.data, number), one.headers) for number, one in enumerate(made)]


def _by_hand() -> Iterator[Fuzzed]:
    """Yield each field with each wrong value, doubled, in each dialect, on each subject; and what is no object."""
    for subject, (name, value) in product(INBOUND, product(FIELDS, WRONG)):
        yield Fuzzed(subject, _json(GOOD | {name: value}))
    for subject, (name, value) in product(INBOUND, product(CONSTRAINT_FIELDS, WRONG)):
        yield Fuzzed(subject, _json(GOOD | {"constraints": {name: value}}))
    for wrap, names in ((in_envelope, ENVELOPE_FIELDS), (in_cloud_event, CLOUD_FIELDS)):
        for subject, (name, value) in product(INBOUND, product(names, WRONG)):
            yield Fuzzed(subject, _json(wrap(GOOD) | {name: value}))
    for subject, name in product(INBOUND, FIELDS):
        twice = json.dumps({name: GOOD.get(name, "x")})[1:-1].encode()
        yield Fuzzed(subject, _weighed(WHOLE[:-1] + b", " + twice + b", " + twice + b"}"))
    for subject, data in product(INBOUND, (*NOT_JSON, *NO_OBJECT, *DISPUTED, *BOMBS)):
        yield Fuzzed(subject, data)


def _drawn(count: int) -> list[dict[str, Any]]:
    """Have hypothesis draw so many objects: with all that a message needs and fields replaced, or as they come."""
    found: list[dict[str, Any]] = []

    @settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(json_objects, st.booleans())
    def draw(body: dict[str, Any], complete: bool) -> None:
        found.append(GOOD | body if complete else body)

    draw()
    return found


def _json(value: Any) -> bytes:
    return _weighed(json.dumps(value).encode())


def _weighed(data: bytes) -> bytes:
    return data.ljust(WEIGHT)


def _own(data: bytes, number: int) -> bytes:
    return data.replace(b'"p"', b'"p-%d"' % number).replace(b'"s"', b'"s-%d"' % number)
