"""A deliberation links to its tasks and its trace where settings say where these are."""

from __future__ import annotations

import pytest

from domain.identity import generate_task_id
from tests.support import factories as make
from web.elsewhere import elsewhere
from web.options import WebOptions

TRACED = make.deliberation(traceparent=f"00-{'a' * 32}-{'b' * 16}-01")


def test_links_lead_to_the_tasks_and_the_trace() -> None:
    options = WebOptions(flower_url="http://h:5555/", trace_url="http://j/t/{trace_id}?x=1")
    links = elsewhere(TRACED, options)
    agent = TRACED.agents[0].agent_id
    assert links.tasks[agent] == f"http://h:5555/task/{generate_task_id(TRACED.deliberation_id, 0, agent)}"
    assert links.trace == f"http://j/t/{'a' * 32}?x=1"


def test_without_settings_or_a_trace_there_are_none() -> None:
    links = elsewhere(TRACED, WebOptions())
    assert (links.tasks, links.conclusion, links.trace) == ({}, "", "")
    assert elsewhere(make.deliberation(), WebOptions(trace_url="http://j/{trace_id}")).trace == ""


@pytest.mark.parametrize(
    "options",
    [{"flower_url": "javascript:alert(1)"}, {"trace_url": "http://j/"}, {"trace_url": "data:{trace_id}"}],
)
def test_what_is_no_address_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="pattern"):
        WebOptions.model_validate(options)
