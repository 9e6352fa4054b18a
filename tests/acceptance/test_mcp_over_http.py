"""The tools at a running page's /mcp, by tokens, used by the protocol's own client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx2
import pytest
from argon2 import PasswordHasher
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult

from domain.access_token import AccessToken, digest_of
from domain.rights import ALL, Right
from tests.acceptance.conftest import Pipeline
from tests.support.web_page import web_page
from workers.processes.ports import free_port
from workers.settings import Settings
from workers.store_ports import StorePorts

WITHIN = 120.0
"""Seconds for one call."""
JUDGE, ANY = "a token that judges", "a token with all rights"


@pytest.fixture(scope="module")
def url(pipeline: Pipeline) -> Iterator[str]:
    """The address of the tools of a page that asks for a login."""
    port = free_port()
    users = json.dumps({"ada": PasswordHasher().hash("open sesame")})
    tokens = StorePorts(Settings.model_validate({"redis_url": pipeline.fleet.env["CONCLAVE_REDIS_URL"]}))
    for name, text, rights in (("judge", JUDGE, frozenset({Right.JUDGE})), ("agent", ANY, ALL)):
        kept = AccessToken(name=name, digest=digest_of(text), rights=rights, created_at=0.0)
        tokens.access_tokens.save(kept)
    with pipeline.fleet.add(web_page(port, **pipeline.fleet.env, CONCLAVE_WEB_USERS=users)):
        yield f"http://127.0.0.1:{port}/mcp"


def use(url: str, scenario: Callable[[Client], Awaitable[None]], **headers: str) -> None:
    async def connected() -> None:
        async with (
            httpx2.AsyncClient(headers=headers, timeout=WITHIN) as http,
            Client(streamable_http_client(url, http_client=http), read_timeout_seconds=WITHIN) as client,
        ):
            await scenario(client)

    asyncio.run(connected())


def structured(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    content: dict[str, Any] = result.structured_content
    return content


def test_an_agent_asks_a_council_follows_it_and_judges_under_its_tokens_name(url: str, pipeline: Pipeline) -> None:
    async def scenario(client: Client) -> None:
        steps: list[str] = []

        async def step(progress: float, total: float | None, message: str | None) -> None:
            steps.append(message or "")

        asked = {"role": "DEV", "question": "How?"}
        answer = structured(await client.call_tool("ask_council", asked, progress_callback=step))
        assert answer["state"] == "decided"
        assert any(line.startswith("council DEV was asked: agent-1") for line in steps)
        assert any(line.startswith("decided: ") for line in steps)
        identity = answer["deliberation_id"]
        assert pipeline.services.deliberations.load(identity).deliberation.plan.approved_by == "agent"
        verdict = {"deliberation_id": identity, "verdict": "accept"}
        assert structured(await client.call_tool("judge_decision", verdict))["by"] == "agent"

    use(url, scenario, Authorization=f"Bearer {ANY}")


def test_a_token_that_judges_asks_nothing(url: str) -> None:
    async def scenario(client: Client) -> None:
        refused = await client.call_tool("ask_council", {"role": "DEV", "question": "How?"})
        assert refused.is_error
        assert "needs the right to approve, which judge does not have" in str(refused.content)

    use(url, scenario, Authorization=f"Bearer {JUDGE}")


def test_with_a_wrong_token_no_client_connects(url: str) -> None:
    reached: list[Client] = []

    async def scenario(client: Client) -> None:
        reached.append(client)

    with pytest.raises(Exception, match=r"."):
        use(url, scenario, Authorization="Bearer wrong")
    assert not reached
