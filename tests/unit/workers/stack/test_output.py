"""What `conclave up` prints of its processes' logs: their colours, and nothing else that a terminal obeys."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from tests.support.hostile_text import HOSTILE, commands_in
from workers.printer import Printer
from workers.processes.log_file import LogFile
from workers.stack.output import Output


def test_a_line_keeps_its_colours_only(tmp_path: Path) -> None:
    out = StringIO()
    output = Output(Printer(file=out, width=400, force_terminal=True, color_system="truecolor"))
    log = LogFile(tmp_path / "bridge.log")
    output.follow({"bridge": log})
    without_colours = HOSTILE.replace("\x1b[38;5;199;7m", "").replace("\x0b\x0c", "")
    with log.begin() as written:
        written.write(f"\x1b[31mred\x1b[0m {without_colours}\n".encode())
    output.show()
    output.report("bridge", HOSTILE)

    assert commands_in(out.getvalue()) == []
    assert "\x1b[31mred\x1b[0m" in out.getvalue()
    assert out.getvalue().count("evil.example") == 4
