"""The minutes hold what was decided, and nothing in them from outside is anything but text."""

from __future__ import annotations

import pytest

from domain.deliberation import ReviewRules
from domain.policy import Policy
from domain.text.visible import escaped
from domain.views.minutes import minutes
from domain.views.why import number, why
from tests.support import factories as make
from tests.support.hostile_deliberation import PLAIN, TEXTS, staged
from tests.support.hostile_text import commands_in
from tests.support.markdown import INERT, lines_of, tokens
from tests.support.stage import Stage, decision_of

STRUCTURE = {"h1", "h2", "h3", "p", "ul", "li", "code", ""}


def test_a_decision_is_told_whole() -> None:
    policy = Policy(model="tiny", review=ReviewRules(explain_top=1, synthesis=True))
    stage = Stage(make.council("DEV"), policy=policy)
    record = stage.play(make.plan_request(make.plan(title="Keep carts", acceptance_criteria=("It is fast.",))))
    decision = decision_of(record)
    document = minutes(record, [make.verdict(decision.deliberation_id, by="ada")])
    lines = lines_of(document)
    for sentence in [*why(decision), "It is fast."]:
        assert sentence in lines
    assert "Keep carts" in lines
    assert any("ada accepts it" in line for line in lines)
    code = {token.content.removesuffix("\n") for token in tokens(document) if token.type == "fence"}
    assert {row.proposal.content for row in decision.decisions} <= code
    for scores in decision.ranking.matrix.values():
        assert all(number(score) in document for score in scores.values())


def test_open_failed_and_cancelled_ones_have_minutes() -> None:
    stage = Stage(make.council("DEV"))
    open_ = stage.open()
    stage.generate(open_, "agent-1")
    assert "Still open: proposing" in minutes(stage.record(open_), ())
    stage.cancel(open_, "the story was *dropped*")
    assert "the story was *dropped*" in lines_of(minutes(stage.record(open_), ()))


@pytest.mark.parametrize("name", list(TEXTS))
def test_a_text_is_nothing_but_text(name: str) -> None:
    document = minutes(staged(TEXTS[name]), ())
    found, plain = list(tokens(document)), list(tokens(minutes(staged(PLAIN), ())))
    assert [token.tag for token in found if token.type == "heading_open"] == [
        token.tag for token in plain if token.type == "heading_open"
    ]
    assert {token.tag for token in found} <= STRUCTURE
    assert {child.type for token in found for child in token.children or ()} <= INERT
    assert {token.info for token in found if token.type == "fence"} == {""}
    assert commands_in(document) == []
    code = [token.content for token in found if token.type == "fence"]
    assert any(escaped(TEXTS[name][:3000]) in content for content in code)
