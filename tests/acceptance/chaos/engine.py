"""The scripted engine as the chaos run steers and questions it, over HTTP."""

from __future__ import annotations

import json
import urllib.request
from collections import Counter
from dataclasses import dataclass

from tests.support.judge import Answer

FAULTS = {"503": 0.03, "hang": 0.01, "disconnect": 0.02, "garbage": 0.02, "off_form": 0.02}
"""Share of calls that the engine answers so; `disconnect` cuts an answer off in its middle."""


@dataclass(frozen=True)
class Calls:
    """What the engine says of the run."""

    asked: int
    answered: int
    """Calls that got a whole and good answer."""
    answered_again: int
    """Of these, how many had been answered before."""
    faults: Counter[str]


def misbehave(url: str, seed: int) -> None:
    """Have the engine answer with faults from now on."""
    body = json.dumps({"shares": FAULTS, "seed": seed}).encode()
    request = urllib.request.Request(f"{url}/_scripted/faults", body, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=5).read()


def calls(url: str) -> Calls:
    """Ask what it was asked so far."""
    with urllib.request.urlopen(f"{url}/_scripted/requests", timeout=30) as answer:
        seen = json.loads(answer.read())
    return Calls(seen["count"], seen["answered"], seen["answered_again"], Counter(seen["faults"]))


def answers(url: str) -> list[Answer]:
    """Ask which texts it gave, and to what."""
    with urllib.request.urlopen(f"{url}/_scripted/given", timeout=60) as answer:
        return [Answer(*pair) for pair in json.loads(answer.read())]
