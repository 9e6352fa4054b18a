"""Code that does not parse caps a proposal; code that people would accept does not."""

from __future__ import annotations

import pytest

from domain.checks.check import CheckResult, PlanFacts
from domain.checks.fenced_code import CAP, LONGEST, MOST, FencedCode
from domain.checks.json_parses import JsonParses
from domain.checks.python_parses import PythonParses
from domain.checks.runner import outcome
from domain.checks.toml_parses import TomlParses

PYTHON, JSON, TOML = PythonParses(), JsonParses(), TomlParses()


def check(tested: FencedCode, *blocks: str, language: str | None = None) -> CheckResult:
    fences = [f"```{language or tested.name}\n{block}\n```" for block in blocks]
    return outcome(tested, "Steps:\n\n" + "\n\nthen\n\n".join(fences), PlanFacts())


@pytest.mark.parametrize(
    ("tested", "code"),
    [
        (PYTHON, "def f(x: int) -> int:\n    return x"),
        (PYTHON, "    indented = 1\n    as_in_a_list = 2"),
        (PYTHON, "return early"),
        (PYTHON, "await client.get(url)"),
        (PYTHON, "def f():\n    ..."),
        (PYTHON, ">>> 1 + 1\n2\n>>> for x in y:\n...     print(x)\n..."),
        (PYTHON, "!pip install celery\n%time f()"),
        (PYTHON, "total = (a\n  % b)"),
        (PYTHON, 'pattern = "\\d+"'),
        (PYTHON, ""),
        (JSON, '{"a": [1, 2.5, null, "\\u00e9"]}'),
        (JSON, "[]"),
        (TOML, '[a]\nb = 1\nc = "x"\nd = 2026-01-31T12:00:00Z'),
        (TOML, ""),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid escape sequence")
def test_code_that_parses_passes(tested: FencedCode, code: str) -> None:
    result = check(tested, code)

    assert (result.passed, result.score) == (True, 1.0)


@pytest.mark.parametrize(
    ("tested", "code"),
    [
        (PYTHON, "def f(:"),
        (PYTHON, "if x\n    y"),
        (PYTHON, "for each user: send mail"),
        (PYTHON, "print 'hello'"),
        (PYTHON, "(" * 300),
        (PYTHON, "9" * 5_000),
        (JSON, "{'a': 1}"),
        (JSON, '{"a": 1,}'),
        (JSON, '{"a": NaN}'),
        (JSON, "// comment\n{}"),
        (JSON, ""),
        (TOML, "a = "),
        (TOML, "a = 1\na = 2"),
    ],
    ids=range(13),
)
def test_code_that_does_not_parse_caps(tested: FencedCode, code: str) -> None:
    result = check(tested, code)

    assert (result.passed, result.hard, result.cap, result.score) == (False, True, CAP, 0.0)


def test_one_broken_block_of_three_is_counted_and_located() -> None:
    result = check(JSON, "[]", "{", "{}")

    assert result.score == pytest.approx(0.6667)
    assert result.reason == "1 of 3 blocks broken, the first in line 9; capped at 0.5"


def test_code_of_another_language_or_none_is_not_tried() -> None:
    assert check(PYTHON, "x = = 1", language="ruby").passed
    assert check(JSON, "{ // fine here\n}", language="jsonc").passed
    assert PYTHON.run("def broken(: is mentioned in prose", PlanFacts()).reason == "nothing to try"


def test_hidden_characters_break_nobodys_code() -> None:
    assert check(PYTHON, "x = 1\u200b\ufeff").passed


def test_what_is_too_long_or_too_much_is_not_judged() -> None:
    assert not check(JSON, "{" * (LONGEST + 1)).judged
    assert not check(JSON, f'"{"a" * (LONGEST - 100)}"', "{" + " " * 100).judged
    assert not check(JSON, *["[]"] * MOST, "{").judged
    assert not check(JSON, *["[]"] * (MOST - 1), "{").passed


@pytest.mark.parametrize(
    ("tested", "deep"),
    [
        (JSON, "[" * 9_000 + "]" * 9_000),
        (JSON, "[" * 15_000),
        (TOML, "a = " + "[" * 15_000),
        (PYTHON, "-" * 15_000 + "1"),
        (PYTHON, "x" + ".a" * 9_000),
    ],
    ids=range(5),
)
def test_what_is_nested_too_deeply_for_the_parser_is_not_judged(tested: FencedCode, deep: str) -> None:
    found = check(tested, deep)

    assert (found.judged, found.passed) == (False, True)
    assert found.reason == "not judged: a block is nested too deeply to be read"


def test_a_block_that_can_be_told_to_be_broken_caps_whatever_stands_beside_it() -> None:
    found = check(JSON, "{", "[" * 9_000, "{" * (LONGEST + 1))

    assert (found.judged, found.passed, found.cap) == (True, False, CAP)


def test_numbers_of_any_length_are_json() -> None:
    assert check(JSON, "9" * 15_000).passed
    assert check(JSON, "1e" + "9" * 15_000).passed


def test_a_reason_quotes_nothing_of_the_code() -> None:
    assert "hunter2" not in check(PYTHON, "password = = 'hunter2'").reason
