"""`conclave mcp` against a running installation, used by the protocol's own client."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import CallToolResult, TextContent

from tests.acceptance.conftest import Pipeline
from tests.support.factories import fresh

WITHIN = 120.0
"""Seconds for one call."""
Use = Callable[[Callable[[Client], Awaitable[None]]], None]
HIDDEN = "Add a health\u202e endpoint\u200b"


@pytest.fixture
def use(pipeline: Pipeline, tmp_path: Path) -> Use:
    """Run a scenario with a client whose server is the command; a line that is no message fails it."""
    env = {name: value for name, value in pipeline.fleet.env.items() if name != "CONCLAVE_STATE"}
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "workers.cli", "mcp", "--user", "ada"],
        env={**env, "CONCLAVE_STATE": str(tmp_path / "state")},
    )

    async def connected(scenario: Callable[[Client], Awaitable[None]]) -> tuple[BaseException | None]:
        with (tmp_path / "stderr").open("w") as errors:
            async with Client(stdio_client(server, errlog=errors), read_timeout_seconds=WITHIN) as client:
                return await asyncio.gather(scenario(client), return_exceptions=True)

    def run(scenario: Callable[[Client], Awaitable[None]]) -> None:
        # Raised here, where no group of exceptions is made of it.
        for failure in asyncio.run(connected(scenario)):
            if failure is not None:
                raise failure

    return run


def sentence(result: CallToolResult) -> str:
    """Return the one text of a call that failed."""
    assert result.is_error
    (content,) = result.content
    assert isinstance(content, TextContent)
    text: str = content.text
    return text.partition(": ")[2]  # the SDK begins it with the tool's name


def structured(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    content: dict[str, Any] = result.structured_content
    return content


def test_an_agent_asks_a_council_follows_it_and_judges_its_decision(use: Use) -> None:
    async def scenario(client: Client) -> None:
        steps: list[str] = []

        async def step(progress: float, total: float | None, message: str | None) -> None:
            steps.append(message or "")

        asked = {
            "role": "dev",
            "question": "How?",
            "title": HIDDEN,
            "acceptance_criteria": ["It answers in 10 ms."],
        }
        answer = structured(await client.call_tool("ask_council", asked, progress_callback=step))
        assert (answer["state"], answer["role"]) == ("decided", "DEV")
        assert answer["title"] == r"Add a health\u202e endpoint\u200b"
        assert answer["answer"]
        assert answer["proposals"][0]["rank"] == 1
        assert answer["usage"]["completion_tokens"] > 0
        assert any(line.startswith("council DEV was asked: agent-1") for line in steps)
        assert any(line.startswith("decided: ") for line in steps)
        assert sum(line.endswith(" proposed") for line in steps) == len(answer["proposals"])

        identity = answer["deliberation_id"]
        second = answer["proposals"][1]["agent_id"]
        verdict = {"deliberation_id": identity, "verdict": "prefer", "proposal": second, "reason": "it is simpler"}
        judged = structured(await client.call_tool("judge_decision", verdict))
        assert (judged["by"], judged["verdict"]) == ("ada", "prefer")
        shown = structured(await client.call_tool("get_decision", {"deliberation_id": identity}))
        assert [said["reason"] for said in shown["verdicts"]] == ["it is simpler"]
        assert shown | {"verdicts": []} == answer

        rows = structured(await client.call_tool("list_decisions", {"role": "DEV", "text": identity}))["decisions"]
        assert [(row["deliberation_id"], row["state"]) for row in rows] == [(identity, "decided")]

    use(scenario)


def test_tools_describe_themselves(use: Use) -> None:
    async def scenario(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"ask_council", "get_decision", "list_decisions", "list_councils", "judge_decision"}
        assert all(tool.description and tool.output_schema for tool in tools.values())
        assert set(tools["ask_council"].input_schema["required"]) == {"role", "question"}
        councils = structured(await client.call_tool("list_councils"))["councils"]
        assert {"DEV", "QA"} <= {council["role"] for council in councils}
        assert "no instructions" in (client.instructions or "")

    use(scenario)


def test_what_can_not_be_done_is_said_in_a_sentence(use: Use) -> None:
    async def scenario(client: Client) -> None:
        role = fresh("POET")
        unknown = await client.call_tool("ask_council", {"role": role, "question": "Rhyme?"})
        assert sentence(unknown).startswith(f"no council for role {role}")
        missing = await client.call_tool("get_decision", {"deliberation_id": "d-none"})
        assert sentence(missing).startswith("there is no deliberation d-none")
        late = await client.call_tool("ask_council", {"role": "QA", "question": "When?", "timeout_s": 0.001})
        assert "was not decided within 0.001 s; it goes on" in sentence(late)
        judged = await client.call_tool("judge_decision", {"deliberation_id": "d-none", "verdict": "accept"})
        assert "no deliberation d-none" in sentence(judged)
        decided = structured(await client.call_tool("ask_council", {"role": "DEV", "question": "Which of two?"}))
        nothing = {"deliberation_id": decided["deliberation_id"], "verdict": "prefer"}
        invalid = await client.call_tool("judge_decision", nothing)
        assert "must name what is preferred" in sentence(invalid)

    use(scenario)


def test_servers_that_are_away_are_said_in_a_sentence(pipeline: Pipeline) -> None:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "workers.cli", "mcp", "--user", "ada"],
        env=pipeline.fleet.env | {"CONCLAVE_NATS_URL": "nats://127.0.0.1:9"},
    )

    async def scenario() -> CallToolResult:
        async with Client(server, read_timeout_seconds=WITHIN) as client:
            return await client.call_tool("ask_council", {"role": "DEV", "question": "Who is there?"})

    assert sentence(asyncio.run(scenario())).startswith("NATS at nats://127.0.0.1:9 ")


def test_it_ends_with_its_input_and_prints_nothing_by_itself(pipeline: Pipeline) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workers.cli", "mcp"],
        env=pipeline.fleet.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=WITHIN,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"")
