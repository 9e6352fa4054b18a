"""What a plan may demand of its proposals' form: a JSON Schema (draft 2020-12) that can be checked within bounds.

Bridge, client and commands look where a plan comes in, and nothing looks again: what was taken stays readable.
Nothing here validates a proposal; the check `output_schema` does.
"""

from __future__ import annotations

import json
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from typing import Any
from urllib.parse import unquote

from domain.validation.words import json_type, printable

MAX_CHARS = 32_768
"""Of the schema as JSON: every prompt holds it."""
MAX_DEPTH = 32
"""Schemas within one another."""
MAX_PATTERN_CHARS = 2_000
"""Of all patterns together, which are compiled when a plan comes in."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"
TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")

SCHEMAS = frozenset(
    {"additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then"}
    | {"unevaluatedItems", "unevaluatedProperties"}
)
"""Keywords whose value is a schema."""
LISTS_OF_SCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
MAPS_OF_SCHEMAS = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
SAME_PLACE = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"})
"""Keywords that hold their schemas against the value itself, not against a part of it."""
REFUSED = {
    "$anchor": "is not supported; refer to #/$defs/NAME",
    "$dynamicAnchor": "is not supported; leave it out",
    "$dynamicRef": "is not supported; write $ref",
    "$recursiveAnchor": "is not of this draft; leave it out",
    "$recursiveRef": "is not of this draft; write $ref",
    "$vocabulary": "is not supported; leave it out",
    "additionalItems": "is not of this draft; write items beside prefixItems",
    "dependencies": "is not of this draft; write dependentRequired or dependentSchemas",
}
"""Keywords that change what a reference means, or that a reader of this draft would pass over in silence."""


def schema_fault(schema: Mapping[str, Any]) -> str | None:
    """Say what keeps an object from being a schema that proposals can be held to; None if it is one.

    The clause lacks its subject: "has 40000 characters, …". Time grows with the schema's length.
    """
    length = len(json.dumps(schema, ensure_ascii=False))
    if length > MAX_CHARS:
        return f"has {length} characters, {MAX_CHARS} are allowed; shorten it"
    try:
        _Outline(schema)
    except _Unfit as unfit:
        return f"is no JSON Schema of draft 2020-12 that can be checked: {unfit}"
    return None


class _Unfit(Exception):
    """One keyword does not fit; the message says which, why and what to do."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{printable(place.removeprefix('/')) or 'it'} {problem}")


