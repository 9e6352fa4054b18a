"""Forms of a ballot that were compared: what is asked behind the shared sheet, and how the answer is bounded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from domain.chat import ScoreForm
from domain.prompts.ballot_rules import ANCHORS, alone_rules
from domain.prompts.model_question import score_form

Cell = tuple[str, str]
"""A label and a criterion."""
DIGIT = "root ::= [1-9]\n"
PERSONA = (
    "Your way of thinking: You look for what could go wrong with this plan in production, at night, with half of "
    "the data missing, and want it tested before anything else."
)


@dataclass(frozen=True)
class Ask:
    """One call: its last lines, the grammar of its answer, and what its digits score."""

    rules: str
    grammar: str
    cells: Sequence[Cell]
    before: str = ""
    """Rules that stand before the one proposal of its cells, which is then shown alone; empty: all are shown."""


Form = Callable[[Sequence[str], Sequence[str]], list[Ask]]
"""Labels and criteria → the calls that score them."""


def digits(labels: Sequence[str], criteria: Sequence[str]) -> list[Ask]:
    """Version 0.1: digits side by side, `786,554`."""
    group = "x" * len(criteria)
    rules = (
        f"For each label named in the last line write one digit from 1 to 9 per criterion: {', '.join(criteria)}. "
        f"Put a comma between labels and write nothing else, as in {group},{group}\n{_last(labels)}"
    )
    row = " ".join(["[1-9]"] * len(criteria))
    grammar = "root ::= " + ' "," '.join([row] * len(labels)) + "\n"
    return [Ask(rules, grammar, [(label, name) for label in labels for name in criteria])]


def overall(labels: Sequence[str], criteria: Sequence[str]) -> list[Ask]:
    """A line per proposal: `A: 7`."""
    rules = (
        f"Score each proposal from 1 (worst) to 9 (best) by the whole rubric. {ANCHORS}\n"
        f"Write one line per label and nothing else, as in A: x\n{_last(labels)}"
    )
    return [Ask(rules, _grammar(score_form(labels, ["overall"])), [(label, "overall") for label in labels])]


def lines(labels: Sequence[str], criteria: Sequence[str]) -> list[Ask]:
    """The product's `listwise`: a line per proposal and criterion, `A fit: 7`."""
    rules = (
        f"Score each proposal from 1 (worst) to 9 (best) on each criterion: {', '.join(criteria)}. {ANCHORS}\n"
        f"Write one line per label and criterion and nothing else, as in A {criteria[0]}: x\n{_last(labels)}"
    )
    cells = [(label, name) for label in labels for name in criteria]
    return [Ask(rules, _grammar(score_form(labels, criteria)), cells)]


def beside(labels: Sequence[str], criteria: Sequence[str]) -> list[Ask]:
    """A call per proposal behind the sheet of all, which the last line names, a line per criterion: `fit: 7`."""
    rules = (
        f"Score one proposal from 1 (worst) to 9 (best) on each criterion: {', '.join(criteria)}. {ANCHORS}\n"
        f"Write one line per criterion and nothing else, as in {criteria[0]}: x\nScore PROPOSAL "
    )
    grammar = _grammar(ScoreForm(lines=tuple(criteria)))
    return [Ask(f"{rules}{label}:", grammar, [(label, name) for name in criteria]) for label in labels]


def beside_labels(labels: Sequence[str], criteria: Sequence[str]) -> list[Ask]:
    """A call per proposal, a line per criterion: `lines` with one label."""
    return [ask for label in labels for ask in lines([label], criteria)]


def beside_each(labels: Sequence[str], criteria: Sequence[str]) -> list[Ask]:
    """A call per proposal and criterion, one digit each."""
    rules = (
        f"Score one proposal from 1 (worst) to 9 (best) on one criterion of the rubric. {ANCHORS}\n"
        "Write one digit and nothing else.\nScore of PROPOSAL "
    )
    return [Ask(f"{rules}{label} for {name}:", DIGIT, [(label, name)]) for label in labels for name in criteria]


def beside_overall(labels: Sequence[str], criteria: Sequence[str]) -> list[Ask]:
    """A call per proposal, one digit each for the whole rubric."""
    rules = (
        f"Score one proposal from 1 (worst) to 9 (best) by the whole rubric. {ANCHORS}\n"
        "Write one digit and nothing else.\nScore of PROPOSAL "
    )
    return [Ask(f"{rules}{label}:", DIGIT, [(label, "overall")]) for label in labels]


def pointwise(labels: Sequence[str], criteria: Sequence[str]) -> list[Ask]:
    """The product's `pointwise`: each proposal by itself behind the rules, a line per criterion: `fit: 7`."""
    rules = f"Write one line per criterion and nothing else, as in {criteria[0]}: x"
    grammar = _grammar(ScoreForm(lines=tuple(criteria)))
    before = alone_rules(criteria, ())
    return [Ask(rules, grammar, [(label, name) for name in criteria], before) for label in labels]


