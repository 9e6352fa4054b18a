"""A reviewer's ballot: its prompts, and what is recorded of the answers.

Pointwise, each proposal is shown and scored alone, in a call of its own, with a line per criterion (`fit: 7`), and
`BallotCast.of_parts` joins the answers. Listwise, one call shows all and is answered with a line per proposal and
criterion: `A fit: 7`. Where the plan's acceptance criteria are asked about, a line for each (`A meets 1: yes`)
follows the scores.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from domain.chat import ChatAnswer, ChatFailure, ChatOutcome, FailureReason, ScoreForm
from domain.council import Agent, voice_of
from domain.deliberation import BallotForm
from domain.entry import BallotCast, call_facts
from domain.keys import ballot_key
from domain.prompts.ballot_rules import ALONE, REVIEWER, alone_end, alone_rules, side_by_side_end
from domain.prompts.material import Material, label
from domain.prompts.model_question import ScoreQuestion, criteria_form, line_names, score_form, score_request
from domain.review.presentation import Presentation, ShownOrder
from domain.thinking import Thinking

Answer = TypeVar("Answer", bool, float)


@dataclass(frozen=True, kw_only=True)
class BallotQuestion(ScoreQuestion):
    """Asks a reviewer for its scores of the others' proposals, or of one of them, in one pass of a round."""

    round: int
    recorded_form: Literal["lines", "pointwise"] = "lines"

    @property
    def key(self) -> str:
        """Key of the ballot, which all calls for it share."""
        return ballot_key(self.round, self.shown_order.pass_, self.agent.agent_id)

    def entry(self, outcome: ChatOutcome, *, at: float) -> BallotCast:
        """Return the ballot, or the part of it that this call is about, or why it is missing."""
        scores = self.scores_of(outcome)
        missing, detail = None, ""
        if isinstance(scores, FailureReason):
            off_form = "the answer was off the ballot's form, twice"
            missing, detail = scores, outcome.detail if isinstance(outcome, ChatFailure) else off_form
        return BallotCast(
            **call_facts(self.agent, outcome, at=at, round_=self.round),
            pass_=self.shown_order.pass_,
            order=self.shown_order.items,
            form=self.recorded_form,
            scores={} if isinstance(scores, FailureReason) else scores,
            expected={} if isinstance(scores, FailureReason) else self.expected(outcome),
            met={} if isinstance(scores, FailureReason) else self.met(outcome),
            p_met={} if isinstance(scores, FailureReason) else self.p_met(outcome),
            missing=missing,
            gaps=dict.fromkeys(self.scored, missing) if missing and self.recorded_form == "pointwise" else {},
            detail=detail,
        )

    def met(self, outcome: ChatOutcome) -> dict[str, tuple[bool, ...]]:
        """Return proposal id → whether it meets each criterion of the checklist, as written."""
        values = self.form.read(outcome.text) if isinstance(outcome, ChatAnswer) else None
        return self._checked([value == 1 for value in values or ()])

    def p_met(self, outcome: ChatOutcome) -> dict[str, tuple[float, ...]]:
        """Return proposal id → the probability of yes for each; empty where the engine did not tell it."""
        return self._checked(self._told(outcome))

    def _checked(self, values: Sequence[Answer]) -> dict[str, tuple[Answer, ...]]:
        checks = values[len(self.form.lines) :]
        width = len(checks) // len(self.scored)
        starts = range(0, len(checks), width) if width else ()
        return {
            proposal_id: tuple(checks[start : start + width])
            for proposal_id, start in zip(self.scored, starts, strict=False)
        }