class _Outline:
    """All schemas within a schema by their JSON pointers. Raises _Unfit for the first fault."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._pattern_chars = 0
        self._references: dict[str, str] = {}
        """Pointer of the schema that refers → pointer that it refers to."""
        self._same_place: dict[str, set[str]] = {}
        """Pointer → those of the schemas that its own value is held against as well."""
        self._read(schema, "", 0)
        self._resolve()

    def _read(self, schema: Any, place: str, depth: int) -> None:
        if not isinstance(schema, Mapping | bool):
            raise _Unfit(place, f"must be a schema, not {json_type(schema)}; write an object, true or false")
        if depth > MAX_DEPTH:
            raise _Unfit(place, f"is nested deeper than {MAX_DEPTH} schemas; make it flatter")
        self._same_place[place] = set()
        for keyword, value in schema.items() if isinstance(schema, Mapping) else ():
            self._check(keyword, value, place)
            for inner, name in _inner(keyword, value, _below(place, keyword)):
                self._read(inner, name, depth + 1)
                if keyword in SAME_PLACE:
                    self._same_place[place].add(name)

    def _check(self, keyword: str, value: Any, place: str) -> None:
        here = _below(place, keyword)
        if keyword in REFUSED or (keyword in ("$id", "$schema") and place):
            raise _Unfit(here, REFUSED.get(keyword, "may stand at the top alone; leave it out"))
        if keyword in FORMS and not FORMS[keyword][0](value):
            raise _Unfit(here, f"must be {FORMS[keyword][1]}; correct it")
        if keyword == "$ref":
            self._references[place] = _target(value, here)
        elif keyword == "pattern":
            self._compile(value, here)
        elif keyword == "patternProperties":
            for pattern in value:
                self._compile(pattern, here)

    def _compile(self, pattern: str, place: str) -> None:
        self._pattern_chars += len(pattern)
        if self._pattern_chars > MAX_PATTERN_CHARS:
            raise _Unfit(place, f"is beyond the {MAX_PATTERN_CHARS} characters of all patterns; shorten them")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                # With Unicode's rules each letter of a class has its other cases looked up; (?u), which asks for
                # them, is no part of JSON Schema's patterns.
                re.compile(_narrowed(pattern), re.ASCII)
        except (re.error, OverflowError, RecursionError, ValueError):
            raise _Unfit(place, "is no regular expression that Python reads; correct it") from None

    def _resolve(self) -> None:
        for place, target in self._references.items():
            if target not in self._same_place:
                problem = "refers to no schema in this document; name one that is there, such as #/$defs/NAME"
                raise _Unfit(_below(place, "$ref"), problem)
            self._same_place[place].add(target)
        try:
            TopologicalSorter(self._same_place).prepare()
        except CycleError as circle:
            place = next(place for place in circle.args[1] if place in self._references)
            problem = "leads back to itself without a step into the value; refer to it from a property or an item"
            raise _Unfit(_below(place, "$ref"), problem) from None


LATIN = "".join(filter(str.isalpha, map(chr, range(0xC0, 0x100))))
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|.)", re.DOTALL)


def _narrowed(pattern: str) -> str:
    """Write a pattern with Latin letters, in the same order, for its characters beyond ASCII.

    Whether it compiles stays the same, but for the order of more of them than there are letters. Compiling a class
    that reaches beyond Latin takes four milliseconds, and a message could hold four hundred.
    """
    plain = _ESCAPE.sub(lambda escape: _character(escape[0]), pattern)
    beyond = sorted({character for character in plain if character > "\x7f"})
    last = len(LATIN) - 1
    return plain.translate({ord(found): LATIN[min(place, last)] for place, found in enumerate(beyond)})


def _character(escape: str) -> str:
    """Return the character beyond ASCII that an escape stands for; any other escape as it is."""
    with suppress(ValueError, OverflowError, KeyError, TypeError):
        named = escape[1] == "N" and len(escape) > 2
        code = ord(unicodedata.lookup(escape[3:-1])) if named else int(escape[2:], 16) if escape[1] in "uU" else 0
        return chr(code) if code > 0x7F else escape
    return escape


def _inner(keyword: str, value: Any, place: str) -> Iterator[tuple[Any, str]]:
    """Yield the schemas under a keyword, each with its pointer."""
    if keyword in SCHEMAS:
        yield value, place
    elif keyword in LISTS_OF_SCHEMAS:
        yield from ((inner, _below(place, str(number))) for number, inner in enumerate(value))
    elif keyword in MAPS_OF_SCHEMAS:
        yield from ((inner, _below(place, name)) for name, inner in value.items())


def _below(place: str, name: str) -> str:
    return f"{place}/{name.replace('~', '~0').replace('/', '~1')}"


def _target(reference: str, place: str) -> str:
    """Return the pointer that a reference names. Raises _Unfit for any other document: nothing is ever fetched."""
    if not reference.startswith("#"):
        raise _Unfit(place, "refers to another document; copy what it needs into $defs and write #/$defs/NAME")
    return unquote(reference[1:])


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _count(value: Any) -> bool:
    return _number(value) and value >= 0 and value % 1 == 0


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value) and _differ(value)


def _differ(names: list[str]) -> bool:
    return len(set(names)) == len(names)


def _types(value: Any) -> bool:
    named = value if isinstance(value, list) and value else [value]
    return all(isinstance(name, str) and name in TYPES for name in named) and _differ(named)


def _reference(value: Any) -> bool:
    # Python's reader of URIs drops line breaks and tabs.
    return isinstance(value, str) and not any(char.isspace() or not char.isprintable() for char in value)


Form = tuple[Callable[[Any], bool], str]

_TEXT: Form = (lambda value: isinstance(value, str), "a string")
_FLAG: Form = (lambda value: isinstance(value, bool), "true or false")
_NUMBER: Form = (_number, "a number")
_COUNT: Form = (_count, "a whole number, 0 or more")
_LIST: Form = (lambda value: isinstance(value, list), "a list")
_FILLED: Form = (lambda value: isinstance(value, list) and bool(value), "a list with an entry at least")
_MAP: Form = (lambda value: isinstance(value, Mapping), "an object")
FORMS: Mapping[str, Form] = {
    **dict.fromkeys(("$comment", "title", "description", "format", "pattern"), _TEXT),
    **dict.fromkeys(("contentEncoding", "contentMediaType"), _TEXT),
    **dict.fromkeys(("deprecated", "readOnly", "writeOnly", "uniqueItems"), _FLAG),
    **dict.fromkeys(("maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum"), _NUMBER),
    **dict.fromkeys(("maxLength", "minLength", "maxItems", "minItems", "maxContains", "minContains"), _COUNT),
    **dict.fromkeys(("maxProperties", "minProperties"), _COUNT),
    **dict.fromkeys(sorted(LISTS_OF_SCHEMAS), _FILLED),
    **dict.fromkeys(sorted(MAPS_OF_SCHEMAS), _MAP),
    "$id": (lambda value: isinstance(value, str) and "#" not in value, "a string without #"),
    "$ref": (_reference, "a reference without blanks, such as #/$defs/NAME"),
    "$schema": (lambda value: value in (DIALECT, f"{DIALECT}#"), DIALECT),
    "dependentRequired": (
        lambda value: isinstance(value, Mapping) and all(map(_names, value.values())),
        "an object of lists of different names",
    ),
    "enum": _FILLED,
    "examples": _LIST,
    "multipleOf": (lambda value: _number(value) and value > 0, "a number above 0"),
    "required": (_names, "a list of different names"),
    "type": (_types, f"one of {', '.join(TYPES)}, or a list of different ones of them"),
}
"""Keyword → whether its value is of the form that the draft wants, and how that form is called."""
