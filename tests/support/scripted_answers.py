"""What the scripted engine says: texts and score sheets made from the request alone, so that runs repeat."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Iterator, Sequence
from re import _parser as parser  # type: ignore[attr-defined]  # the only reader of regexes the library has
from typing import Any

from workers.adapters.openai.ready_check import BALLOT, QUESTION
from workers.engines.engine import turns

Body = dict[str, Any]
SCORE_KEYS = ("structured_outputs", "grammar")


def seed_of(body: Body) -> int:
    """A number that is the same for the same messages and seed, on every machine."""
    told = json.dumps([body.get("messages"), body.get("seed"), body.get("model")], sort_keys=True)
    return int.from_bytes(hashlib.sha256(told.encode()).digest()[:8], "big")


def is_ballot(body: Body) -> bool:
    """True if the request constrains its answer."""
    wanted = body.get("response_format", {}).get("type")
    return wanted == "json_schema" or any(body.get(key) for key in SCORE_KEYS)


def is_ready_check(body: Body) -> bool:
    """True for a worker's question whether the engine is ready; scripts are about what comes after it."""
    return body.get("messages", [])[-1:] in [turns(messages)[-1:] for messages in (QUESTION, BALLOT)]


def free_text(body: Body) -> str:
    """A proposal of a dozen words that differs between requests that differ."""
    source = random.Random(seed_of(body))
    verbs = ("Measure", "Move", "Split", "Guard", "Replay", "Name")
    things = ("the queue", "the parser", "the index", "the lock", "the schema", "the cache")
    steps = [f"{n}. {source.choice(verbs)} {source.choice(things)}." for n in range(1, 5)]
    return " ".join((f"Proposal {source.getrandbits(32):08x}:", *steps))


def seeded_digits(body: Body) -> Iterator[int]:
    """Scores from 1 to 9 without end, the same for the same request."""
    source = random.Random(seed_of(body))
    while True:
        yield source.randint(1, 9)


def sheet(body: Body, digits: Iterator[int]) -> str:
    """An answer that satisfies the request's constraint, its digits taken from `digits` in reading order."""
    if regex := (body.get("structured_outputs") or {}).get("regex"):
        return _from_regex(parser.parse(regex), digits)
    if grammar := body.get("grammar"):
        return _from_grammar(grammar, digits)
    schema = body["response_format"]["json_schema"]["schema"]
    return json.dumps(_from_schema(schema, digits), separators=(",", ":"))


def _digit(digits: Iterator[int], highest: int) -> str:
    """The next digit, folded into the range from 1 to the highest."""
    return str((next(digits) - 1) % highest + 1)


def _word(digits: Iterator[int], words: Sequence[str]) -> str:
    """One of the words, by the next digit."""
    return words[next(digits) % len(words)]


def _from_regex(tree: Any, digits: Iterator[int]) -> str:
    return "".join(_piece(str(kind), argument, digits) for kind, argument in tree)


def _piece(kind: str, argument: Any, digits: Iterator[int]) -> str:
    match kind:
        case "LITERAL":
            return chr(argument)
        case "IN":
            ((_, (_, highest)),) = argument
            return _digit(digits, int(chr(highest)))
        case "MAX_REPEAT":
            least, _, inner = argument
            return "".join(_from_regex(inner, digits) for _ in range(least))
        case "SUBPATTERN":
            return _from_regex(argument[-1], digits)
        case "BRANCH":
            return _word(digits, [_from_regex(branch, digits) for branch in argument[1]])
    raise ValueError(f"the scripted engine cannot follow {kind} in a regex")


def _from_grammar(grammar: str, digits: Iterator[int]) -> str:
    rules = dict(line.split(" ::= ", 1) for line in grammar.strip().splitlines())

    def expand(rule: str) -> str:
        words = re.findall(r'"[^"]*"|\[[^\]]*\]|\([^)]*\)|[\w-]+', rules[rule])
        return "".join(say(word) for word in words)

    def say(word: str) -> str:
        if word.startswith('"'):
            return word.strip('"').replace("\\n", "\n")
        if word.startswith("("):
            return _word(digits, re.findall(r'"([^"]*)"', word))
        return _digit(digits, int(word[-2])) if word.startswith("[") else expand(word)

    return expand("root")


def _from_schema(schema: Body, digits: Iterator[int]) -> Any:
    match schema["type"]:
        case "object":
            return {name: _from_schema(part, digits) for name, part in schema["properties"].items()}
        case "integer":
            return int(_digit(digits, schema["maximum"]))
        case "string":
            return _word(digits, schema["enum"])
    raise ValueError(f"the scripted engine cannot follow {schema}")
