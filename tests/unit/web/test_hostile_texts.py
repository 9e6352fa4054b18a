"""Texts of agents, plans and engines stay texts: they add no element and no attribute to any page."""

from __future__ import annotations

import pytest

from domain.chat import ChatOutcome, ChatRequest, FailureReason
from domain.deliberation import ReviewRules
from domain.plan import Constraints
from domain.policy import Policy
from tests.support import factories as make
from tests.support.hostile_text import HOSTILE, commands_in
from tests.support.scripted_model import answer, failure
from tests.support.stage import Stage
from tests.support.web import Seen, browser

TEXTS = {
    "plain": "plain",
    "script": "<script>alert(1)</script>",
    "handler": "<img src=x onerror=alert(1)>",
    "attribute": '" onmouseover="alert(1)" x=\'',
    "link": "[x](javascript:alert(1)) <a href='javascript:alert(1)'>x</a>",
    "template": "{{ 7 * 7 }} {% include '/etc/passwd' %} ${7*7} <%= 7 %>",
    "htmx": "<div hx-get='/logout' hx-trigger='load' data-hx-on:load='alert(1)' hx-vals='js:{a:1}'></div>",
    "svg": "<svg onload=alert(1)><style>*{display:none}</style></svg>",
    "closing": "</pre></title></textarea></script><!-- ]]> --><base href=//evil.example>",
    "entities": "&lt;script&gt; &#x3c;script&#x3e; &quot;",
    "hidden": HOSTILE,
    "surrogates": "a\U0001f600 \u2028\u2029 \ufffe",
    "long line": "<b>" + "x" * 90_000,
}


def staged(text: str) -> tuple[Stage, str]:
    """Play a deliberation that has the text in every field that comes from outside, one failure among them."""
    bounded = text[:180].strip()
    personas = tuple(make.agent(f"a{n} {bounded}", persona=f"{n} {text[:3000]}", model=bounded) for n in range(3))
    judges = (make.agent(f"j {bounded}", persona=text[:3000], model=bounded),)
    policy = Policy(model="tiny", judges=1, review=ReviewRules(explain_top=2))
    stage = Stage(make.council(f"R {bounded}", agents=personas), make.council("QA", agents=judges), policy=policy)

    def script(request: ChatRequest, before: int) -> ChatOutcome | None:
        if request.form:
            return None
        if "0/a2" in request.key:
            return failure(request, FailureReason.TIMEOUT).model_copy(update={"detail": text[:2000]})
        return answer(request, f"{text[:30_000]}\n{request.key}", model=bounded, engine=text[:100])

    stage.model.follow(script)
    plan = make.plan(
        title=text[:150_000],
        description=text[:150_000],
        acceptance_criteria=(text[:150_000],),
        plan_id=f"p {text[:400]}",
        story_id=f"s {text[:400]}",
        approved_by=f"b {text[:400]}",
        roles=(f"R {bounded}",),
        notes={"a": text[:1000]},
        constraints=Constraints.model_validate({"rubric": [f"c {text[:80].strip()}", "d"]}),
    )
    record = stage.play(make.plan_request(plan))
    return stage, record.deliberation.deliberation_id


def shapes(stage: Stage, path: str) -> tuple[list[tuple[str, tuple[str, ...]]], str]:
    response = browser(stage).get(path)
    assert response.status_code == 200
    return Seen(response.text).shapes, response.text


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "plain"])
def test_a_text_adds_nothing_to_a_page_but_text(name: str) -> None:
    stage, deliberation_id = staged(TEXTS[name])
    plain_stage, plain_id = staged("plain")
    for path, plain_path in (
        (f"/deliberations/{deliberation_id}", f"/deliberations/{plain_id}"),
        ("/deliberations", "/deliberations"),
        ("/councils", "/councils"),
        ("/councils/edit", "/councils/edit"),
    ):
        found, document = shapes(stage, path)
        expected, _ = shapes(plain_stage, plain_path)
        added = set(found) - set(expected)
        assert added == set(), path
        assert commands_in(document) == []


@pytest.mark.parametrize("name", list(TEXTS))
def test_a_filter_puts_nothing_into_the_page_but_text(name: str) -> None:
    page = browser(Stage(make.council("DEV")))
    text = TEXTS[name][:150]
    response = page.get("/deliberations", params={"text": text, "plan": text, "role": text})
    assert response.status_code == 200
    empty = Seen(page.get("/deliberations", params={"text": "a", "plan": "b", "role": "c"}).text)
    assert set(Seen(response.text).shapes) == set(empty.shapes)


def test_a_proposal_as_text_is_no_page() -> None:
    stage, deliberation_id = staged(TEXTS["script"])
    page = browser(stage)
    links = [
        link for link in Seen(page.get(f"/deliberations/{deliberation_id}").text).links if "/ballots/" in link
    ]
    for link in links:
        response = page.get(link)
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        assert response.headers["x-content-type-options"] == "nosniff"