def pointwise_digits(labels: Sequence[str], criteria: Sequence[str]) -> list[Ask]:
    """Each proposal by itself, its scores side by side with blanks between: `7 5 8`."""
    rules = (
        f"Write {len(criteria)} digits with a blank between them and nothing else, in the order "
        f"{', '.join(criteria)}: {' '.join('x' * len(criteria))}"
    )
    grammar = "root ::= " + ' " " '.join(["[1-9]"] * len(criteria)) + "\n"
    before = alone_rules(criteria, ())
    return [Ask(rules, grammar, [(label, name) for name in criteria], before) for label in labels]


def pointwise_row(labels: Sequence[str], criteria: Sequence[str]) -> list[Ask]:
    """Each proposal by itself, its scores in one line with their names: `fit:7 clarity:5`."""
    rules = f"Write one line and nothing else, in this form: {' '.join(f'{name}:x' for name in criteria)}"
    grammar = "root ::= " + ' " " '.join(f'"{name}:" [1-9]' for name in criteria) + "\n"
    before = alone_rules(criteria, ())
    return [Ask(rules, grammar, [(label, name) for name in criteria], before) for label in labels]


def pointwise_commas(labels: Sequence[str], criteria: Sequence[str]) -> list[Ask]:
    """Each proposal by itself, its scores in one line with their names: `fit 7, clarity 5`."""
    rules = f"Write one line and nothing else, in this form: {', '.join(f'{name} x' for name in criteria)}"
    grammar = "root ::= " + ' ", " '.join(f'"{name} " [1-9]' for name in criteria) + "\n"
    before = alone_rules(criteria, ())
    return [Ask(rules, grammar, [(label, name) for name in criteria], before) for label in labels]


def pointwise_each(labels: Sequence[str], criteria: Sequence[str]) -> list[Ask]:
    """Each proposal by itself, and a call per criterion, one digit each."""
    before = _alone_rules("on one criterion of the rubric")
    return [
        Ask(f"Score on {name} in one digit:", DIGIT, [(label, name)], before)
        for label in labels
        for name in criteria
    ]


def pointwise_overall(labels: Sequence[str], criteria: Sequence[str]) -> list[Ask]:
    """Each proposal by itself, one digit each for the whole rubric."""
    before = _alone_rules("by the whole rubric")
    return [
        Ask("Score by the whole rubric in one digit:", DIGIT, [(label, "overall")], before) for label in labels
    ]


def _thinking(form: Form, order: str) -> Form:
    """Return the form for a reviewer with a persona, before the sentence that asks for the answer or behind it."""

    def asks(labels: Sequence[str], criteria: Sequence[str]) -> list[Ask]:
        return [
            replace(ask, rules=order.format(persona=PERSONA, rules=ask.rules)) for ask in form(labels, criteria)
        ]

    return asks


def _lines_persona_first(labels: Sequence[str], criteria: Sequence[str]) -> list[Ask]:
    """The product's `listwise`, whose persona stands before the labels to score."""
    asks = lines(labels, criteria)
    return [replace(ask, rules=ask.rules.replace("\nLabels", f"\n\n{PERSONA} Labels")) for ask in asks]


POINTWISE: dict[str, Form] = {
    "pointwise": pointwise,
    "pointwise_digits": pointwise_digits,
    "pointwise_row": pointwise_row,
    "pointwise_commas": pointwise_commas,
    "pointwise_overall": pointwise_overall,
}
FORMS: dict[str, Form] = {
    "digits": digits,
    "overall": overall,
    "lines": lines,
    "lines_persona_first": _lines_persona_first,
    "lines_persona_last": _thinking(lines, "{rules}\n{persona}"),
    "beside": beside,
    "beside_labels": beside_labels,
    "beside_each": beside_each,
    "beside_overall": beside_overall,
    **POINTWISE,
    **{f"{name}_persona_first": _thinking(form, "{persona} {rules}") for name, form in POINTWISE.items()},
    **{f"{name}_persona_last": _thinking(form, "{rules}\n{persona}") for name, form in POINTWISE.items()},
    "pointwise_each": pointwise_each,
}


def _alone_rules(how: str) -> str:
    return f"# Scores\nYou are shown one proposal and score it from 1 (worst) to 9 (best) {how}. {ANCHORS}"


def _last(labels: Sequence[str]) -> str:
    return f"Labels to score, in this order: {', '.join(labels)}"


def _grammar(form: ScoreForm) -> str:
    return "root ::= " + r' "\n" '.join(f'"{name}: " [1-9]' for name in form.lines) + "\n"
