"""A process's log as its supervisor reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.processes import log_file as log_module
from workers.processes.log_file import LogFile


@pytest.fixture
def log(tmp_path: Path) -> LogFile:
    return LogFile(tmp_path / "logs" / "bridge.log")


def test_a_log_that_was_never_written_is_empty(log: LogFile) -> None:
    assert log.text() == ""
    assert log.tail() == []
    assert log.fresh_lines() == []


def test_only_the_present_life_is_read(log: LogFile) -> None:
    with log.begin() as output:
        output.write(b"first life\n")
    with log.begin() as output:
        output.write(b"second life\n")
    assert log.text() == "second life\n"


def test_the_tail_leaves_out_blank_lines(log: LogFile) -> None:
    with log.begin() as output:
        output.write(b"one\n\ntwo\n   \nthree\n")
    assert log.tail(2) == ["two", "three"]


def test_the_end_of_a_long_text_is_kept(log: LogFile) -> None:
    with log.begin() as output:
        output.write(b"x" * 100 + b"end")
    assert log.text(limit=5) == "xxend"


def test_lines_are_followed_over_lives_and_only_when_complete(log: LogFile) -> None:
    with log.begin() as output:
        output.write(b"one\ntw")
        assert log.fresh_lines() == ["one"]
        output.write(b"o\n")
    with log.begin() as output:
        output.write(b"three\n")
    assert log.fresh_lines() == ["two", "three"]
    assert log.fresh_lines() == []


def test_bytes_that_are_no_text_are_shown_as_such(log: LogFile) -> None:
    with log.begin() as output:
        output.write(b"\xff\xfe\n")
    assert log.fresh_lines() == ["\ufffd\ufffd"]


def test_a_long_file_is_kept_aside_and_followed_from_its_new_start(log: LogFile) -> None:
    with log.begin() as output:
        output.write(b"x" * (log_module.KEEP_BYTES + 1) + b"\nthe error\n")
        assert len(log.fresh_lines()) == 2
        log.rotate()
        output.write(b"after\n")
        log.rotate()
    assert log.fresh_lines() == ["after"]
    assert log.text() == "after\n"
    assert log.path.with_name("bridge.log.1").read_text().endswith("\nthe error\n")


def test_the_log_of_an_earlier_run_is_kept_aside(log: LogFile) -> None:
    with log.begin() as output:
        output.write(b"yesterday\n")
    log.set_aside()
    assert log.fresh_lines() == []
    assert log.path.with_name("bridge.log.1").read_text() == "yesterday\n"
