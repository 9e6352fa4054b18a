"""Does the proposal satisfy the JSON Schema that its plan demands? Runs in a helper: some patterns take years."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NoReturn

from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry

from domain.checks.check import CheckResult, NotJudged, PlanFacts
from domain.checks.gate import OUTPUT_SCHEMA
from domain.text.code_blocks import code_blocks
from domain.validation.words import path, printable

MAX_DEPTH = 64
"""Levels of objects and lists in a proposal: as in messages."""
MAX_TOLD = 3
"""Faults that a reason names."""
MAX_VALUE = 60
"""Characters of a keyword's value in a reason."""


class OutputSchema:
    """Removes a proposal whose JSON does not satisfy the schema; a plan without one demands nothing.

    The JSON is the one fenced block of it, or else the whole text. References lead nowhere but into the schema.
    """

    name = OUTPUT_SCHEMA
    hard = True

    def run(self, proposal_text: str, plan_facts: PlanFacts) -> CheckResult:
        """Name the first faults by their places and the schema's own words, never by the proposal's."""
        schema = plan_facts.output_schema
        if schema is None:
            return CheckResult(name=self.name, passed=True, score=1.0, reason="the plan demands none")
        try:
            faults = _faults(_parse(_json_text(proposal_text)), schema)
        except _Unreadable as fault:
            faults = [str(fault)]
        except RecursionError as error:
            raise NotJudged("schema and proposal are nested too deeply together") from error
        if not faults:
            return CheckResult(name=self.name, passed=True, score=1.0)
        more = [] if len(faults) <= MAX_TOLD else ["more"]
        reason = f"does not satisfy the plan's output schema: {'; '.join([*faults[:MAX_TOLD], *more])}"
        return CheckResult(name=self.name, passed=False, hard=True, score=0.0, reason=reason)


class _Unreadable(Exception):
    """There is no JSON value to look at; the message says why, without text of the proposal."""


def _json_text(text: str) -> str:
    # No line of a JSON text can be a fence, so a whole text in JSON has no block.
    blocks = [block for block in code_blocks(text) if block.language == "json"]
    if len(blocks) > 1:
        raise _Unreadable(f"it holds {len(blocks)} blocks of JSON, one is allowed")
    return blocks[0].body if blocks else text


def _parse(text: str) -> Any:
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
    except json.JSONDecodeError as error:
        raise _Unreadable(f"it is not JSON in line {error.lineno}: {printable(error.msg)}") from None
    except ValueError:
        raise _Unreadable("it holds an integer too long to be read") from None
    except RecursionError:
        raise _too_deep() from None
    _check_depth(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built = dict(pairs)
    if len(built) != len(pairs):
        raise _Unreadable("an object holds one name twice, and readers differ about which counts")
    return built


def _constant(word: str) -> NoReturn:
    raise _Unreadable(f"it holds {word}, which is not JSON")


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _Unreadable("it holds a number too large for a double")
    return number


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    raise _too_deep()


def _children(parent: Any) -> Iterable[Any]:
    if isinstance(parent, Mapping):
        return parent.values()
    return parent if isinstance(parent, list) else ()


def _too_deep() -> _Unreadable:
    return _Unreadable(f"it is nested deeper than {MAX_DEPTH} levels")


def _faults(value: Any, schema: Mapping[str, Any]) -> list[str]:
    """Return the first faults, one more than are told where there are more; none if the value satisfies it."""
    # An identifier would only move the base of references; without a registry of ours they would be fetched.
    anonymous = {name: inner for name, inner in schema.items() if name not in ("$id", "$schema")}
    validator = Draft202012Validator(anonymous, registry=Registry())
    names = frozenset(_names(schema))
    sentences = (_sentence(error, names) for error in validator.iter_errors(value))
    return list(islice(_once(sentences), MAX_TOLD + 1))


def _once(sentences: Iterable[str]) -> Iterator[str]:
    told: set[str] = set()
    for sentence in sentences:
        if sentence not in told:
            told.add(sentence)
            yield sentence


def _sentence(error: ValidationError, names: frozenset[str]) -> str:
    """Tell where the proposal breaks which keyword; a name that is only the proposal's is a star."""
    parts = [part if isinstance(part, int) or part in names else "*" for part in error.absolute_path]
    wanted = error.validator_value
    if error.validator == "required":
        wanted = [name for name in error.validator_value if name not in error.instance]
    told = printable(json.dumps(wanted, ensure_ascii=False), MAX_VALUE)
    # A schema that is false has no keyword.
    return f"{path(parts) or 'the whole'} breaks {error.validator or 'false'}: {told}"


def _names(value: Any) -> Iterator[str]:
    """Yield every name of an object within the schema."""
    waiting = [value]
    while waiting:
        parent = waiting.pop()
        if isinstance(parent, Mapping):
            yield from parent
        waiting += _children(parent)
