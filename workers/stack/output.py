"""What `conclave up` prints: the lines of every process behind its coloured name."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from workers.processes.log_file import LogFile

COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "bright_cyan", "bright_yellow", "bright_green")


class Output:
    """Prints log lines and reports, one thread at a time."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._logs: Mapping[str, LogFile] = {}
        self._colours: dict[str, str] = {}
        self._width = len("stack")
        self._turn = threading.Lock()

    def follow(self, logs: Mapping[str, LogFile]) -> None:
        """Take these logs for what `show` prints."""
        self._logs = logs
        self._colours = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(logs)}
        self._width = max(map(len, (*logs, "stack")))

    def show(self) -> None:
        """Print what the processes have written since the last call; on a terminal in their own colours."""
        for name, log in self._logs.items():
            for line in log.fresh_lines():
                self._print(name, Text.from_ansi(line))

    def report(self, name: str, event: str) -> None:
        """Print what happened to a process, or to the stack."""
        self._print(name, Text(event, "bold"))

    def _print(self, name: str, line: Text) -> None:
        prefix = Text(f"{time.strftime('%H:%M:%S')} {name:<{self._width}} | ", self._colours.get(name, "white"))
        with self._turn:
            self._console.print(Text.assemble(prefix, line))
