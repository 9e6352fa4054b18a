"""Following a deliberation: to its end, late, and no longer than asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from io import StringIO

import pytest

from domain.record import Record
from domain.views.progress import DeliberationView
from tests.support import factories as make
from tests.support.factories import MOMENT
from workers.cli.follow import PrintingScreen, TerminalScreen, follow, json_screen, line_screen, screen
from workers.printer import Printer

OF = make.deliberation()
OPENED = make.record(of=OF)
HALF = OPENED.plus(make.proposed("agent-1"))
CLOSED = HALF.plus(make.closed(at=MOMENT + 3))


class Store:
    """Gives one record after another, and says that there is news until the last."""

    def __init__(self, *records: Record) -> None:
        self._records: Iterator[Record] = iter(records)
        self.news = threading.Event()
        self.news.set()

    def load(self) -> Record:
        self.news.set()
        return next(self._records)


def test_every_state_is_shown_until_the_last_one_is_closed() -> None:
    shown: list[DeliberationView] = []
    store = Store(OPENED, HALF, CLOSED)
    last = follow(store.load, PrintingScreen(lambda before, now: shown.append(now)), news=store.news)
    assert last is CLOSED
    assert [one.state.value for one in shown] == ["proposing", "proposing", "decided"]


def test_one_that_has_ended_is_shown_at_once() -> None:
    shown: list[DeliberationView] = []
    store = Store(CLOSED)
    follow(store.load, PrintingScreen(lambda before, now: shown.append(now)), news=threading.Event())
    assert [one.closed for one in shown] == [True]


def test_what_nats_does_not_tell_is_seen_in_the_store() -> None:
    store = Store(OPENED, CLOSED)
    silent = PrintingScreen(lambda before, now: None)
    assert follow(store.load, silent, news=threading.Event(), reload_s=0) is CLOSED


def test_a_look_may_end_the_following() -> None:
    class EnoughError(Exception):
        pass

    def look() -> None:
        raise EnoughError

    store = Store(OPENED)
    with pytest.raises(EnoughError):
        follow(store.load, PrintingScreen(lambda before, now: None), news=store.news, look=look)


def test_json_is_one_line_for_each_change_and_none_for_the_passing_of_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = iter(range(100))
    store = Store(OPENED, OPENED, HALF, CLOSED)
    follow(store.load, json_screen(), news=store.news, now=lambda: MOMENT + next(clock))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["state"] for line in lines] == ["proposing", "proposing", "decided"]
    assert lines[-1]["deliberation_id"] == OF.deliberation_id


def test_a_pipe_gets_plain_lines_and_a_terminal_bars() -> None:
    pipe = Printer(file=StringIO(), width=100)
    terminal = Printer(file=StringIO(), width=100, force_terminal=True)
    assert isinstance(screen(terminal), TerminalScreen)
    for console in (pipe, terminal):
        store = Store(OPENED, HALF, CLOSED)
        follow(store.load, screen(console), news=store.news)
    plain, coloured = (one.file.getvalue() for one in (pipe, terminal))  # type: ignore[attr-defined]
    assert "\x1b" not in plain
    assert "agent-1 proposed 9 tokens" in plain
    assert "\x1b" in coloured
    assert "━" in coloured


def test_lines_keep_brackets_in_titles() -> None:
    out = Printer(file=StringIO(), width=100)
    record = make.record(of=make.deliberation(make.plan(title="[b]bold[/b]")))
    store = Store(record.plus(make.closed()))
    follow(store.load, line_screen(out), news=store.news)
    assert "[b]bold[/b]" in out.file.getvalue()  # type: ignore[attr-defined]
