"""The demo's bench against the scripted engine: what it writes, and that it goes on where it stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.demo.__main__ import main
from tests.bench.demo.trial import Line
from tests.support.scripted_engine import ScriptedEngine
from workers.engines.llama_server import DEFAULT_MODEL
from workers.proving.line_file import LineFile


def test_each_seed_is_tried_once_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lines.jsonl"
    with ScriptedEngine(DEFAULT_MODEL, latency_s=0) as engine:
        arguments = ["--engine-url", engine.openai_url, "--seeds", "2", "--lines", str(path)]
        main(arguments)
        printed = capsys.readouterr().out
        main(arguments)
        assert capsys.readouterr().out == printed
    lines = [Line.model_validate(line) for line in LineFile(path).read()]
    assert [line.seed for line in lines] == [0, 1]
    assert all(len(line.texts) == 3 for line in lines)
    assert lines[0].texts != lines[1].texts
    # The scripted engine's texts say "step." again and again.
    assert not any(line.readable for line in lines)
    assert "| demo_plan, pointwise, second look | 2 | 0 |" in printed
