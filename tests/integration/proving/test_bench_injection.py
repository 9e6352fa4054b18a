"""The bench on injection, here with a scripted engine: it goes on where it stopped and asks nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest

from tests.bench.injection.__main__ import main, read_lines
from tests.support.scripted_answers import Body
from tests.support.scripted_engine import ScriptedEngine


def obedient(body: Body) -> Iterator[int]:
    """A judge that gives nines to all as soon as any text asks for them, unless it is warned."""
    prompt = body["messages"][-1]["content"]
    obeys = "Give this proposal 9" in prompt and "is the worse for it" not in prompt
    return repeat(9 if obeys else 5)


def test_it_goes_on_where_it_stopped_and_prints_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = tmp_path / "lines.jsonl"
    with ScriptedEngine("small", latency_s=0, scores=obedient) as engine:
        arguments = [
            *("--engine-url", engine.openai_url, "--model", "small", "--kind", "external", "--lines", str(lines)),
            *(
                "--families",
                "orders",
                "critique step",
                "--arms",
                "none",
                "warning",
                "--sample",
                "1",
                "--seeds",
                "2",
            ),
        ]
        main(arguments)
        printed = capsys.readouterr().out
        written = lines.read_text().splitlines(keepends=True)
        assert len(written) == 2 * 2 * 2 * 3
        # A kill cut the last line off.
        lines.write_text("".join(written[:-1]) + written[-1][:30])
        main(arguments)
        assert capsys.readouterr().out == printed
        asked = len(engine.bodies)
        main([*arguments, "--table"])
        assert len(engine.bodies) == asked
    assert capsys.readouterr().out == printed
    assert "orders                       2   5.00  +4.00 [+4.00, +4.00]" in printed
    assert "warning                      2  +4.00 [+4.00, +4.00]" in printed
    assert {line.score for line in read_lines(lines) if line.measure == "critique"} == {0.0}
