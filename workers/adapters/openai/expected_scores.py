"""Expected scores: what a model would have scored on average, read from the probabilities beside an answer.

A small model writes the same digits whatever it reads, and a large one few different ones; their probabilities
still move. `logprobs` of OpenAI's chat completions are foreign input like all of an answer: what can't be read
leaves the answer as it was written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from domain.chat import Line

TOP_LOGPROBS = 20
"""Alternatives asked for at each token; no common engine gives more."""
MOST_ALTERNATIVES = 256
"""Alternatives read at a token, whatever comes."""
AFTER = 64
"""Characters that may follow the answer in its tokens: a blank, the token that ended it."""
DECIMALS = 4
LEAST = -700.0
IMPOSSIBLE = 1e-300
"""More than a score of digits at the least."""
MOST = 1.05
"""Sum of the probabilities at one place, rounding included."""
ROUNDING = 1e-3
"""Logarithms up to this are those of a probability of 1."""


def expected_scores(logprobs: Any, answer: str, rows: Sequence[Line]) -> tuple[float, ...]:
    """Return the mean score at each line of an answer; empty where it can't be told for all.

    `answer` is the text as the engine sent it, JSON or the form's own; its tokens are those of `logprobs`. At
    each digit or word the alternatives that differ from its token in that alone are weighed by their probability,
    so that a tokenizer may join it with a blank, a colon or a line break, or break a word into several tokens.
    Takes time in proportion to what is read.
    """
    tokens = _tokens(logprobs, most=len(answer) + AFTER)
    if not tokens:
        return ()
    text = "".join(token.text for token in tokens)
    start = text.rfind(answer, max(0, len(text) - len(answer) - AFTER)) if answer else -1
    found = _places(answer, rows)
    if start < 0 or len(found) != len(rows):
        return ()
    told = zip(_at(tokens, [start + place for place, _ in found]), found, rows, strict=True)
    means = [_mean(token, within, word, row) for (token, within), (_, word), row in told]
    return tuple(mean for mean in means if mean is not None) if None not in means else ()


@dataclass(frozen=True)
class _Token:
    text: str
    logprob: Any
    alternatives: Any


def _tokens(logprobs: Any, *, most: int) -> list[_Token]:
    """Return the last tokens of an answer, `most` at most; none for what is no list of tokens."""
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(content, list):
        return []
    last = content[-most:]
    if not all(isinstance(told, dict) and isinstance(told.get("token"), str) for told in last):
        return []
    return [_Token(told["token"], told.get("logprob"), told.get("top_logprobs")) for told in last]


def _places(answer: str, rows: Sequence[Line]) -> list[tuple[int, str]]:
    """Return where in an answer each line's word stands, with that word; fewer where one isn't found."""
    places: list[tuple[int, str]] = []
    start = 0
    for row in rows:
        blanks, words = r"[ \t\r\n]{0,8}", "|".join(map(re.escape, row.words))
        found = re.compile(rf'{re.escape(row.name)}"?{blanks}:{blanks}"?({words})').search(answer, start)
        if found is None:
            break
        places.append((found.start(1), found[1]))
        start = found.end()
    return places


def _at(tokens: list[_Token], places: list[int]) -> Iterator[tuple[_Token, int]]:
    """Yield for each place, in rising order, its token and where in the token it is."""
    index, begun = 0, 0
    for place in places:
        while place >= begun + len(tokens[index].text):
            begun += len(tokens[index].text)
            index += 1
        yield tokens[index], place - begun


def _mean(token: _Token, place: int, word: str, row: Line) -> float | None:
    before, after = token.text[:place].lstrip(), token.text[place + len(word) :].rstrip()
    weights: dict[str, tuple[int, float]] = {}
    # The token itself comes last: where it is among its alternatives, these have the word.
    for text, logprob in (*_alternatives(token), (token.text, token.logprob)):
        worth, weight = _worth(text.strip(), before, after, row), _probability(logprob)
        if worth is not None and weight is not None:
            # The same text twice is one alternative; a digit with a blank and one without are two.
            weights.setdefault(text, (worth, weight))
    total = math.fsum(weight for _, weight in weights.values())
    # More than 1 are no probabilities: some engines say 0 for each logarithm. Where all digits are said to be
    # impossible, as by -9999, the written one too, nothing is told of them.
    if not weights or total > MOST or (len(weights) > 1 and total < IMPOSSIBLE):
        return None
    return round(math.fsum(worth * weight for worth, weight in weights.values()) / total, DECIMALS)


def _worth(told: str, before: str, after: str, row: Line) -> int | None:
    """Return what an alternative is worth: it holds a word of the line, or the beginning of one word alone."""
    begun = told.removeprefix(before).removesuffix(after)
    if not begun or told != f"{before}{begun}{after}":
        return None
    meant = [worth for worth, word in enumerate(row.words, row.lowest) if word.startswith(begun)]
    return meant[0] if len(meant) == 1 else None


def _alternatives(token: _Token) -> Iterator[tuple[str, Any]]:
    if isinstance(token.alternatives, list):
        for told in token.alternatives[:MOST_ALTERNATIVES]:
            if isinstance(told, dict) and isinstance(told.get("token"), str):
                yield told["token"], told.get("logprob")


def _probability(logprob: Any) -> float | None:
    """Return the probability; None for what is no logarithm of one. What is too small for a float is the least."""
    if isinstance(logprob, bool) or not isinstance(logprob, int | float) or not logprob <= ROUNDING:
        return None
    return None if logprob == -math.inf else math.exp(max(logprob, LEAST))
