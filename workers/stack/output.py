"""What `conclave up` prints: what happens to every process, and where asked for its lines, behind its name."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping, Sequence

from domain.text.visible import escaped
from workers.printer import PlainText, Printer
from workers.processes.log_file import LogFile

_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "bright_cyan", "bright_yellow", "bright_green")


class Output:
    """Prints log lines and reports, one thread at a time."""

    def __init__(self, console: Printer) -> None:
        self._console = console
        self._logs: Mapping[str, LogFile] = {}
        self._colours: dict[str, str] = {}
        self._width = len("stack")
        self._turn = threading.Lock()

    def follow(self, logs: Mapping[str, LogFile], *, shown: bool = True) -> None:
        """Take these processes, and their logs for what `show` prints unless they are not to be shown."""
        self._logs = logs if shown else {}
        self._colours = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(logs)}
        self._width = max(map(len, (*logs, "stack")))

    def show(self) -> None:
        """Print what the processes have written since the last call; on a terminal in their own colours."""
        for name, log in self._logs.items():
            for line in log.fresh_lines():
                self._print(name, PlainText.assemble(PlainText.from_ansi(_coloured(line))))

    def report(self, name: str, event: str) -> None:
        """Print what happened to a process, or to the stack."""
        self._print(name, PlainText(event, "bold"))

    def say(self, lines: Sequence[str]) -> None:
        """Print lines of the stack's own as they are, together."""
        with self._turn:
            for line in lines:
                self._console.print(line)

    def _print(self, name: str, line: PlainText) -> None:
        prefix = f"{time.strftime('%H:%M:%S')} {name:<{self._width}} | "
        with self._turn:
            self._console.print(PlainText.assemble((prefix, self._colours.get(name, "white")), line))


def _coloured(line: str) -> str:
    """Leave the colours of a process's line, and nothing else that a terminal obeys: it may hold foreign text."""
    return "".join(part if _COLOUR.fullmatch(part) else escaped(part) for part in _COLOUR.split(line))
