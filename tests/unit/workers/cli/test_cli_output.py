"""Commands print through one module, and what it prints is harmless in lines as in JSON."""

from __future__ import annotations

import contextlib
import json
import sys
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile_text import HOSTILE, commands_in
from workers.cli.output import complain, print_json, print_json_line, say

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def test_a_line_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"plan {HOSTILE}\nd-1 forged", "second")
    written = capsys.readouterr().out

    assert len(written.splitlines()) == 2
    assert commands_in(written) == []
    assert "\\nd-1 forged\nsecond\n" in written


def test_a_complaint_may_have_lines(capsys: pytest.CaptureFixture[str]) -> None:
    complain(f"two mistakes:\n  {HOSTILE}\n  b")
    written = capsys.readouterr().err

    assert written.startswith("conclave: two mistakes:\n  \\x1b]52;c;")
    assert commands_in(written) == []


def test_on_a_terminal_a_complaint_breaks_between_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = "this machine was too slow for 1 of the answers: set CONCLAVE_POLICY_DEADLINE_S to 1200"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    complain(sentence)
    first, second = capsys.readouterr().err.splitlines()

    assert f"{first} {second}" == f"conclave: {sentence}"
    assert second.startswith("CONCLAVE_POLICY_DEADLINE_S")


def test_json_is_the_value_and_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    value = {HOSTILE: [HOSTILE, "Größe 你好", "\ud800", "\x85\u2028"]}
    print_json(value)
    print_json_line(value)
    whole, line = capsys.readouterr().out.split("}\n")[:2]

    for written in (f"{whole}}}", f"{line}}}"):
        assert json.loads(written) == value
        assert commands_in(written) == []
        assert "Größe 你好" in written


@given(JSON)
def test_any_value_is_read_back_from_its_json(value: object) -> None:
    out = StringIO()
    with contextlib.redirect_stdout(out):
        print_json(value)

    assert json.loads(out.getvalue()) == value
    assert commands_in(out.getvalue()) == []
