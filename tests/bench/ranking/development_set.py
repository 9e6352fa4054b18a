"""The development set: forty questions, five models that answered and judged one another, and people's majority.

A reviewer's score of an answer is the mean outcome of its verdicts on it against the other answers (win 1, tie ½,
loss 0), answers of its own left out. A presentation order decides which of the two verdicts on a pair counts: the
one where the earlier answer was shown first.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from math import fsum
from pathlib import Path

from domain.ranking import Ballot

FOLDER = Path(__file__).parents[2] / "data" / "prd-vicuna80"
WORTH = {"first": 1.0, "tie": 0.5, "second": 0.0}

Outcome = dict[tuple[str, str, str], float]
"""(reviewer, shown first, shown second) → what the first one got."""
Order = Sequence[str]


@dataclass(frozen=True)
class Question:
    """One question: who answered, what the peers said and whom people prefer."""

    number: int
    models: tuple[str, ...]
    outcomes: Outcome
    people: Mapping[tuple[str, str], Counter[str]]
    """Votes per pair in sorted order, for either model or `tie`."""

    @property
    def decisive(self) -> dict[tuple[str, str], str]:
        """The pairs on which more people chose one answer than chose the other or a tie, and that answer."""
        chosen: dict[tuple[str, str], str] = {}
        for pair, votes in self.people.items():
            (best, most), *others = votes.most_common()
            if best != "tie" and all(count < most for _, count in others):
                chosen[pair] = best
        return chosen

    @property
    def concord(self) -> float:
        """How far people agree with each other: the mean share of the largest group where several voted."""
        shares = [max(v.values()) / v.total() for v in self.people.values() if v.total() > 1]
        return fsum(shares) / len(shares)

    def scores(self, reviewer: str, order: Order, *, own: bool) -> dict[str, float]:
        """One pass: the mean outcome per answer against the other answers, `own` ones among them or not."""
        seen = [model for model in order if own or model != reviewer]
        points: dict[str, list[float]] = defaultdict(list)
        for first, second in combinations(seen, 2):
            got = self.outcomes[reviewer, first, second]
            points[first].append(got)
            points[second].append(1 - got)
        return {model: fsum(points[model]) / len(points[model]) for model in seen}

    def ballots(self, orders: Iterable[Order]) -> list[Ballot]:
        """Every model's ballots, a pass per order, the same orders for all."""
        author_of = {model: model for model in self.models}
        return [
            Ballot(
                reviewer,
                author_of=author_of,
                presentation=tuple(order),
                scores={m: {"outcome": s} for m, s in self.scores(reviewer, order, own=False).items()},
            )
            for order in orders
            for reviewer in self.models
        ]

    def inverted(self, reviewer: str) -> Question:
        """The same question with every verdict of one reviewer turned round."""
        outcomes = {k: 1 - got if k[0] == reviewer else got for k, got in self.outcomes.items()}
        return Question(self.number, self.models, outcomes, self.people)


def load(folder: Path = FOLDER) -> list[Question]:
    """Read the tables; verdicts given twice are averaged."""
    verdicts: dict[int, dict[tuple[str, str, str], list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in _rows(folder / "peer_verdicts.csv"):
        key = (row["reviewer"], row["first"], row["second"])
        verdicts[int(row["question"])][key].append(WORTH[row["verdict"]])
    people: dict[int, dict[tuple[str, str], Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for row in _rows(folder / "human_verdicts.csv"):
        a, b = sorted((row["first"], row["second"]))
        people[int(row["question"])][a, b][row.get(row["verdict"], "tie")] += 1
    return [_question(number, verdicts[number], people[number]) for number in sorted(verdicts)]


def strongest(questions: Sequence[Question]) -> str:
    """The reviewer whose verdicts on others' answers people agree with most often."""
    right: dict[str, list[float]] = defaultdict(list)
    for question in questions:
        for pair, chosen in question.decisive.items():
            other = pair[0] if chosen == pair[1] else pair[1]
            for reviewer in set(question.models) - set(pair):
                got = question.outcomes[reviewer, chosen, other], 1 - question.outcomes[reviewer, other, chosen]
                right[reviewer] += got
    return max(sorted(right), key=lambda reviewer: fsum(right[reviewer]) / len(right[reviewer]))


def _question(
    number: int,
    verdicts: Mapping[tuple[str, str, str], list[float]],
    people: Mapping[tuple[str, str], Counter[str]],
) -> Question:
    models = tuple(sorted({key[0] for key in verdicts}))
    wanted = [(r, a, b) for r in models for a, b in permutations(models, 2)]
    outcomes = {key: fsum(verdicts[key]) / len(verdicts[key]) for key in wanted}
    return Question(number, models, outcomes, dict(people))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as table:
        return list(csv.DictReader(table))
