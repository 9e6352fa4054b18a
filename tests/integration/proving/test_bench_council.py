"""The bench on small models, here with a scripted engine: it goes on where it stopped and asks nothing twice."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.bench.council.__main__ import main
from tests.support.scripted_answers import Body
from tests.support.scripted_engine import ScriptedEngine

ROWS = [
    {
        "task_id": f"HumanEval/{number}",
        "prompt": f'def double(x):\n    return 2 * x\n\ndef f{number}(x):\n    """Add {number} to twice x."""\n',
        "entry_point": f"f{number}",
        "test": f"def check(candidate):\n    assert candidate(1) == double(1) + {number}\n",
    }
    for number in (1, 2)
]


def answer(body: Body) -> str:
    """Authors 1 and 2 are right."""
    number = 1 if "f1" in body["messages"][-1]["content"] else 2
    added = number if body["seed"] <= 2 else 7
    return f"```python\ndef f{number}(x):\n    return 2 * x + {added}  # author {body['seed']}\n```"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "HumanEval.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, ROWS)).encode()))
    return path


def test_it_goes_on_where_it_stopped_and_prints_the_table(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "bench"
    with ScriptedEngine("small", latency_s=0, text=answer) as small, ScriptedEngine("large", latency_s=0) as large:
        arguments = [
            *("--human-eval", str(data), "--folder", str(folder), "--tasks", "2"),
            *("--author-url", small.openai_url, "--author-model", "small"),
            *("--judge-url", large.openai_url, "--judge-model", "large"),
        ]
        main([*arguments, "--proposals"])
        assert "no decision" in capsys.readouterr().out
        proposals = (folder / "proposals.jsonl").read_text().splitlines(keepends=True)
        assert len(proposals) == 10
        # A kill cut the last line off.
        (folder / "proposals.jsonl").write_text("".join(proposals[:-1]) + proposals[-1][:50])
        main(arguments)
        printed = capsys.readouterr().out
        asked = len(small.bodies), len(large.bodies)
        main([*arguments, "--table"])
        assert (len(small.bodies), len(large.bodies)) == asked
    assert capsys.readouterr().out in printed
    assert "2 of 2 tasks have right and wrong proposals" in printed
    for rule in (
        "first agent",
        "one reviewer of small",
        "one reviewer of large",
        "council",
        "oracle",
        "recovered gap",
    ):
        assert rule in printed
    outcomes = [json.loads(line) for line in (folder / "outcomes.jsonl").read_text().splitlines()]
    assert [[text["right"] for text in one["proposals"]] for one in outcomes] == [
        [True, True, False, False, False]
    ] * 2
    assert all("QA/judge-1" in one["scores"] for one in outcomes)
