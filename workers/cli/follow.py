"""Follow a deliberation to its end, on a terminal, line by line, or as JSON; used by `demo` and `watch`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from rich.live import Live

from domain.record import Record
from domain.views.progress import DeliberationView, view
from workers.cli.output import print_json_line
from workers.cli.view.changes import changes
from workers.cli.view.live import live
from workers.printer import Printer

REDRAW_S = 0.2
"""Between two drawings, so that seconds are seen to pass."""
RELOAD_S = 1.0
"""Between two readings of the store where no event calls for one: what NATS did not tell is seen all the same."""


class Screen(Protocol):
    """Shows views as they come; a context manager."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, seen: DeliberationView) -> None:
        """Show the newest view; called from one thread, several times a second."""
        ...


class TerminalScreen:
    """Bars and lines that change in place."""

    def __init__(self, console: Printer) -> None:
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, seen: DeliberationView) -> None:
        self._live.update(live(seen), refresh=True)


class PrintingScreen:
    """Calls `changed` with the view before and the view now; nothing is drawn twice."""

    def __init__(self, changed: Callable[[DeliberationView | None, DeliberationView], None]) -> None:
        self._changed = changed
        self._last: DeliberationView | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def show(self, seen: DeliberationView) -> None:
        self._changed(self._last, seen)
        self._last = seen


def line_screen(console: Printer) -> Screen:
    """A line for each thing that happened: for logs and pipes."""

    def changed(before: DeliberationView | None, seen: DeliberationView) -> None:
        for line in changes(before, seen):
            console.print(line, soft_wrap=True)

    return PrintingScreen(changed)


def json_screen() -> Screen:
    """The whole view as one line of JSON for each change."""

    def changed(before: DeliberationView | None, seen: DeliberationView) -> None:
        if before is None or _timeless(before) != _timeless(seen):
            print_json_line(seen.model_dump(mode="json"))

    return PrintingScreen(changed)


def screen(console: Printer) -> Screen:
    """Choose how to show progress on a console."""
    return TerminalScreen(console) if console.is_terminal else line_screen(console)


def follow(
    load: Callable[[], Record],
    on: Screen,
    *,
    news: threading.Event,
    look: Callable[[], None] = lambda: None,
    reload_s: float = RELOAD_S,
    now: Callable[[], float] = time.time,
) -> Record:
    """Show a deliberation until it is closed and return its last record.

    The store is read whenever `news` is set, and every `reload_s` seconds; `look` is called each time and may
    raise to end it. Attaching late shows what happened before at once.
    """
    record = load()
    read_at = time.monotonic()
    with on:
        while True:
            look()
            on.show(view(record, now()))
            if record.closed is not None:
                return record
            told = news.wait(REDRAW_S)
            news.clear()
            if told or time.monotonic() - read_at >= reload_s:
                record, read_at = load(), time.monotonic()


def _timeless(seen: DeliberationView) -> DeliberationView:
    stages = tuple(stage.model_copy(update={"seconds": 0.0}) for stage in seen.stages)
    return seen.model_copy(update={"elapsed_s": 0.0, "remaining_s": 0.0, "stages": stages})
