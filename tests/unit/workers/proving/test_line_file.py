"""A file of lines survives being cut off."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.proving.line_file import LineFile


def test_what_was_appended_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "results.jsonl"
    assert LineFile(path).read() == []
    LineFile(path).append({"text": "Grüße\u2028, \ud800"})
    LineFile(path).append([1, 2])
    assert LineFile(path).read() == [{"text": "Grüße\u2028, \ud800"}, [1, 2]]


@pytest.mark.parametrize("kept", range(1, 12))
def test_a_line_that_a_kill_cut_off_is_written_anew(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "results.jsonl"
    LineFile(path).append({"a": 1})
    LineFile(path).append({"bcd": 22})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - kept])
    assert LineFile(path).read() == [{"a": 1}]
    LineFile(path).append({"e": 3})
    assert LineFile(path).read() == [{"a": 1}, {"e": 3}]


def test_a_file_of_something_else_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not JSON\n")
    with pytest.raises(ValueError, match="Expecting value"):
        LineFile(path).read()
