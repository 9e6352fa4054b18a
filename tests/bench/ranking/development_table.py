"""Point 3: the ranking and its rivals on the development set, against what people prefer."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from math import fsum

from scipy.stats import spearmanr

from domain.ranking import rank
from tests.bench.ranking.development_set import Order, Question, load, strongest
from tests.bench.ranking.rivals import SAME, Points, best_of, borda_points, mean_scores

RERUNS = 20
Method = Callable[[Question, Order], Points]


def first_wins(question: Question, order: Order) -> Points:
    """What an ordering without content does: the earlier the better."""
    return {model: float(-place) for place, model in enumerate(order)}


def mean_with_self(question: Question, order: Order) -> Points:
    """Mean of scores in both orders, verdicts on one's own answer among them."""
    passes = [question.scores(r, o, own=True) for r in question.models for o in (order, order[::-1])]
    return {model: fsum(scores[model] for scores in passes) / len(passes) for model in question.models}


def mean_without_self(question: Question, order: Order) -> Points:
    """The same without own answers."""
    return mean_scores(question.ballots([order, order[::-1]]))


def borda_one_order(question: Question, order: Order) -> Points:
    """Borda without own answers, all reviewers in one and the same order."""
    return borda_points(question.ballots([order]))


def ours_one_order(question: Question, order: Order) -> Points:
    """This ranking, if only the first pass were held."""
    return _places(question, [order])


def ours(question: Question, order: Order) -> Points:
    """This ranking as it is: an order and its reverse."""
    return _places(question, [order, order[::-1]])


METHODS: dict[str, Method] = {
    "first proposal wins": first_wins,
    "mean of scores, self in, both orders": mean_with_self,
    "mean of scores, self out, both orders": mean_without_self,
    "Borda, self out, one shared order": borda_one_order,
    "this ranking, one shared order": ours_one_order,
    "this ranking, both orders": ours,
}


def lines() -> Iterator[str]:
    """The table, line by line."""
    questions = load()
    decisive = sum(len(question.decisive) for question in questions)
    yield f"Development set: {len(questions)} questions, {decisive} decisive pairs, {RERUNS} seeded orders each"
    yield f"  {'':38} agreement   winner changed by"
    yield f"  {'':38} with people  another order"
    for name, method in METHODS.items():
        yield f"  {name:38} {_agreement(questions, method):11.3f} {_changes(questions, method):13.3f}"
    yield "  (this ranking never reads own scores; both orders read the same verdicts however they are presented,"
    yield "   so the winner can't change on this data)"
    yield from _inverted(questions)
    yield from _concordance(questions)


def _inverted(questions: Sequence[Question]) -> Iterator[str]:
    best = strongest(questions)
    shown = ["mean of scores, self in, both orders", "mean of scores, self out, both orders"]
    shown += ["Borda, self out, one shared order", "this ranking, both orders"]
    models = sorted(questions[0].models)
    yield f"  Agreement with one reviewer's verdicts inverted ({best} is the strongest by people's verdicts):"
    yield f"  {'':38} " + " ".join(f"{model:>10}" for model in models)
    for name in shown:
        cells = [_agreement([q.inverted(model) for q in questions], METHODS[name]) for model in models]
        yield f"  {name:38} " + " ".join(f"{cell:10.3f}" for cell in cells)


def _concordance(questions: Sequence[Question]) -> Iterator[str]:
    """Does W foretell where the ranking is right, and where people agree with each other?"""
    w = [rank(q.ballots([q.models, q.models[::-1]])).agreement.kendall_w or 0.0 for q in questions]
    right = [_share(q, ours(q, q.models)) for q in questions]
    yield "  Spearman over questions of Kendall's W against"
    yield f"    the ranking's agreement with people    {spearmanr(w, right).statistic:6.3f}"
    concord = [question.concord for question in questions]
    yield f"    people's agreement with each other     {spearmanr(w, concord).statistic:6.3f}"


def _places(question: Question, orders: Sequence[Order]) -> Points:
    return {entry.proposal: float(-entry.rank) for entry in rank(question.ballots(orders)).entries}


def _orders(question: Question) -> list[list[str]]:
    """The same seeded orders for every method."""
    rng = random.Random(f"orders {question.number}")
    return [rng.sample(question.models, len(question.models)) for _ in range(RERUNS)]


def _agreement(questions: Sequence[Question], method: Method) -> float:
    pairs = [hit for q in questions for order in _orders(q) for hit in _hits(q, method(q, order))]
    return fsum(pairs) / len(pairs)


def _share(question: Question, points: Points) -> float:
    hits = _hits(question, points)
    return fsum(hits) / len(hits)


def _hits(question: Question, points: Points) -> list[float]:
    """Per decisive pair: 1 if people's choice has more points, ½ if as many."""
    hits = []
    for (a, b), chosen in question.decisive.items():
        ahead = points[chosen] - points[b if chosen == a else a]
        hits.append(0.5 if abs(ahead) <= SAME else float(ahead > 0))
    return hits


def _changes(questions: Sequence[Question], method: Method) -> float:
    """The chance that two presentations of one question give different winners; ties go to the first by name."""
    changed = []
    for question in questions:
        winners = [best_of(method(question, order))[0] for order in _orders(question)]
        pairs = [winners[i] != winners[j] for i in range(RERUNS) for j in range(i)]
        changed.append(sum(pairs) / len(pairs))
    return fsum(changed) / len(changed)
