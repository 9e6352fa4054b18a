"""What the ready check found out about an engine, in words for people."""

from __future__ import annotations

from domain.engine import EngineRecord, ThinkingSwitch
from domain.thinking import Thoughts, ThoughtsPlace

THOUGHTS = {
    Thoughts.UNKNOWN: "it is unknown whether it thinks",
    Thoughts.NEVER: "it does not think before it answers",
    Thoughts.ON_DEMAND: "it thinks when asked to",
    Thoughts.ALWAYS: "it can't be kept from thinking",
}
PLACES = {
    ThoughtsPlace.NOWHERE: "",
    ThoughtsPlace.TEXT: ", within the text",
    ThoughtsPlace.BESIDE: ", beside the text",
}
BALLOTS = {
    "unknown": "no ballot was tried",
    "kept": "a bounded ballot keeps its form",
    "off_form": "a bounded ballot comes off its form",
    "none": "a bounded ballot does not come",
}

PROBABILITIES = {
    "unknown": "",
    "given": " and tells its digits' probabilities",
    "absent": ", without the digits' probabilities: scores count as written",
    "refused": "; probabilities are refused: scores count as written",
}


def found_out(record: EngineRecord) -> str:
    """Return one line on how the engine thinks, what it does with ballots, and what it wants left out."""
    found, dialect = record.found, record.dialect
    parts = [
        f"{THOUGHTS[found.thoughts]}{PLACES[found.place]}",
        f"{BALLOTS[found.ballot]}{PROBABILITIES[found.logprobs]}",
    ]
    if not dialect.system_turn:
        parts.append("its chat template has no system turn, so that text stands before the user's")
    if dialect.thinking_switch is ThinkingSwitch.NONE:
        parts.append("it is not told whether to think")
    return "; ".join(parts)
