"""Whatever is printed, hidden characters are shown as escapes, brackets as brackets, and the layout holds."""

from __future__ import annotations

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table

from tests.support.hostile_text import HOSTILE, commands_in
from workers.printer import PlainText, Printer


def printed(*parts: RenderableType, terminal: bool = True, width: int = 80) -> str:
    out = StringIO()
    Printer(file=out, width=width, force_terminal=terminal, color_system="truecolor").print(*parts)
    return out.getvalue()


def table(cell: RenderableType, *, title: RenderableType = "t") -> Table:
    drawn = Table(title=title if isinstance(title, str | PlainText) else "t")
    drawn.add_column(HOSTILE, overflow="fold")
    drawn.add_row(cell)
    return drawn


@pytest.mark.parametrize(
    "part",
    [
        HOSTILE,
        PlainText(HOSTILE),
        PlainText(HOSTILE, "bold"),
        PlainText.assemble(("a", "dim"), (HOSTILE, "red"), HOSTILE),
        PlainText("a", "red").append(HOSTILE).append(HOSTILE, "bold"),
        table(HOSTILE),
        table(PlainText(HOSTILE, "red"), title=HOSTILE),
        table(Panel(HOSTILE), title=PlainText(HOSTILE)),
        Panel(PlainText(HOSTILE), title=PlainText(HOSTILE), subtitle=PlainText(HOSTILE)),
        Group(HOSTILE, PlainText(HOSTILE), table(Group(PlainText(HOSTILE)))),
    ],
    ids=range(10),
)
@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_foreign_reaches_the_terminal_as_a_command(part: RenderableType, terminal: bool) -> None:
    output = printed(part, terminal=terminal)

    assert commands_in(output) == []
    assert "\\x1b" in output


def test_a_live_view_is_printed_the_same_way() -> None:
    out = StringIO()
    with Live(console=Printer(file=out, width=80, force_terminal=True), auto_refresh=False) as live:
        live.update(Group(PlainText(HOSTILE), table(HOSTILE)), refresh=True)
        live.update(PlainText("done"), refresh=True)

    assert commands_in(out.getvalue()) == []


def test_styles_stay_on_the_words_they_were_on() -> None:
    text = PlainText.assemble("a\x1bb", ("c\u202ed", "bold"), "e")

    assert printed(text) == "a\\x1bb\x1b[1mc\\u202ed\x1b[0me\n"


def test_every_character_is_there_where_a_cell_is_folded() -> None:
    drawn = Table("", show_header=False)
    drawn.add_row(PlainText("\x1b" * 40, overflow="fold"))
    lines = printed(drawn, terminal=False, width=30).splitlines()

    assert "".join(line.strip("│ ") for line in lines[1:-1]) == "\\x1b" * 40
    assert {len(line) for line in lines} == {30}


@pytest.mark.parametrize(
    "text", ["[b]x[/b]", "[/]", "[link=http://x]y[/link]", ":smiley:", "[1, 2]", "a [#ff0000]b"]
)
def test_markup_is_text(text: str) -> None:
    assert printed(text) == f"{text}\n"


def test_writing_of_many_scripts_and_emoji_stay() -> None:
    text = "Größe 你好 שלום नमस्ते क्‍ष می‌خواهم 👩‍💻 ✔️ ⚠️ 1️⃣ ½ ≤ 🚀"

    assert printed(text, terminal=False) == f"{text}\n"


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_printed(one: str, other: str) -> None:
    for terminal in (True, False):
        output = printed(Group(PlainText.assemble((one, "red"), other), table(one)), terminal=terminal)
        assert commands_in(output) == []
        output.encode()
