"""Expected scores: what a model would have scored on average, read from the probabilities beside an answer.

A small model writes the same digits whatever it reads, and a large one few different ones; their probabilities
still move. `logprobs` of OpenAI's chat completions are foreign input like all of an answer: what can't be read
leaves the answer as it was written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from domain.chat import ScoreForm

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


def expected_scores(logprobs: Any, answer: str, form: ScoreForm) -> tuple[float, ...]:
    """Return the mean score at each line of an answer in the form; empty where it can't be told for all.

    `answer` is the text as the engine sent it, JSON or the form's own; its tokens are those of `logprobs`. At
    each digit the alternatives that differ from its token in the digit alone are weighed by their probability, so
    that a tokenizer may join the digit with a blank, a colon or a line break. Takes time in
    proportion to what is read.
    """
    tokens = _tokens(logprobs, most=len(answer) + AFTER)
    text = "".join(token.text for token in tokens)
    start = text.rfind(answer, max(0, len(text) - len(answer) - AFTER)) if answer else -1
    places = _digit_places(answer, form)
    if start < 0 or len(places) != len(form.lines):
        return ()
    means = [_mean(*found, form.digits) for found in _at(tokens, [start + place for place in places])]
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


def _digit_places(answer: str, form: ScoreForm) -> list[int]:
    """Return where the digits of the form's lines stand in an answer; fewer than lines where one isn't found."""
    places, start = [], 0
    for name in form.lines:
        found = re.compile(rf'{re.escape(name)}"?[ \t\r\n]{{0,8}}:[ \t\r\n]{{0,8}}([1-9])').search(answer, start)
        if found is None:
            break
        places.append(found.start(1))
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


def _mean(token: _Token, place: int, digits: str) -> float | None:
    before, after = token.text[:place].lstrip(), token.text[place + 1 :].rstrip()
    weights: dict[str, float] = {}
    # The token itself comes last: where it is among its alternatives, these have the word.
    for text, logprob in (*_alternatives(token), (token.text, token.logprob)):
        told = text.strip()
        digit = told.removeprefix(before).removesuffix(after)
        weight = _probability(logprob)
        if len(digit) == 1 and digit in digits and told == f"{before}{digit}{after}" and weight is not None:
            # The same text twice is one alternative; a digit with a blank and one without are two.
            weights.setdefault(text, weight)
    by_digit = [(int(text.strip().removeprefix(before)[0]), weight) for text, weight in weights.items()]
    total = math.fsum(weight for _, weight in by_digit)
    # More than 1 are no probabilities: some engines say 0 for each logarithm. Where all digits are said to be
    # impossible, as by -9999, the written one too, nothing is told of them.
    if not weights or total > MOST or (len(weights) > 1 and total < IMPOSSIBLE):
        return None
    return round(math.fsum(digit * weight for digit, weight in by_digit) / total, DECIMALS)


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
