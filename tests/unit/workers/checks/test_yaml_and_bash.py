"""YAML and shell code: what people write in documentation parses, and nothing in it is ever run."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.checks.check import CheckResult, PlanFacts
from domain.checks.fenced_code import CAP, FencedCode
from domain.checks.runner import outcome
from workers.checks.bash_parses import BashParses
from workers.checks.yaml_parses import YamlParses

YAML, BASH = YamlParses(), BashParses()


def check(which: FencedCode, code: str, language: str | None = None) -> CheckResult:
    return outcome(which, f"Do:\n\n```{language or which.name}\n{code}\n```", PlanFacts())


@pytest.mark.parametrize(
    ("which", "code"),
    [
        (YAML, "a: 1\nb: [x, y]\n---\nc: |\n  text"),
        (YAML, "Bucket: !Ref Name\nOther: !GetAtt a.b"),
        (YAML, "image: {{ .Values.image }}"),
        (YAML, "base: &base {a: 1}\nuse:\n  <<: *base"),
        (YAML, "- python/object/apply: !!python/object/apply:os.system ['true']"),
        (YAML, ""),
        (BASH, 'set -euo pipefail\nfor f in *.sql; do psql -f "$f"; done'),
        (BASH, "git clone <repository-url>\ncd <folder name>"),
        (BASH, "$ pip install celery\n$ celery -A app worker"),
        (BASH, "cat <<'EOF' > file\ntext\nEOF"),
        (BASH, "curl -s localhost:8080/health | jq .status && echo ok"),
        (BASH, "echo ok\r\nls"),
        (BASH, ""),
    ],
)
def test_code_that_parses_passes(which: FencedCode, code: str) -> None:
    assert check(which, code).passed


@pytest.mark.parametrize(
    ("which", "code"),
    [
        (YAML, "a: b: c"),
        (YAML, "a: [1, 2"),
        (YAML, "a:\n\tkey: value"),
        (YAML, "a: 'open"),
        (BASH, "if [ -f x ]; then echo"),
        (BASH, 'echo "open'),
        (BASH, "for x in a b; echo $x; done"),
        (BASH, "echo )"),
    ],
    ids=range(8),
)
def test_code_that_does_not_parse_caps(which: FencedCode, code: str) -> None:
    found = check(which, code)

    assert (found.passed, found.hard, found.cap) == (False, True, CAP)


@pytest.mark.parametrize("language", ["sh", "shell", "bash"])
def test_the_usual_names_of_the_shell_are_known(language: str) -> None:
    assert not check(BASH, "echo )", language).passed
    assert check(BASH, "echo )", "console").passed


def test_nothing_in_shell_code_is_run(tmp_path: Path) -> None:
    trace = tmp_path / "trace"

    check(BASH, f"set +n\ntouch {trace}\nx=$(touch {trace})\n`touch {trace}`\ntrap 'touch {trace}' EXIT\nexit 0")

    assert not trace.exists()


def test_an_environment_that_tells_bash_to_run_a_file_is_not_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace, script = tmp_path / "trace", tmp_path / "env"
    script.write_text(f"touch {trace}\n")
    monkeypatch.setenv("BASH_ENV", str(script))

    assert check(BASH, "echo ok").passed
    assert not trace.exists()


def test_no_object_is_made_from_yaml(tmp_path: Path) -> None:
    trace = tmp_path / "trace"

    assert check(YAML, f"!!python/object/apply:os.system ['touch {trace}']").passed
    assert not trace.exists()


def test_aliases_are_not_multiplied() -> None:
    laughs = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40))

    assert check(YAML, f"a0: &a0 lol\n{laughs}").passed


@pytest.mark.parametrize("deep", ["[" * 5_000, "- " * 5_000 + "x"])
def test_yaml_that_is_nested_too_deeply_is_not_judged(deep: str) -> None:
    assert not check(YAML, deep).judged


def test_without_bash_nothing_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    found = check(BashParses(), "echo )")

    assert (found.judged, found.passed) == (False, True)
    assert found.reason == "not judged: there is no bash on this machine"


def test_a_shell_that_cannot_be_started_has_not_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "bash"
    broken.write_text("not a program")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert not check(BashParses(), "echo )").judged


def test_a_shell_that_is_killed_has_not_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = tmp_path / "bash"
    killed.write_text("#!/bin/sh\nkill -9 $$\n")
    killed.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert not check(BashParses(), "echo )").judged
