"""A council asked as a model, by OpenAI's own client, against a running installation and `conclave web`."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.acceptance.conftest import Pipeline
from tests.support.factories import fresh
from tests.support.web_page import web_page
from workers.processes.ports import free_port
from workers.processes.readiness import wait_until

ROOT = Path(__file__).parents[2]
WITHIN = 180.0
"""Seconds."""


@pytest.fixture(scope="module")
def address(pipeline: Pipeline) -> Iterator[str]:
    port = free_port()
    with pipeline.fleet.add(web_page(port, **pipeline.fleet.env)):
        yield f"127.0.0.1:{port}"


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"http://{address}/v1", api_key="none", timeout=WITHIN) as made:
        yield made


def test_the_commands_of_the_documentation_act(address: str) -> None:
    """Those of "Acting" in docs/page.md, one after the other."""
    section = (ROOT / "docs" / "page.md").read_text().partition("### Acting")[2].partition("###")[0]
    commands = re.findall(r"^    (curl (?:.*\\\n)*.*)", section, re.MULTILINE)
    assert len(commands) == 5

    def run(command: str, identity: str = "") -> Any:
        here = command.replace("127.0.0.1:8400", address).replace("ID", identity, 1).replace("NAME", "scripted")
        done = subprocess.run(["sh", "-c", here], capture_output=True, text=True, timeout=600, check=True)
        return json.loads(done.stdout)

    approve, wait, verdict, redeliberate, cancel = commands
    (asked,) = run(approve.replace("carts-1", key := fresh("key")))["deliberations"]
    decided = run(wait.replace("carts-1", key))
    assert decided["deliberations"] == [asked]
    assert [decision["state"] for decision in decided["decisions"]] == ["decided"]
    identity = asked["deliberation_id"]
    assert run(verdict, identity)["verdict"] == "reject"
    following = run(redeliberate, identity)["deliberation_id"]
    assert following != identity
    assert "ended already" in run(cancel, identity)["error"]


def test_a_council_answers_with_the_winning_proposal(client: OpenAI, pipeline: Pipeline) -> None:
    assert {"council:DEV", "council:QA"} <= {model.id for model in client.models.list()}
    answer = client.chat.completions.create(
        model="council:DEV",
        messages=[
            {"role": "system", "content": "The shop runs on one server."},
            {"role": "user", "content": "How do we keep carts over a restart?"},
        ],
    )
    facts = (answer.model_extra or {})["conclave"]
    record = pipeline.services.deliberations.load(facts["deliberation_id"])
    assert record.closed is not None
    decision = record.closed.decision
    assert decision is not None
    assert answer.choices[0].message.content == decision.decisions[0].proposal.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == decision.usage.completion_tokens > 0
    assert answer.usage.total_tokens == decision.usage.prompt_tokens + decision.usage.completion_tokens
    assert facts["agreement"] == decision.agreement.kendall_w
    assert facts["confidence"] == decision.p_winner
    plan = record.deliberation.plan
    assert plan.title == "How do we keep carts over a restart?"
    assert "The shop runs on one server." in plan.description


def test_a_stream_tells_each_step_as_thoughts_and_then_the_answer(client: OpenAI, pipeline: Pipeline) -> None:
    thoughts, content, usage = "", "", None
    facts: dict[str, Any] = {}
    stream = client.chat.completions.create(
        model="council:QA",
        messages=[{"role": "user", "content": "What do we test?"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    for chunk in stream:
        facts = (chunk.model_extra or {}).get("conclave", facts)
        usage = chunk.usage or usage
        for choice in chunk.choices:
            content += choice.delta.content or ""
            thoughts += (choice.delta.model_extra or {}).get("reasoning_content", "")
    record = pipeline.services.deliberations.load(facts["deliberation_id"])
    assert record.closed is not None
    assert record.closed.decision is not None
    assert content == record.closed.decision.decisions[0].proposal.content
    assert "council QA was asked: agent-1" in thoughts
    assert "agent-1 proposed\n" in thoughts
    assert "agent-1 reviewed\n" in thoughts
    assert usage is not None
    assert usage.completion_tokens > 0


def test_a_wait_ends_and_the_deliberation_goes_on(client: OpenAI, pipeline: Pipeline) -> None:
    with pytest.raises(openai.APIStatusError) as late:
        client.chat.completions.create(
            model="council:DEV", messages=[{"role": "user", "content": "Now?"}], extra_body={"timeout_s": 0.001}
        )
    assert late.value.status_code == 504
    identity = late.value.body["deliberation_id"]  # type: ignore[index]  # a dict, which openai types as object
    assert wait_until(lambda: _decided(pipeline, identity), within=WITHIN)


def _decided(pipeline: Pipeline, identity: str) -> bool:
    try:
        return pipeline.services.deliberations.load(identity).closed is not None
    except LookupError:
        return False


def test_a_council_that_is_not_there_is_a_model_that_is_not_there(client: OpenAI) -> None:
    role = fresh("POET")
    with pytest.raises(openai.NotFoundError, match=f"no council for role {role}"):
        client.chat.completions.create(model=f"council:{role}", messages=[{"role": "user", "content": "Rhyme?"}])
