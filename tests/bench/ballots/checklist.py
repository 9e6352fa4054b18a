"""Does a checklist harm the scores, and what does it see? `python -m tests.bench.ballots.checklist
--engine-url URL --model NAME`, for an engine of llama.cpp.

Every showing is a ballot of a reviewer that wrote none of a scene's four texts, asked as the product asks it: for
scores alone, then with the checklist behind them.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean

from domain.checklist import is_met
from domain.council import Agent
from domain.entry import BallotCast
from domain.ports.chat_model import ChatModel
from domain.prompts.ballot_question import ballot_questions
from domain.prompts.material import Material
from domain.review.presentation import Presentation, present
from tests.bench.ballots.__main__ import ORDERS, Scores, tied, weak_last
from tests.bench.ballots.scenes import SCENES, WEAKEST
from tests.bench.ballots.second_look import SAME, WITHIN_S, model_at, options_parser

FORMS = ("scores alone", "with a checklist")


def main() -> None:
    """Ask, and print a line for each form and reading after every showing."""
    options = options_parser("checklist", __doc__).parse_args()
    tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)
    with model_at(options.engine_url, options.model) as model:
        for number in range(options.showings):
            for form in FORMS:
                ballot = _ballot(model, options, number, checked=form != FORMS[0])
                tallies[form, "written"].add(number % len(SCENES), ballot.scores, ballot.met)
                tallies[form, "expected"].add(number % len(SCENES), ballot.expected, ballot.p_met)
            print(f"{number + 1} of {options.showings} showings", flush=True)
            for (form, reading), tally in tallies.items():
                print(f"  {form:18}{reading:10}{tally}", flush=True)


@dataclass
class Tally:
    """What ballots of one form and reading came to."""

    by_scene: dict[int, list[Scores]] = field(default_factory=lambda: defaultdict(list))
    met: dict[bool, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Is it the weak text → how far it meets each criterion, over all ballots."""
    least: list[float] = field(default_factory=list)
    """Of a ballot: 1 where the weak text meets the least, 0.5 where it shares that, else 0."""

    def add(
        self, scene: int, scores: Mapping[str, Mapping[str, float]], checklist: Mapping[str, Sequence[float]]
    ) -> None:
        """Count one ballot."""
        self.by_scene[scene].append({proposal: mean(row.values()) for proposal, row in scores.items()})
        for proposal, row in checklist.items():
            self.met[proposal == WEAKEST].extend(row)
        if checklist:
            weak = mean(checklist[WEAKEST])
            others = min(mean(row) for proposal, row in checklist.items() if proposal != WEAKEST)
            self.least.append(0.5 if abs(weak - others) < SAME else float(weak < others))

    def __str__(self) -> str:
        return "; ".join([*self._ranks(), *(self._checks() if self.least else ())])

    def _ranks(self) -> Iterator[str]:
        ballots = [one for each in self.by_scene.values() for one in each]
        votes = [{name: mean(one[name] for one in each) for name in each[0]} for each in self.by_scene.values()]
        for name, each in (("weak last", ballots), ("votes", votes)):
            yield f"{name} {sum(map(weak_last, each))} of {len(each)}, top tied {sum(map(tied, each))}"

    def _checks(self) -> Iterator[str]:
        for name, values in (("sound", self.met[False]), ("weak", self.met[True])):
            yield f"{name} meets {sum(map(is_met, values))} of {len(values)}, mean {mean(values):.3f}"
        yield f"weak meets least {self.least.count(1.0)}, shared {self.least.count(0.5)} of {len(self.least)}"


def _ballot(model: ChatModel, options: argparse.Namespace, number: int, *, checked: bool) -> BallotCast:
    scene, order = number % len(SCENES), number // len(SCENES) % ORDERS
    material = SCENES[scene].material(seed=f"ballots/{scene}")
    items = present(material.candidates, seed=scene, passes=1, orders=ORDERS).passes[0][order]
    return _cast(model, material, items, options.model, SCENES[scene].acceptance_criteria if checked else ())


def _cast(
    model: ChatModel, material: Material, items: tuple[str, ...], name: str, checklist: Sequence[str]
) -> BallotCast:
    judge = Agent(agent_id="judge", model=name)
    (question,) = ballot_questions(
        material,
        [judge],
        Presentation(seed="bench", passes=((items,),)),
        pass_=0,
        timeout_s=WITHIN_S,
        form="listwise",
        checklist=checklist,
    )
    (outcome,) = model.ask([question.request])
    ballot = question.entry(outcome, at=0.0)
    assert ballot.missing is None, ballot.detail
    return ballot


if __name__ == "__main__":
    main()
