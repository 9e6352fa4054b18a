"""What the shipped logins `client` and `observer` are enough for: MCP, and a council behind OpenAI's API."""

from __future__ import annotations

import asyncio
import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from mcp import Client, StdioServerParameters
from openai import AuthenticationError, OpenAI

from tests.support.fleet import Service
from tests.support.shipped import WITHIN, Installation, shipped_installation
from workers.processes.command import ProcessCommand
from workers.processes.guard import Guard
from workers.processes.ports import free_port
from workers.processes.readiness import http_answers

COMMAND = (sys.executable, "-m", "workers.cli")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[Installation]:
    with shipped_installation(tmp_path_factory.mktemp("programs"), guard) as found:
        yield found


@pytest.fixture
def environment(installation: Installation, tmp_path: Path) -> dict[str, str]:
    """The store as its observer, NATS as a client."""
    return {
        "CONCLAVE_REDIS_URL": installation.compose.environment("web")["CONCLAVE_REDIS_URL"],
        "CONCLAVE_NATS_URL": installation.nats.url_of("client"),
        "CONCLAVE_STATE": str(tmp_path / "state"),
    }


def test_agents_ask_and_judge(environment: dict[str, str]) -> None:
    server = StdioServerParameters(
        command=COMMAND[0], args=[*COMMAND[1:], "mcp", "--user", "ada"], env=environment
    )

    async def scenario() -> tuple[dict[str, str], dict[str, str]]:
        async with Client(server, read_timeout_seconds=WITHIN) as client:
            asked = await client.call_tool("ask_council", {"role": "DEV", "question": "How?"})
            answer = asked.structured_content or {}
            verdict = {"deliberation_id": answer.get("deliberation_id", ""), "verdict": "accept"}
            return answer, (await client.call_tool("judge_decision", verdict)).structured_content or {}

    answer, verdict = asyncio.run(scenario())
    assert answer["state"] == "decided"
    assert verdict["verdict"] == "accept"


def test_chat_programs_ask_a_page_with_a_login_by_a_token(
    environment: dict[str, str], installation: Installation, guard: Guard, tmp_path: Path
) -> None:
    create = (*COMMAND, "token", "create", "chat", "--right", "read", "--right", "approve")
    token = installation.run("control-worker", create).strip()
    environment["CONCLAVE_WEB_USERS"] = json.dumps({"ada": PasswordHasher().hash("open sesame")})
    port = free_port()
    ready = http_answers(f"http://127.0.0.1:{port}/healthz")
    command = ProcessCommand("web", (*COMMAND, "web", "--port", str(port)), environment, ready=ready)
    with (
        Service(command, folder=tmp_path, guard=guard),
        OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=token, timeout=WITHIN) as client,
    ):
        answer = client.chat.completions.create(
            model="council:DEV", messages=[{"role": "user", "content": "How?"}]
        )
        assert answer.choices[0].message.content
        body = '{"model": "council:DEV", "stream": true, "messages": [{"role": "user", "content": "How?"}]}'
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        asked = urllib.request.Request(url, body.encode(), {"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(asked, timeout=WITHIN) as streamed:
            assert streamed.read().decode().rstrip().endswith("data: [DONE]")
        stranger = client.with_options(api_key=f"{token}x")
        with pytest.raises(AuthenticationError, match="unknown, revoked or expired"):
            stranger.models.list()
