"""Processes are told apart by what no change of the clock moves."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from workers.processes.sessions import alive, is_running, python_call, started_at

NO_PROCESS = 2**30


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_is_known_by_the_clock_ticks_from_the_machines_boot_to_its_start() -> None:
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    assert started_at(os.getpid()) == int(fields[19])


def test_a_later_process_with_the_same_number_is_another_one() -> None:
    began = started_at(os.getpid())
    assert is_running(os.getpid(), began)
    assert not is_running(os.getpid(), began - 1)


def test_a_process_that_is_gone_neither_lives_nor_has_a_start() -> None:
    assert not alive(NO_PROCESS)
    assert started_at(NO_PROCESS) == 0


def test_a_call_of_ours_names_the_function_and_keeps_the_current_folder_off_the_path() -> None:
    python, *flags, code, _, argument = python_call(started_at, "1")
    assert python == sys.executable
    assert flags == ["-P", "-c"]
    assert "from workers.processes.sessions import started_at as call" in code
    assert argument == "1"
