"""Patterns for a name however it is spelt, to be searched in folded text (`domain.text.lookalikes`)."""

from __future__ import annotations

import re

from domain.text.lookalikes import folded

_DASHES = r"_.\-\u2013\u2014"
_GAP = rf"[ \t*~|/\\\u00b7{_DASHES}]"
_LETTERS = {"o": "[o0]", "l": "[l1]", "i": "[i1]"}
_DIGITS = {"0": "[0o]", "1": "[1li]"}
"""Told apart by the typeface only."""


def spelt(name: str) -> str:
    """Return a pattern for dev-1, dev_1, Dev.1, dev\u20131, dev-l, and dev1 if the name is long enough."""
    parts = re.split(r"[-_.]", folded(name))
    apart = f"[{_DASHES}]{{1,2}}".join(map(_part, parts))
    joined = "".join(map(_letters, parts))  # here a letter for a digit would make a word: Devi
    return f"(?:{apart}|{joined})" if len(parts) > 1 and sum(map(str.isalpha, name)) >= 3 else apart


def spelt_out(name: str) -> str:
    """Return a pattern for d e v - 1, d.e.v.1 and d-e-v-1; empty where it would find sums and lists.

    Every letter stands apart there: `dev - 1` alone, as plans write `QA - 2 days`, is no name.
    """
    parts = re.findall(r"[^\W_]+", folded(name))
    if sum(map(len, parts)) < 3 or all(len(part) < 2 for part in parts):
        return ""
    return rf"{_GAP}{{0,5}}+".join(rf"{_GAP}{{1,3}}+".join(map(_part, part)) for part in parts)


def _part(part: str) -> str:
    return "".join(_DIGITS.get(sign, sign) for sign in part) if part.isdecimal() else _letters(part)


def _letters(part: str) -> str:
    return "".join(_LETTERS.get(sign.lower(), re.escape(sign)) for sign in part)
