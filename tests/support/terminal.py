"""Commands on a pseudo-terminal, as people run them."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass

COLUMNS = 160


@dataclass(frozen=True)
class Shown:
    """What a command sent to its terminal, and how it ended."""

    output: str
    exit_code: int


def on_terminal(*arguments: str) -> Shown:
    """Run a command with a terminal of 160 columns for its input, output and errors."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    process = subprocess.Popen(
        [sys.executable, "-m", "workers.cli", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    )
    os.close(theirs)
    try:
        output = b"".join(iter(lambda: _read(ours), b""))
    finally:
        os.close(ours)
        exit_code = process.wait()
    return Shown(output.decode(), exit_code)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says EIO when the last process has closed its end
        return b""
