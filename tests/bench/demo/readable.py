"""Whether a proposal can be read: what a person would say at a glance, by rules that a program can apply.

Loops and repeated instructions are found by the product's own checks; here is what those don't look for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import combinations

SHORTEST, LONGEST = 120, 1600
"""Characters: two short sentences at least, a screen at most."""
FEWEST_WORDS = 4
"""A shorter sentence may occur twice."""
ALIKE = 0.3
"""Share of runs of three words that two texts have in common, from which they are the same proposal."""

_SENTENCE_END = re.compile(r"[.!?]\W*$")
_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")


def fault(text: str) -> str:
    """Say why nobody would like to read a text; empty for one that can be shown."""
    bare = text.strip()
    if not SHORTEST <= len(bare) <= LONGEST:
        return f"{len(bare)} characters"
    if not _SENTENCE_END.search(bare):
        return "it does not end with a sentence"
    sentences = [tuple(_words(sentence)) for sentence in _SENTENCES.split(bare)]
    whole = [sentence for sentence in sentences if len(sentence) >= FEWEST_WORDS]
    return "it says a sentence twice" if len(set(whole)) < len(whole) else ""


def differ(texts: Collection[str]) -> bool:
    """Whether no two of the texts are alike."""
    return all(likeness(*pair) <= ALIKE for pair in combinations(texts, 2))


def likeness(first: str, second: str) -> float:
    """Return the share of runs of three words that two texts have in common (Jaccard's index)."""
    ours, theirs = _runs(first), _runs(second)
    return len(ours & theirs) / max(1, len(ours | theirs))


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _words(text)
    return set(zip(words, words[1:], words[2:], strict=False))


def _words(text: str) -> Sequence[str]:
    return re.findall(r"\w+", text.casefold())
