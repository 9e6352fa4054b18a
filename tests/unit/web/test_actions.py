"""What people do on the page with one deliberation: judge it, have it deliberated again, cancel it."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from domain.contract import JudgedBody
from domain.errors import RequestRefused, RequestUndelivered
from domain.policy import Policy
from domain.record import Record
from domain.redeliberation import RepeatChoice
from domain.verdict import SaidVerdict, VerdictRules
from tests.support import factories as make
from tests.support.in_memory.council_client import MemoryCouncilClient
from tests.support.in_memory.deliberation_control import MemoryDeliberationControl
from tests.support.stage import Stage, decision_of
from tests.support.web import Seen, page_of


@pytest.fixture
def stage() -> Stage:
    return Stage(make.council("DEV"), make.council("QA"))


def judging(stage: Stage) -> MemoryCouncilClient:
    """Return a client whose verdicts a bridge takes at once."""

    def judge(deliberation_id: str, verdict: Any, by: str, proposal: str, reason: str) -> JudgedBody:
        said = SaidVerdict(
            verdict_id=make.fresh("v"),
            deliberation_id=deliberation_id,
            verdict=verdict,
            proposal=proposal,
            by=by,
            reason=reason,
            judged_at="2026-01-31T12:00:00Z",
            said_at=stage.clock.now(),
        )
        stage.judge(said)
        return stage.news.bodies(JudgedBody)[-1]

    return MemoryCouncilClient(judge_by=judge)


def path_of(record: Record) -> str:
    return f"/deliberations/{record.deliberation.deliberation_id}"


def test_a_person_prefers_another_proposal_with_a_reason(stage: Stage) -> None:
    record = stage.play()
    page = page_of(stage, client=judging(stage))
    other = decision_of(record).decisions[1].proposal.proposal_id
    seen = Seen(page.get(f"{path_of(record)}/judge").text)
    offered = [fields["value"] for tag, fields in seen.elements if fields.get("name") == "verdict"]
    assert offered[0] == "accept"
    assert f"prefer:{other}" in offered
    assert offered[-1] == "reject"
    answer = page.post(f"{path_of(record)}/judge", data={"verdict": f"prefer:{other}", "reason": "It is safer."})
    assert answer.headers["location"] == path_of(record)
    (verdict,) = stage.services.verdicts.of(record.deliberation.deliberation_id)
    assert (verdict.verdict, verdict.proposal_id, verdict.by, verdict.reason) == (
        "prefer",
        other,
        "anonymous",
        "It is safer.",
    )
    assert "anonymous prefers" in Seen(page.get(path_of(record)).text).text


@pytest.mark.parametrize(
    ("refusal", "status"), [(RequestRefused("too many verdicts"), 400), (RequestUndelivered("NATS is away"), 503)]
)
def test_a_verdict_that_is_not_taken_is_shown_again(stage: Stage, refusal: Exception, status: int) -> None:
    record = stage.play()
    page = page_of(stage, client=MemoryCouncilClient(refusal=refusal))
    answer = page.post(f"{path_of(record)}/judge", data={"verdict": "reject", "reason": "No."})
    seen = Seen(answer.text)
    assert answer.status_code == status
    assert str(refusal) in seen.text
    assert "No." in seen.text
    assert [fields["value"] for _, fields in seen.elements if "checked" in fields] == ["reject"]
    assert page.post(f"{path_of(record)}/judge", data={"verdict": "maybe"}).status_code == 400


def test_what_was_not_decided_can_not_be_judged(stage: Stage) -> None:
    page = page_of(stage)
    identity = stage.open()
    assert page.get(f"/deliberations/{identity}/judge").status_code == 409
    assert 'href="/deliberations/' + identity + '/judge"' not in page.get(f"/deliberations/{identity}").text


def test_the_queue_has_first_what_waits_for_a_person_and_then_what_nobody_judged() -> None:
    stage = Stage(make.council("DEV"), policy=Policy(model="tiny", verdict=VerdictRules(within_s=3600)))
    waiting = stage.play(make.plan_request(make.plan(title="Waits")))
    page = page_of(stage, client=judging(stage))
    text = Seen(page.get("/judge").text).text
    assert text.index("Waiting for a person") < text.index("Waits") < text.index("Not judged yet")
    assert "Nobody has judged a decision yet" in text
    answer = page.post(f"{path_of(waiting)}/judge", data={"verdict": "accept", "queue": "1"})
    assert answer.headers["location"] == "/judge"
    seen = Seen(page.get("/judge").text)
    assert "Waits" not in seen.text
    assert "DEV council 1" in seen.text
    assert "1/1" in seen.text


def test_a_decision_without_a_verdict_is_in_the_queue(stage: Stage) -> None:
    record = stage.play()
    stage.open()
    links = Seen(page_of(stage).get("/judge").text).links
    assert [link for link in links if link.endswith("/judge?queue=1")] == [f"{path_of(record)}/judge?queue=1"]


def test_another_deliberation_is_ordered_with_what_was_chosen(stage: Stage) -> None:
    record = stage.play()
    control = MemoryDeliberationControl()
    page = page_of(stage, control=control)
    seen = Seen(page.get(f"{path_of(record)}/redeliberate").text)
    assert "QA" in seen.text
    assert "tiny" in seen.text
    answer = page.post(f"{path_of(record)}/redeliberate", data={"council": "QA", "model": "tiny"})
    ((identity, choice),) = control.repeated
    assert (identity, choice) == (
        record.deliberation.deliberation_id,
        RepeatChoice(council="QA", model="tiny"),
    )
    waiting = answer.headers["location"]
    assert "is about to be opened" in Seen(page.get(waiting).text).text
    following = stage.redeliberate(identity, choice)
    assert page.get(waiting).headers["location"] == f"/deliberations/{following}"


def test_what_was_repeated_already_leads_to_the_next_revision(stage: Stage) -> None:
    record = stage.play()
    following = stage.redeliberate(record.deliberation.deliberation_id)
    control = MemoryDeliberationControl()
    page = page_of(stage, control=control)
    assert f"/deliberations/{following}" in Seen(page.get(f"{path_of(record)}/redeliberate").text).links
    assert page.post(f"{path_of(record)}/redeliberate").headers["location"] == f"/deliberations/{following}"
    assert control.repeated == []


def test_what_is_open_or_has_no_council_is_not_repeated(stage: Stage) -> None:
    page = page_of(stage)
    identity = stage.open()
    answer = page.post(f"/deliberations/{identity}/redeliberate")
    assert answer.status_code == 409
    assert "still proposing" in Seen(answer.text).text
    record = stage.play()
    answer = page.post(f"{path_of(record)}/redeliberate", data={"council": "OPS"})
    assert answer.status_code == 409
    assert "no council for role OPS" in Seen(answer.text).text


def test_cancelling_is_ordered_once_asked_and_names_who_did_it(stage: Stage) -> None:
    control = MemoryDeliberationControl()
    page: TestClient = page_of(stage, control=control)
    identity = stage.open()
    assert "Cancel this deliberation?" in Seen(page.get(f"/deliberations/{identity}/cancel").text).text
    assert control.cancelled == []
    answer = page.post(f"/deliberations/{identity}/cancel", data={"reason": "dropped"})
    assert answer.headers["location"] == f"/deliberations/{identity}"
    assert control.cancelled == [(identity, "cancelled by anonymous: dropped")]


def test_what_has_ended_can_not_be_cancelled(stage: Stage) -> None:
    control = MemoryDeliberationControl()
    page = page_of(stage, control=control)
    record = stage.play()
    assert "It has ended already" in Seen(page.get(f"{path_of(record)}/cancel").text).text
    assert page.post(f"{path_of(record)}/cancel").status_code == 409
    assert page.post("/deliberations/d-0/cancel").status_code == 404
    assert control.cancelled == []
