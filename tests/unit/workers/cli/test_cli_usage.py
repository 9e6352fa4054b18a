"""Exit codes and sentences of commands that can't do what they are asked; no server is needed for these."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.main import get_command

from tests.support.commands import run, sentence
from workers.cli.main import app


@pytest.fixture(autouse=True)
def _nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONCLAVE_STATE", str(tmp_path / "state"))


def every_command() -> list[list[str]]:
    def below(command: object, path: list[str]) -> list[list[str]]:
        found = getattr(command, "commands", {})
        return [path] + [one for name, sub in found.items() for one in below(sub, [*path, name])]

    return below(get_command(app), [])


@pytest.mark.parametrize("path", every_command(), ids=" ".join)
def test_every_command_explains_itself(path: list[str]) -> None:
    result = run(*path, "--help")
    assert result.exit_code == 0
    assert f"Usage: conclave {' '.join(path)}".strip() in result.stdout.replace("root", "conclave")


@pytest.mark.parametrize("path", every_command(), ids=" ".join)
def test_its_help_cuts_no_name_on_a_terminal_of_80_columns(
    path: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERMINAL_WIDTH", "80")
    assert [line for line in run(*path, "--help").stdout.splitlines() if "…" in line] == []


def test_the_version_is_the_packages() -> None:
    from importlib.metadata import version

    assert run("--version").stdout == f"conclave {version('conclave-council')}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("council", "apply", "--nonsense"),
        ("deliberation", "show"),
        ("up", "--nats-port", "0"),
        ("deliberation", "list", "--limit", "x"),
        ("prove", "--check-seconds", "nan"),
    ],
)
def test_wrong_usage_is_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("council", "apply"), "name one file"),
        (("council", "apply", "missing.yaml"), "missing.yaml can't be read: No such file"),
        (("council", "apply", "x.yaml", "--default"), "name one file"),
        (("approve", "missing.json"), "missing.json can't be read"),
        (("approve", "."), "can't be read"),
        (("demo", "--role", "CHEF"), "the shipped councils have no CHEF"),
        (("demo", "--plan", "missing.json"), "missing.json can't be read"),
        (("worker", "--control", "--gpu", "0"), "a control worker has no engine"),
    ],
)
def test_unusable_input_is_2_with_one_sentence(arguments: tuple[str, ...], words: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in sentence(result)


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    latin = tmp_path / "latin.json"
    latin.write_bytes(b'{"title": "Gr\xfc\xdfe"}')
    assert "not UTF-8 at byte" in sentence(run("approve", str(latin)))


def test_down_where_nothing_runs_says_so() -> None:
    result = run("down")
    assert result.exit_code == 0
    assert result.stdout.startswith("no stack runs in ")


def test_a_state_folder_that_is_a_file_is_1(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("up", "--state", str(tmp_path / "file"))
    assert result.exit_code == 1
    assert "can't be used" in sentence(result)


@pytest.mark.parametrize("path", every_command(), ids=" ".join)
def test_a_flag_has_no_value_in_the_help(path: list[str]) -> None:
    assert "bool" not in run(*path, "--help").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--threshold", "nan"), "--threshold takes a number, not nan"),
        (("--threshold", "inf"), "--threshold takes a number, not inf"),
        (("--save-baseline", "no/such/folder/baseline.json"), "can't be written: No such file"),
        (("--save-baseline", "."), "can't be written: Is a directory"),
    ],
)
def test_a_goal_that_nothing_can_miss_or_keep_is_refused_before_the_proof(
    arguments: tuple[str, ...], words: str
) -> None:
    result = run("prove", *arguments)
    assert result.exit_code == 2
    assert words in sentence(result)


def test_a_baseline_that_can_be_written_is_not_made_before_its_proof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONCLAVE_REDIS_URL", "redis://127.0.0.1:9")
    assert run("prove", "--save-baseline", str(tmp_path / "baseline.json")).exit_code == 1
    assert not (tmp_path / "baseline.json").exists()