def ballot_questions(
    material: Material,
    reviewers: Sequence[Agent],
    presentation: Presentation,
    *,
    pass_: int,
    timeout_s: float,
    thinking: Thinking = "off",
    form: BallotForm,
    checklist: Sequence[str] = (),
) -> tuple[BallotQuestion, ...]:
    """Ask every reviewer for scores of every proposal it did not write, in one pass.

    Prompts end with the reviewer's persona, behind all that reviewers share byte for byte. Pointwise a reviewer's
    ballot is one question per proposal, next to one another, and of reviewers of one voice, who would be asked the
    same, one is asked about a proposal. Listwise it is one question, with the same sheet for reviewers of the same
    order. A reviewer that has nothing to score is left out. `checklist`: the acceptance criteria to ask about.
    Raises LookupError where the presentation is not of the material's proposals.
    """
    asked = _Asked(material, pass_=pass_, timeout_s=timeout_s, thinking=thinking, checklist=checklist)
    if form == "pointwise":
        return tuple(
            asked.about_one(agent, proposal_id)
            for agent, proposals in _shares(material, reviewers)
            for proposal_id in proposals
        )
    return tuple(
        asked.about_all(agent, order, scored)
        for agent, order, scored in _assignments(material, reviewers, presentation, pass_)
    )


class _Asked:
    """What the questions of one pass have in common."""

    def __init__(
        self, material: Material, *, pass_: int, timeout_s: float, thinking: Thinking, checklist: Sequence[str]
    ) -> None:
        self._material, self._pass, self._checklist = material, pass_, checklist
        self._timeout_s, self._thinking = timeout_s, thinking
        self._criteria = material.rubric.names
        self._names = line_names(self._criteria)
        self._mark = material.mark(f"ballots/{pass_}")

    def about_one(self, agent: Agent, proposal_id: str) -> BallotQuestion:
        rules = alone_rules(self._names, self._checklist)
        sheet = self._material.lone_sheet(proposal_id, self._mark, rules)
        end = alone_end(self._names, agent, checked=bool(self._checklist))
        order = ShownOrder(pass_=self._pass, order=0, items=())
        form = criteria_form(self._criteria, checks=len(self._checklist))
        return self._question(agent, order, (proposal_id,), ALONE, f"{sheet}\n\n{end}", form)

    def about_all(self, agent: Agent, order: ShownOrder, scored: tuple[str, ...]) -> BallotQuestion:
        labels = _labels(order, scored)
        sheet = self._material.sheet(order.items, self._mark)
        prompt = f"{sheet}\n\n{side_by_side_end(self._names, labels, agent, self._checklist)}"
        form = score_form(labels, self._criteria, checks=len(self._checklist))
        return self._question(agent, order, scored, REVIEWER, prompt, form)

    def _question(
        self,
        agent: Agent,
        order: ShownOrder,
        scored: tuple[str, ...],
        system: str,
        prompt: str,
        form: ScoreForm,
    ) -> BallotQuestion:
        key = ballot_key(self._material.round, self._pass, agent.agent_id)
        return BallotQuestion(
            agent=agent,
            request=score_request(
                agent,
                key if order.items else f"{key}#{scored[0]}",
                system,
                prompt,
                form=form,
                thinking=self._thinking,
                timeout_s=self._timeout_s,
            ),
            shown_order=order,
            scored=scored,
            criteria=self._criteria,
            round=self._material.round,
            recorded_form="lines" if order.items else "pointwise",
        )


def _shares(material: Material, reviewers: Sequence[Agent]) -> list[tuple[Agent, tuple[str, ...]]]:
    """Deal the proposals of others to the reviewers: within a voice the first that may score one is asked."""
    asked: dict[str, set[str]] = defaultdict(set)
    shares = []
    for agent in reviewers:
        own, known = material.owned_by(agent.agent_id), asked[voice_of(agent)]
        share = tuple(name for name in material.candidates if name not in own and name not in known)
        known.update(share)
        if share:
            shares.append((agent, share))
    return shares


def _assignments(
    material: Material, reviewers: Sequence[Agent], presentation: Presentation, pass_: int
) -> list[tuple[Agent, ShownOrder, tuple[str, ...]]]:
    """Pair every reviewer that has something to score with the order it sees and the proposals it scores."""
    assignments = []
    outsiders = 0
    for agent in reviewers:
        own = material.owned_by(agent.agent_id)
        order = presentation.shown_to(pass_, own=own[0] if own else None, number=outsiders)
        outsiders += not own
        scored = tuple(proposal_id for proposal_id in order.items if proposal_id not in own)
        if scored:
            assignments.append((agent, order, scored))
    return assignments


def _labels(order: ShownOrder, scored: Sequence[str]) -> list[str]:
    return [label(place) for place, proposal_id in enumerate(order.items) if proposal_id in scored]
