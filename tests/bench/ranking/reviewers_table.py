"""What it costs to ask only some of the reviewers about a proposal: balanced blocks, through the real ranking."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from domain.ranking import Ballot, rank
from tests.bench.ranking.place_table import QUICK, opinion

SIZES = (5, 8, 16)
ASKED = (2, 3, 4, 5, 7, 15)


def share_of_best(agents: int, asked: int, *, trials: int) -> float:
    """Return P(winner = best) where each proposal is scored by so many of the other authors. Seeded."""
    rng = random.Random(str(agents))
    return sum(_best_wins(agents, asked, rng) for _ in range(trials)) / trials


def _best_wins(agents: int, asked: int, rng: random.Random) -> bool:
    author_of = {f"p{n}": f"a{n}" for n in range(agents)}
    quality = {proposal: rng.gauss(0, 1.3) for proposal in author_of}
    opinions = {author: opinion(author_of, rng) for author in author_of.values()}
    noise = {(author, p): rng.gauss(0, 0.5) for author in opinions for p in author_of}
    ballots = []
    for author, proposals in deal(author_of, asked).items():
        severity, spread, error = opinions[author]
        raw = {p: 5 + severity + spread * (quality[p] + error[p]) + noise[author, p] for p in proposals}
        scores = {p: {"quality": min(9.0, max(1.0, value))} for p, value in raw.items()}
        ballots.append(Ballot(author, author_of=author_of, scores=scores))
    winner = rank(ballots, settings=QUICK, hashes={p: p for p in author_of}).winner
    return winner == max(quality, key=quality.__getitem__)


def deal(author_of: Mapping[str, str], asked: int) -> Mapping[str, Sequence[str]]:
    """Return author → the proposals that it scores: as many each as can be, pairs meeting about as often."""
    load, met = Counter[str](), Counter[tuple[str, str]]()
    readers: dict[str, list[str]] = {proposal: [] for proposal in author_of}
    for _ in range(asked):
        for proposal, chosen in readers.items():
            free = [a for a in author_of.values() if a != author_of[proposal] and a not in chosen]
            reader = min(free, key=lambda a: (load[a], sum(met[a, other] for other in chosen)))
            load[reader] += 1
            met.update(pair for other in chosen for pair in ((reader, other), (other, reader)))
            chosen.append(reader)
    return {a: [p for p, chosen in readers.items() if a in chosen] for a in author_of.values()}


def lines(trials: int = 1000) -> Iterator[str]:
    """Print the table, line by line."""
    yield f"Reviewers asked about each proposal, of all other authors: P(winner = best), {trials} councils a cell"
    yield f"  {'':10}" + "".join(f"{asked:>8}" for asked in ASKED)
    for agents in SIZES:
        cells = (
            f"{share_of_best(agents, asked, trials=trials):8.3f}" if asked < agents else f"{'':8}"
            for asked in ASKED
        )
        yield f"  {f'{agents} agents':10}" + "".join(cells)
