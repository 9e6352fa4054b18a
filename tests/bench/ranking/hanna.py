"""HANNA (dig-team/hanna-benchmark-asg, MIT): 96 prompts, ten machine stories each, scored by five models with four
prompts each and by three people. Read from a copy of its table `hanna_metric_scores_llm.csv`; nothing of it is
kept here.

A story's score by a model under a prompt is the mean of its six criteria; what people prefer is their mean over
the three and the six. Five of the models with one prompt each are a council of five; all twenty are five models
with four personas each.
"""

from __future__ import annotations

import csv
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import fsum
from pathlib import Path

from domain.ranking import Ballot

CRITERIA = ("RE", "CH", "EM", "SU", "EG", "CX")
MODELS = ("Beluga-13B", "OrcaPlatypus", "Mistral-7B", "Llama-13B", "ChatGPT")
PROMPTS = (1, 2, 3, 4)
PEOPLE = ("Human 1", "Human 2", "Human 3")
NEEDED = (
    "HANNA is left out: name the file hanna_metric_scores_llm.csv of github.com/dig-team/hanna-benchmark-asg "
    "with --hanna PATH"
)

Judge = tuple[str, int]
"""A model and one of its prompts."""


@dataclass(frozen=True)
class Prompt:
    """One writing prompt: what every judge and what people gave each of its ten stories, by the story's writer."""

    number: int
    given: dict[Judge, dict[str, float]]
    people: dict[str, float]
    """Mean over three people and six criteria."""
    by_person: dict[str, dict[str, float]]

    def ballots(
        self, stories: Sequence[str], judges: Sequence[Judge], *, own: bool, by_model: bool
    ) -> list[Ballot]:
        """A ballot per judge; where `own`, judge i wrote story i and leaves it out. Voices: models or judges."""
        names = [f"{model}/{prompt}" for model, prompt in judges]
        writers = dict(zip(stories, names, strict=False)) if own else {}
        author_of = {story: writers.get(story, f"writer of {story}") for story in stories}
        return [
            Ballot(
                name,
                voice=judge[0] if by_model else "",
                author_of=author_of,
                scores={s: {"mean": self.given[judge][s]} for s in stories if author_of[s] != name},
            )
            for name, judge in zip(names, judges, strict=True)
        ]

    def best(self, stories: Sequence[str]) -> list[str]:
        """The stories that people like best."""
        most = max(self.people[story] for story in stories)
        return [story for story in stories if most - self.people[story] < 1e-9]


def load(path: Path) -> list[Prompt]:
    """Read the table; the people's own stories are left out. Raises KeyError if it is another table."""
    csv.field_size_limit(sys.maxsize)
    with path.open(newline="", encoding="utf-8") as table:
        systems = {row["Model"]: row for row in csv.DictReader(table) if row["Model"] != "Human"}
    columns = {system: _means(row) for system, row in systems.items()}
    count = len(next(iter(columns.values()))["people"])
    return [_prompt(number, columns) for number in range(count)]


def _means(row: dict[str, str]) -> dict[str, list[float]]:
    """A system's scores per judge, a value per prompt."""
    found = {f"{model}/{p}": _mean_of([row[f"{model} {c} {p}"] for c in CRITERIA]) for model, p in _judges()}
    found |= {person: _mean_of([row[f"{person} {c}"] for c in CRITERIA]) for person in PEOPLE}
    found["people"] = [fsum(values) / len(PEOPLE) for values in zip(*(found[p] for p in PEOPLE), strict=True)]
    return found


def _mean_of(lists: Sequence[str]) -> list[float]:
    return [fsum(values) / len(values) for values in zip(*map(json.loads, lists), strict=True)]


def _judges() -> list[Judge]:
    return list(product(MODELS, PROMPTS))


def _prompt(number: int, columns: dict[str, dict[str, list[float]]]) -> Prompt:
    def of(name: str) -> dict[str, float]:
        return {system: values[name][number] for system, values in sorted(columns.items())}

    given = {judge: of(f"{judge[0]}/{judge[1]}") for judge in _judges()}
    return Prompt(number, given, of("people"), {person: of(person) for person in PEOPLE})


def council(rng: random.Random, models: int) -> list[Judge]:
    """So many models, each with one of its prompts."""
    return [(model, rng.choice(PROMPTS)) for model in rng.sample(MODELS, models)]
