"""What the pages show is what the domain says, for every state that a deliberation can be in."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from decimal import Decimal

import pytest
from starlette.testclient import TestClient

from domain.chat import FailureReason
from domain.deliberation import ReviewRules
from domain.policy import Policy
from domain.prices import Price, PriceList
from domain.views.money import cost_line
from domain.views.why import number, why
from tests.support import factories as make
from tests.support.scripted_model import failure
from tests.support.stage import Stage, decision_of
from tests.support.web import Seen, browser, ports_of
from web.app import make_app
from web.asking import answer_of
from web.listing import MOST_READ, PAGE
from web.options import WebOptions


@pytest.fixture
def stage() -> Stage:
    judges = (make.agent("qa-1", persona="Test."), make.agent("qa-2", persona="Break."))
    policy = Policy(model="tiny", judges=1, review=ReviewRules(both_passes=True, explain_top=1))
    return Stage(make.council("DEV"), make.council("QA", agents=judges), policy=policy)


def seen(stage: Stage, path: str) -> Seen:
    answer = browser(stage).get(path)
    assert answer.status_code == 200, answer.text
    return Seen(answer.text)


def test_a_decision_is_shown_with_its_scores_and_its_reasons(stage: Stage) -> None:
    record = stage.play()
    decision = decision_of(record)
    shown = seen(stage, f"/deliberations/{record.deliberation.deliberation_id}").text
    for sentence in why(decision):
        assert " ".join(sentence.split()) in shown
    for row in decision.decisions:
        assert " ".join(row.proposal.content.split()) in shown
    for scores in decision.ranking.matrix.values():
        for score in scores.values():
            assert number(score) in shown
    assert "of 3 of 3" not in shown


def test_where_all_speak_with_one_voice_no_confidence_stands_anywhere() -> None:
    copies = tuple(make.agent(f"agent-{number}", seed=number) for number in range(1, 6))
    stage = Stage(make.council("DEV", agents=copies), policy=Policy(model="tiny"))
    record = stage.play()
    decision, identity = decision_of(record), record.deliberation.deliberation_id
    assert (decision.independent_voices, decision.p_winner, decision.stability) == (1, None, None)
    assert set(decision.agreement.model_dump().values()) == {None}
    assert {entry.p_best for entry in decision.ranking.entries} == {None}

    answer = asyncio.run(answer_of(identity, ports_of(stage)))
    assert (answer.confidence, answer.stability, answer.agreement) == (None, None, None)
    (row,) = browser(stage).get("/api/deliberations").json()["deliberations"]
    assert (row["p_winner"], row["stability"], row["kendall_w"]) == (None, None, None)
    shown = seen(stage, f"/deliberations/{identity}").text
    minutes_ = browser(stage).get(f"/deliberations/{identity}/minutes.md").text
    for text in (shown, minutes_, "\n".join(why(decision))):
        assert "so no confidence is claimed" in text
        assert not re.search(r"(?i)(P\(winner\)|stability|Kendall's W|agreement) [0-9]", text)
    for path in ("/deliberations", "/judge"):
        assert not re.search(r"\b[01]\.[0-9][0-9]\b", seen(stage, path).text)


def test_the_reviewers_text_is_a_link_away(stage: Stage) -> None:
    record = stage.play()
    page = seen(stage, f"/deliberations/{record.deliberation.deliberation_id}")
    ballots = [link for link in page.links if "/ballot?" in link]
    assert len(ballots) == len(record.ballots())
    for link in ballots:
        answer = browser(stage).get(link)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert "PROPOSAL ===" in answer.text


def test_an_open_a_failed_and_a_refused_deliberation_have_a_page(stage: Stage) -> None:
    open_ = stage.open()
    stage.generate(open_, "agent-1")
    assert "1 of 3" in seen(stage, f"/deliberations/{open_}").text
    stage.cancel(open_, "the story was dropped")
    assert "the story was dropped" in seen(stage, f"/deliberations/{open_}").text
    stage.approve(make.plan_request(make.plan(roles=("NOBODY",), plan_id="nobody's")))
    assert "no council for role NOBODY" in seen(stage, "/deliberations?plan=nobody%27s").text


def test_an_unknown_deliberation_is_said_to_be_none(stage: Stage) -> None:
    answer = browser(stage).get("/deliberations/d-000000000000000000000000")
    assert answer.status_code == 404
    assert "no such deliberation" in answer.text


def test_an_empty_list_says_what_to_do(stage: Stage) -> None:
    page = seen(stage, "/deliberations")
    assert "conclave approve" in page.text
    assert {"/approve", "/approve?sample=1"} <= set(page.links)


def test_pages_of_the_list_follow_one_another_without_a_gap(stage: Stage) -> None:
    opened = [stage.open(make.plan_request(make.plan(title=f"Plan {n}"))) for n in range(2 * PAGE + 3)]
    found: list[str] = []
    path = "/deliberations"
    while path:
        page = seen(stage, path)
        found += [link.rpartition("/")[2] for link in page.links if link.startswith("/deliberations/d-")]
        path = next((link for link in page.links if "skip=" in link), "")
    assert sorted(found) == sorted(opened)


def test_a_filter_reads_a_bounded_number_and_a_link_goes_on(stage: Stage) -> None:
    wanted = stage.open(make.plan_request(make.plan(title="The needle")))
    stage.clock.advance(1.0)
    for number_ in range(MOST_READ):
        stage.open(make.plan_request(make.plan(title=f"Hay {number_}")))
    first = seen(stage, "/deliberations?text=needle")
    assert not [link for link in first.links if wanted in link]
    (older,) = [link for link in first.links if "skip=" in link]
    assert [link for link in seen(stage, older).links if wanted in link]


@pytest.mark.parametrize("query", ["state=unknown", "since=yesterday", "skip=-1", "skip=x", f"text={'x' * 201}"])
def test_a_filter_that_is_none_is_refused(stage: Stage, query: str) -> None:
    assert browser(stage).get(f"/deliberations?{query}").status_code == 400


def test_revisions_are_linked_with_one_another(stage: Stage) -> None:
    plan = make.plan()
    first = stage.open(make.plan_request(plan, revision="1"))
    second = stage.open(make.plan_request(plan, revision="2"))
    for deliberation_id in (first, second):
        page = seen(stage, f"/deliberations/{deliberation_id}")
        assert {f"/deliberations/{first}", f"/deliberations/{second}"} <= set(page.links)


def test_two_revisions_stand_side_by_side(stage: Stage) -> None:
    plan = make.plan()
    first = stage.play(make.plan_request(plan, revision="1"))
    stage.clock.advance(60.0)
    second = stage.play(make.plan_request(plan, revision="2"))
    ids = [record.deliberation.deliberation_id for record in (first, second)]
    (link,) = [link for link in seen(stage, f"/deliberations/{ids[1]}").links if "/compare/" in link]
    assert link == f"/deliberations/{ids[1]}/compare/{ids[0]}"
    page = seen(stage, link)
    for record in (first, second):
        for row in decision_of(record).decisions:
            assert f"{row.rank} · {number(row.score)}" in page.text
    assert "The texts are equal" in page.text
    authors = [found for found in page.links if found.startswith("?author=")]
    assert len(authors) == len(decision_of(second).decisions)
    assert browser(stage).get(f"{link}{authors[0]}").status_code == 200


def test_deliberations_of_two_plans_are_not_compared(stage: Stage) -> None:
    ids = [stage.open(make.plan_request(make.plan())) for _ in range(2)]
    assert browser(stage).get(f"/deliberations/{ids[0]}/compare/{ids[1]}").status_code == 400
    assert browser(stage).get(f"/deliberations/{ids[0]}/compare/d-000000000000000000000000").status_code == 404


def test_councils_and_engines_are_listed(stage: Stage) -> None:
    shown = seen(stage, "/councils").text
    for text in ("DEV", "agent-3", "You weigh risks first. Way 3.", "qa-2", "vllm", "ready"):
        assert text in shown


def test_the_pages_do_without_the_store_for_a_while(stage: Stage) -> None:
    class Away(Exception):
        """As a store raises that does not answer."""

    class NoStore:
        def newest(self, limit: int) -> tuple[str, ...]:
            raise Away

    ports = replace(ports_of(stage), deliberations=NoStore())  # type: ignore[arg-type]
    app = make_app(ports, WebOptions(), version="0", outages=(Away,))
    answer = TestClient(app, base_url="http://127.0.0.1:8400").get("/deliberations")
    assert answer.status_code == 503
    assert "The store does not answer" in answer.text


def test_links_to_flower_and_to_the_trace_stand_where_settings_name_them(stage: Stage) -> None:
    record = stage.play()
    path = f"/deliberations/{record.deliberation.deliberation_id}"
    page = Seen(browser(stage, flower_url="http://h:5555").get(path).text)
    assert len([link for link in page.links if link.startswith("http://h:5555/task/")]) == 4
    assert not [link for link in seen(stage, path).links if link.startswith("http")]


def test_an_end_without_a_decision_names_who_failed_and_why(stage: Stage) -> None:
    stage.model.follow(lambda request, _: failure(request, FailureReason.TIMEOUT))
    record = stage.play()
    shown = seen(stage, f"/deliberations/{record.deliberation.deliberation_id}").text
    assert "agent-1, proposal: timeout (scripted timeout)" in shown


def test_a_second_look_at_a_tie_is_shown() -> None:
    stage = Stage(make.council("DEV"), policy=Policy(model="tiny", review=ReviewRules(second_look=True)))
    decision = decision_of(stage.play())
    assert decision.second_look
    shown = seen(stage, f"/deliberations/{decision.deliberation_id}").text
    assert "Second look" in shown


def test_each_agents_cost_and_what_a_checklist_came_to_are_shown() -> None:
    prices = PriceList(prices={"tiny": Price(input=Decimal(1_000_000), output=Decimal(0))}, currency="EUR")
    policy = Policy(model="tiny", review=ReviewRules(checklist="report"))
    stage = Stage(make.council("DEV"), policy=policy, prices=prices)
    decision = decision_of(stage.play(make.plan_request(make.plan(acceptance_criteria=("It works.",)))))
    shown = seen(stage, f"/deliberations/{decision.deliberation_id}").text
    costs = [usage.cost for usage in decision.usage.agents.values() if usage.cost]
    assert len(costs) == 3
    for cost in costs:
        assert cost_line(cost) in shown
    assert "Meets" in shown


def test_a_page_below_deliberations_stands_under_its_own_name_in_the_navigation(stage: Stage) -> None:
    path = f"/deliberations/{stage.play().deliberation.deliberation_id}"
    for page, name in ((path, "/deliberations"), (f"{path}/judge", "/judge"), ("/judge", "/judge")):
        current = [
            fields["href"] for _, fields in seen(stage, page).elements if fields.get("aria-current") == "page"
        ]
        assert current == [name]
