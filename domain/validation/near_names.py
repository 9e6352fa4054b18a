"""Names that are likely meant to be others: misspelt, shortened, in another notation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher, get_close_matches
from itertools import islice

SIMILAR = 0.75
"""Share of letters in common from which on a name counts as misspelt: two of four exchanged, one of four wrong."""
MIN_BEGINNING = 3
MAX_LOOKED_AT = 50
"""Unknown names of one object, which may hold any number."""

WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")


def renamed(missing: Sequence[str], unknown: Iterable[str]) -> dict[str, str]:
    """Map missing names to the unknown ones that are likely meant, where that is clear from both sides."""
    pairs = [
        (name, written) for written in islice(unknown, MAX_LOOKED_AT) for name in missing if _near(written, name)
    ]
    names, writings = [name for name, _ in pairs], [written for _, written in pairs]
    return {name: written for name, written in pairs if names.count(name) == writings.count(written) == 1}


def nearest(written: str, names: Iterable[str]) -> str:
    """Return the only name that is likely meant; empty if there is none, or more than one."""
    near = [name for name in names if _near(written, name)]
    return near[0] if len(near) == 1 else ""


def closest(written: str, names: Iterable[str]) -> str:
    """Return the name that is most likely meant, in its own spelling; empty where none is at all like it."""
    by_letters = {name.casefold(): name for name in names}
    likely = nearest(written, by_letters.values())
    matches = get_close_matches(written.casefold(), by_letters, n=1)
    return likely or (by_letters[matches[0]] if matches else "")


def _near(written: str, name: str) -> bool:
    """Whether `written` is `name` misspelt, shortened, or some of its words: `agentId` and `id` for `agent_id`."""
    letters, meant = "".join(_words(written)), "".join(_words(name))
    if not letters or len(letters) > 2 * len(meant):
        return False
    if set(_words(written)) <= set(_words(name)):
        return True
    if min(len(letters), len(meant)) >= MIN_BEGINNING and (meant.startswith(letters) or letters.startswith(meant)):
        return True
    return SequenceMatcher(None, letters, meant).ratio() >= SIMILAR


def _words(name: str) -> list[str]:
    return [word.lower() for word in WORDS.findall(name[:200])]
