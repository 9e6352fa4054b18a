"""Two deliberations side by side: the earlier left, an author's proposals in a row, the texts asked for."""

from __future__ import annotations

import pytest

from domain.keys import PRIOR
from domain.policy import Policy
from domain.record import Record
from domain.steps.conclude import conclude_deliberation
from domain.views.comparison import comparable, compare
from domain.views.why import label
from tests.support import factories as make
from tests.support.scripted_model import answer
from tests.support.stage import Stage, decision_of


@pytest.fixture
def two() -> tuple[Record, Record]:
    """Two revisions of one plan; in the later one agent-2 writes another text."""
    stage = Stage(make.council("DEV"), policy=Policy(model="tiny"))
    plan = make.plan()
    first = stage.play(make.plan_request(plan, revision="1"))
    stage.clock.advance(60.0)
    stage.model.follow(
        lambda request, _: None if request.form else answer(request, f"another text of {request.key}")
    )
    return first, stage.play(make.plan_request(plan, revision="2"))


def test_the_earlier_stands_left_whatever_the_order(two: tuple[Record, Record]) -> None:
    first, second = two
    assert compare(first, second, 0.0) == compare(second, first, 0.0)
    found = compare(second, first, 0.0)
    assert found.left.row.deliberation_id == first.deliberation.deliberation_id


def test_every_author_has_its_place_and_score_in_each(two: tuple[Record, Record]) -> None:
    found = compare(*two, 0.0)
    for side, record in (("left", two[0]), ("right", two[1])):
        told = {pair.author: getattr(pair, side) for pair in found.authors}
        for row in decision_of(record).decisions:
            proposal = told[row.proposal.author.agent_id]
            assert (proposal.rank, proposal.score, proposal.text) == (row.rank, row.score, row.proposal.content)


def test_texts_are_the_winners_or_of_the_author_asked_for(two: tuple[Record, Record]) -> None:
    winners = compare(*two, 0.0)
    assert winners.left.shown is not None
    assert winners.left.row.proposal_id == winners.left.shown.proposal_id
    found = compare(*two, 0.0, author="agent-2")
    assert found.right.shown is not None
    assert label(found.right.shown.proposal_id) == "agent-2"
    assert found.difference is not None
    lines = [pair.right.text for group in found.difference.groups for pair in group if pair.right]
    assert any("another text of" in line for line in lines)
    assert compare(*two, 0.0, author="no such agent").difference is None


def test_an_open_one_shows_what_was_written_so_far(two: tuple[Record, Record]) -> None:
    stage = Stage(make.council("DEV"))
    plan = two[0].deliberation.plan
    open_ = stage.open(make.plan_request(plan, revision="3"))
    stage.generate(open_, "agent-1")
    found = compare(two[0], stage.record(open_), stage.clock.now())
    assert {pair.author for pair in found.authors if pair.right} == {"agent-1"}
    assert found.right.shown is None
    assert found.difference is None


def test_an_earlier_winner_that_was_reviewed_again_has_a_row() -> None:
    stage = Stage(make.council("DEV"))
    first = stage.play()
    stage.clock.advance(60.0)
    again = stage.redeliberate(first.deliberation.deliberation_id)
    stage.propose(again)
    conclude_deliberation(again, stage.services)
    found = compare(first, stage.record(again), stage.clock.now())
    assert {pair.author for pair in found.authors if pair.right} >= {PRIOR}


def test_another_plan_or_role_is_not_comparable() -> None:
    stage = Stage(make.council("DEV"), make.council("QA"))
    plan = make.plan(roles=("DEV",))
    of_qa = plan.model_copy(update={"roles": ("QA",)})
    one = stage.play(make.plan_request(plan))
    assert not comparable(one, stage.play(make.plan_request(make.plan(roles=("DEV",)))))
    assert not comparable(one, stage.play(make.plan_request(of_qa, revision="2")))
    assert comparable(one, one)
