"""Which schemas a plan may demand, and the clause that the others get; jsonschema is the oracle."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry

from domain.output_schema import FORMS, MAX_CHARS, MAX_DEPTH, MAX_PATTERN_CHARS, REFUSED, TYPES, schema_fault

TREE = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://example.com/tree",
    "$ref": "#/$defs/node",
    "$defs": {"node": {"properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}},
}


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"items": schema}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        {},
        TREE,
        {"type": "object", "required": ["steps"], "properties": {"steps": {"type": "array", "minItems": 1}}},
        {"properties": {"a/b~c %": {}}, "allOf": [{"$ref": "#/properties/a~1b~0c%20%25"}]},
        {"properties": {"below": {"$ref": "#"}}},
        {"type": ["string", "null"], "pattern": "^[a-z]+$", "x-unknown": {"$ref": "https://example.com"}},
        {"enum": [{"$ref": "https://example.com"}], "default": {"$id": "x"}},
        {"minimum": -1.5, "multipleOf": 0.1, "minLength": 2.0},
        nested(MAX_DEPTH),
    ],
)
def test_a_schema_of_the_draft_is_taken(schema: dict[str, Any]) -> None:
    assert schema_fault(schema) is None


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "strin"}, "type must be one of array, boolean"),
        ({"properties": {"a": {"minLength": -1}}}, "properties/a/minLength must be a whole number"),
        ({"properties": {"a": {"minLength": True}}}, "properties/a/minLength must be a whole number"),
        ({"minLength": 1e400}, "minLength must be a whole number"),
        ({"items": [{}]}, "items must be a schema, not a list; write"),
        ({"required": ["a", "a"]}, "required must be a list of different names"),
        ({"allOf": []}, "allOf must be a list with an entry at least"),
        ({"properties": []}, "properties must be an object"),
        ({"pattern": "("}, "pattern is no regular expression that Python reads"),
        ({"pattern": "a{99999999999}"}, "pattern is no regular expression that Python reads"),
        ({"pattern": r"\p{L}"}, "pattern is no regular expression that Python reads"),
        ({"patternProperties": {"[": {}}}, "is no regular expression that Python reads"),
        ({"pattern": "a" * (MAX_PATTERN_CHARS + 1)}, f"pattern is beyond the {MAX_PATTERN_CHARS} characters"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "$schema must be https://json-schema.org"),
        ({"items": {"$id": "other"}}, "items/$id may stand at the top alone"),
        ({"$ref": "https://example.com/schema"}, "$ref refers to another document"),
        ({"$ref": "file:///etc/passwd"}, "$ref refers to another document"),
        ({"$ref": "other.json#/$defs/a"}, "$ref refers to another document"),
        ({"$ref": "#/$defs/a", "$defs": {}}, "$ref refers to no schema in this document"),
        ({"$ref": "#/properties", "properties": {"$ref": {}}}, "$ref refers to no schema in this document"),
        ({"items": {"$ref": "#/default"}, "default": {"$ref": "https://example.com"}}, "refers to no schema"),
        ({"$ref": "#/$defs/a\n", "$defs": {"a": {}}}, "$ref must be a reference without blanks"),
        ({"$ref": "#"}, "$ref leads back to itself without a step into the value"),
        ({"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}}, "leads back"),
        ({"$dynamicRef": "#a"}, "$dynamicRef is not supported; write $ref"),
        ({"dependencies": {"a": ["b"]}}, "dependencies is not of this draft; write dependentRequired"),
        (nested(MAX_DEPTH + 1), f"nested deeper than {MAX_DEPTH} schemas"),
    ],
)  # fmt: skip
def test_what_can_not_be_held_to_gets_one_clause_with_place_and_remedy(schema: dict[str, Any], words: str) -> None:
    fault = schema_fault(schema)
    assert fault is not None
    assert fault.startswith("is no JSON Schema of draft 2020-12 that can be checked: ")
    assert words in fault
    assert ";" in fault
    assert len(fault) < 300


def test_a_schema_longer_than_prompts_should_hold_is_refused_with_its_length() -> None:
    fault = schema_fault({"enum": list(range(MAX_CHARS))})
    assert fault is not None
    assert f"{MAX_CHARS} are allowed; shorten it" in fault


def test_a_hostile_name_is_told_escaped_and_cut() -> None:
    fault = schema_fault({"properties": {"\x1b[2J\n" + "x" * 500: 1}})
    assert fault is not None
    assert fault.isprintable()
    assert len(fault) < 300


SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.sampled_from(["a", "#", *TYPES])
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
)
KEYWORDS = sorted({*FORMS, *REFUSED, "additionalProperties", "contains", "const", "if", "items", "not", "then"})
SCHEMA_LIKE = st.recursive(
    JSON,
    lambda inner: st.dictionaries(st.sampled_from(KEYWORDS), inner | st.lists(inner, max_size=2), max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(KEYWORDS), SCHEMA_LIKE, max_size=4), JSON)
def test_what_is_taken_is_a_schema_that_a_validator_can_use(schema: dict[str, Any], value: Any) -> None:
    if schema_fault(schema) is None:
        Draft202012Validator.check_schema(schema)
        Draft202012Validator(schema, registry=Registry()).is_valid(value)


LEAVES = st.sampled_from(
    [
        {"type": "string", "minLength": 1}, {"type": ["integer", "null"], "minimum": 0}, {"const": {"a": [1]}},
        {"enum": ["low", "high"]}, {"pattern": "^a+$"}, True, False, {"$ref": "#/$defs/leaf"}, {"multipleOf": 0.5},
        {"type": "array", "uniqueItems": True, "maxItems": 3}, {"format": "date", "title": "A day"},
    ]
)  # fmt: skip
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda inside: {"type": "object", "properties": {"a": inside}, "required": ["a"]}, inner),
        st.builds(lambda inside: {"items": inside, "contains": inside, "minContains": 1}, inner),
        st.builds(lambda first, second: {"anyOf": [first, second], "not": {"const": 7}}, inner, inner),
        st.builds(lambda inside: {"if": inside, "then": {}, "else": inside}, inner),
        st.builds(lambda inside: {"patternProperties": {"^b": inside}, "additionalProperties": inside}, inner),
    ),
    max_leaves=8,
)


@given(SCHEMAS)
def test_every_schema_of_the_draft_without_what_is_refused_is_taken(inner: Any) -> None:
    schema = {"$defs": {"leaf": {"type": "boolean"}}, "properties": {"top": inner}}
    Draft202012Validator.check_schema(schema)
    assert schema_fault(schema) is None


@given(st.sampled_from(sorted(FORMS)), JSON)
def test_a_keywords_value_is_refused_where_the_draft_refuses_it(keyword: str, value: Any) -> None:
    try:
        Draft202012Validator.check_schema({keyword: value})
    except SchemaError:
        assert schema_fault({keyword: value}) is not None


PIECES = (
    *"[]()-^|*+?{}1,a\\\u00e9\u3042\U0010ffff",
    *(r"\u3042", r"\u0041", r"\U0010fffe", r"\U00110000", r"\N{SNOWMAN}", r"\N{NO SUCH}", r"\\", r"\x80", r"\u"),
    *("(?i)", "(?P<\u00e9>", "(?P=\u00e9)", "(?<=", "\u00e9-\u3042", "\u3042-\u00e9"),
)
BATCH_CPU_S = 5.0
"""Seconds of processor time for thirty plans; they take a tenth."""


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_a_pattern_is_taken_where_python_compiles_it(pattern: str) -> None:
    try:
        re.compile(pattern)
    except (re.error, OverflowError):
        assert schema_fault({"pattern": pattern}) is not None
    else:
        assert schema_fault({"pattern": pattern}) is None


@pytest.mark.parametrize("unit", ["[\x01-\U0010fffe]", r"[\x01-\uffff]", r"[\x01-\N{OX}]"])
def test_no_pattern_holds_up_those_who_wait_behind_its_plan(unit: str) -> None:
    """A bridge reads its messages one by one; such classes took it a second and a half for each."""
    pattern = "(?i)" + unit * ((MAX_PATTERN_CHARS - 10) // len(unit))
    began = time.process_time()
    for number in range(30):
        assert schema_fault({"pattern": pattern + str(number)}) is None
    assert time.process_time() - began < BATCH_CPU_S
