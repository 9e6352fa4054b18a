"""Names of the facts of one deliberation: keys of entries and ids of proposals, spelled and parsed here alone.

An entry and the question whose answer it holds share one key. No two facts share a key, whatever characters an
agent's id has; for ids without `%` and `/`, keys read as their format strings below.
"""

from __future__ import annotations

import re
from typing import NamedTuple

OPENED = "opened"
CLOSED = "closed"
CHOICE = "architect"
SYNTHESIS = "architect/synthesis"
PRIOR = "prior@0"
"""The proposal id of a superseded decision's winner."""

_LIKE_PRIOR = re.compile(r"%*prior")


class EntryKey(NamedTuple):
    """The parts of a key; those that its kind does not have are 0 or empty."""

    kind: str
    """opened, closed, proposal, ballot, comparison, critique or architect."""
    round: int = 0
    pass_: int = 0
    agent_id: str = ""
    proposal_id: str = ""
    task: str = ""
    """Of the architect's answers: choice or synthesis."""
    against_id: str = ""
    """The proposal that a comparison names second."""


def proposal_key(round_: int, agent_id: str) -> str:
    """Name an agent's proposal in a round, or its failure to write one."""
    return f"proposal/{round_}/{agent_id}"


def ballot_key(round_: int, pass_: int, agent_id: str) -> str:
    """Name a reviewer's ballot in a pass of a round."""
    return f"ballot/{round_}/{pass_}/{agent_id}"


def critique_key(round_: int, agent_id: str, proposal_id: str) -> str:
    """Name a reviewer's critique of a proposal; the reviewer's `%` and `/` become `%25` and `%2F`."""
    return f"critique/{round_}/{_escaped(agent_id)}/{proposal_id}"


def comparison_key(round_: int, agent_id: str, first: str, second: str) -> str:
    """Name a reviewer's comparison of two proposals, asked in that order; all but the last are escaped alike."""
    return f"comparison/{round_}/{_escaped(agent_id)}/{_escaped(first)}/{second}"


def _escaped(part: str) -> str:
    return part.replace("%", "%25").replace("/", "%2F")


def _unescaped(part: str) -> str:
    return part.replace("%2F", "/").replace("%25", "%")


def parse_key(key: str) -> EntryKey:
    """Read a key. Raises ValueError for a text that is none."""
    kind, *rest = key.split("/", 1)
    match kind, rest:
        case (("opened" | "closed"), []):
            return EntryKey(kind)
        case "architect", [] | ["synthesis"]:
            return EntryKey(kind, task="synthesis" if rest else "choice")
        case "proposal", [parts]:
            round_, agent_id = parts.split("/", 1)
            return EntryKey(kind, int(round_), agent_id=agent_id)
        case "ballot", [parts]:
            round_, pass_, agent_id = parts.split("/", 2)
            return EntryKey(kind, int(round_), int(pass_), agent_id)
        case "critique", [parts]:
            round_, reviewer, proposal_id_ = parts.split("/", 2)
            return EntryKey(kind, int(round_), agent_id=_unescaped(reviewer), proposal_id=proposal_id_)
        case "comparison", [parts]:
            round_, reviewer, first, second = parts.split("/", 3)
            return EntryKey(
                kind,
                int(round_),
                agent_id=_unescaped(reviewer),
                proposal_id=_unescaped(first),
                against_id=second,
            )
    raise ValueError(f"{key!r} is no key of an entry")


def proposal_id(agent_id: str, round_: int) -> str:
    """Identify the version of an agent's proposal that a round gave; the agent `prior` is spelled `%prior`."""
    name = f"%{agent_id}" if _LIKE_PRIOR.fullmatch(agent_id) else agent_id
    return f"{name}@{round_}"


def parse_proposal_id(text: str) -> tuple[str, int] | None:
    """Return agent id and round; None for `PRIOR`. Raises ValueError for a text that is no proposal's id."""
    if text == PRIOR:
        return None
    name, _, round_ = text.rpartition("@")
    return name.removeprefix("%") if _LIKE_PRIOR.fullmatch(name) else name, int(round_)
