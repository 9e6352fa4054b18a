"""Does a second look tell a weak text from sound ones? `python -m tests.bench.ballots.second_look --engine-url URL
--model NAME`, for an engine of llama.cpp.

Every showing is one ballot of a reviewer that wrote none of a scene's four texts, then its comparisons of the weak
text with each sound one, both ways round, as the product asks them. Which of these two is better is known.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from domain.chat import ChatOutcome
from domain.council import Agent
from domain.engine import EngineKind, EngineRecord, Guidance
from domain.ports.chat_model import ChatModel
from domain.prompts.comparison_questions import ComparisonQuestion, Look, comparison_questions
from domain.prompts.material import Material
from domain.ranking.comparisons import Comparison, sums
from domain.review.presentation import present
from tests.bench.ballots.__main__ import ORDERS, Scores, ballot
from tests.bench.ballots.scenes import AUTHORS, SCENES, WEAKEST
from tests.support.in_memory.engine_directory import MemoryEngineDirectory
from workers.adapters.clock import SystemClock
from workers.adapters.openai.chat_model import OpenAIChatModel
from workers.portal import Portal

SOUND = [name for name in AUTHORS if name != WEAKEST]
WITHIN_S = 900.0
DAY_S = 86_400.0
SAME = 1e-9


def main() -> None:
    """Ask, and print how many of the pairs each way of judging orders rightly."""
    parser = options_parser("second_look", __doc__)
    parser.add_argument("--form", default="lines", help="of the ballot")
    options = parser.parse_args()
    counts: dict[str, Counter[str]] = {}
    with model_at(options.engine_url, options.model) as model:
        for number in range(options.showings):
            scene, order = number % len(SCENES), number // len(SCENES) % ORDERS
            material = SCENES[scene].material(seed=f"ballots/{scene}")
            items = present(material.candidates, seed=scene, passes=1, orders=ORDERS).passes[0][order]
            written, expected = ballot(options, material, items, options.form)
            looked = list(_compared(model, options.model, material, items))
            for name, outcome in _outcomes(written, expected, looked):
                counts.setdefault(name, Counter())[outcome] += 1
            print(f"{number + 1} of {options.showings} showings", flush=True)
            for name, told in counts.items():
                cells = " ".join(f"{outcome} {told[outcome]:3}" for outcome in ("right", "even", "wrong"))
                print(f"  {name:52}{cells}", flush=True)


@contextmanager
def model_at(url: str, model: str) -> Iterator[ChatModel]:
    """Give the product's way to ask the engine at a URL."""
    engines, portal = MemoryEngineDirectory(clock=SystemClock()), Portal()
    record = EngineRecord(name="bench", model=model, url=url, kind=EngineKind.LLAMA_CPP, guidance=Guidance.GRAMMAR)
    engines.publish(record, ttl_s=DAY_S)
    try:
        yield OpenAIChatModel(engines, portal)
    finally:
        portal.close()


def _compared(model: ChatModel, name: str, material: Material, items: tuple[str, ...]) -> Iterator[Comparison]:
    """Yield the comparisons of the weak text as probabilities and as written."""
    judge = Agent(agent_id="judge", model=name)
    look = Look(reviewer=judge, order=items, pairs=[(WEAKEST, sound) for sound in SOUND])
    for question in comparison_questions(material, [look], timeout_s=WITHIN_S):
        (outcome,) = model.ask([question.request])
        yield from _readings(question, outcome)


def _readings(question: ComparisonQuestion, outcome: ChatOutcome) -> Iterator[Comparison]:
    entry = question.entry(outcome, at=0.0)
    if entry.reading is not None and entry.p_first is not None:
        yield Comparison("probability", "", entry.first, entry.second, entry.p_first)
        yield Comparison("written", "", entry.first, entry.second, float(entry.choice == entry.first))


def _outcomes(written: Scores, expected: Scores, looked: list[Comparison]) -> Iterator[tuple[str, str]]:
    best, second = sorted(written.values(), reverse=True)[:2]
    yield "top of the written ballot apart", "even" if best - second < SAME else "right"
    for sound in SOUND:
        yield "ballot as written", _outcome(written[sound] - written[WEAKEST])
        yield "ballot as expected", _outcome(expected[sound] - expected[WEAKEST])
        for reading in ("written", "probability"):
            told = [comparison for comparison in looked if comparison.reviewer == reading]
            points = sums(told, (sound, WEAKEST))
            outcome = _outcome(points[sound] - points[WEAKEST])
            yield f"second look as {reading}", outcome
            if abs(written[sound] - written[WEAKEST]) < SAME:
                yield f"second look as {reading}, where written tied", outcome


def _outcome(difference: float) -> str:
    return "even" if abs(difference) < SAME else "right" if difference > 0 else "wrong"


def options_parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """Return the parser of the options that benches of one engine share."""
    parser = argparse.ArgumentParser(prog=f"tests.bench.ballots.{name}", description=description)
    parser.add_argument("--engine-url", required=True, help="base address of an OpenAI API, ending in /v1")
    parser.add_argument("--model", required=True, help="the served model's name")
    parser.add_argument("--showings", type=int, default=20, help="20: ten scenes in two orders each")
    return parser


if __name__ == "__main__":
    main()
